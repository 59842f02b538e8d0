"""Names become roles, for readers outside the team: no report says a person did it, only who had which part.

The entries are renamed before the fold, so every form of the report follows. Whoever held a role is called by the first
that they held; everybody else is a responder with a letter. Accounts, keys and platform ids go with the names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Author, Entry, Kind
from incident_tui.incident.settings import Person

_NAMES: Final = ("who", "owner", "was", "by", "offered_by")
"""Fields of `Entry.data` that hold a person's name, where they hold a text."""
_IDS: Final = ("by", "remote", "thread")
"""Of what came from a chat: ids by which a person can be found."""


class Naming:
    """The roles of one incident, by name. `entries` are those that tell it."""

    def __init__(self, entries: Iterable[Entry], people: Sequence[Person] = ()) -> None:
        self._labels: dict[str, str] = {}
        held: dict[str, str] = {}
        names: dict[str, str] = {}
        for entry in entries:
            if entry.kind is Kind.DECLARE and not entry.data.get("by"):
                held.setdefault(entry.author.name.casefold(), "commander")
            role, who = entry.data.get("role"), entry.data.get("who")
            if entry.kind is Kind.ROLE and isinstance(role, str) and isinstance(who, str) and who:
                held.setdefault(who.casefold(), role)
            said = [entry.author.name] if entry.kind not in MACHINE_KINDS else []
            fields = ("who", "owner") if entry.kind is not Kind.ALERT else ()
            said += [value for name in fields if isinstance(value := entry.data.get(name), str)]
            for name in said:
                names.setdefault(name.casefold(), name)
        for person in people:
            names.setdefault(person.name.casefold(), person.name)
        names.pop("", None)
        counts: dict[str, int] = {}
        for key in names:
            role = held.get(key, "responder")
            counts[role] = counts.get(role, 0) + 1
            self._labels[key] = f"{role}-{counts[role]}"
        for key, label in self._labels.items():
            role = label.rpartition("-")[0]
            if counts[role] == 1 and role != "responder":
                self._labels[key] = role
        words = dict(self._labels)
        for person in people:
            words |= {one.casefold(): self._labels[person.name.casefold()] for one in (person.full_name,) if one}
        self._words = words
        known = sorted((re.escape(word) for word in words), key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(known)})(?!\w)", re.IGNORECASE) if known else None

    def label(self, name: str) -> str:
        return self._labels.get(name.casefold(), name)

    def text(self, said: str) -> str:
        """The text with each name in it replaced."""
        if self._pattern is None:
            return said
        return self._pattern.sub(lambda match: self._words[match.group().casefold()], said)

    def entry(self, entry: Entry) -> Entry:
        data = {name: self._value(name, value) for name, value in entry.data.items()}
        if entry.kind is Kind.CHAT:
            data = {name: value for name, value in data.items() if name not in _IDS}
        author = entry.author
        if entry.kind not in MACHINE_KINDS:
            author = Author(self.label(author.name), proven=author.proven)
        return msgspec.structs.replace(entry, author=author, text=self.text(entry.text), data=data)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return self.label(value) if name in _NAMES else self.text(value)
        if isinstance(value, list):
            return [self._value("", one) for one in value]
        if isinstance(value, dict):
            return {key: self._value("", one) for key, one in value.items()}
        return value
