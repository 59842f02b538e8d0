"""What the parsing of one line carries along: `Line`, and `Wrong` when a verb's arguments do not fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from incident_tui.incident import people as people_
from incident_tui.incident.settings import Person


class Wrong(Exception):
    """The arguments do not fit. `args[0]` says why in a few words, or is empty."""


class Line(msgspec.Struct, frozen=True):
    """What every verb needs besides its arguments."""

    now: datetime
    people: Sequence[Person]
    zone: str
    roles: Sequence[str]
    at: datetime
    said: bool
    question: str

    def name(self, typed: str) -> str:
        found = people_.resolve(typed, self.people)
        if isinstance(found, people_.Ambiguous):
            raise Wrong(found.sentence)
        if not found:
            raise Wrong("a name is missing.")
        return found

    @property
    def timed(self) -> dict[str, Any]:
        return {"at": self.at, "said": self.said, "question": self.question}
