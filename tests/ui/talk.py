"""A conversation with a journal behind it and no widget, for tests."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from incident_tui.ui.conversation import Conversation
from incident_tui.ui.editor import Editor
from incident_tui.ui.session import Session


class Talk(Conversation):
    """A conversation with hands: types lines, and waits for the writer's answer."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Editor())
        while session.read_journal():
            pass

    def type(self, text: str) -> None:
        self.editor.insert(text)
        self.changed()

    def enter(self, text: str) -> Any:
        self.type(text)
        outcome = self.submit()
        self.saved()
        return outcome

    def saved(self) -> None:
        end = time.monotonic() + 10
        while self.session.sent and time.monotonic() < end:
            for sent in list(self.session.sent):
                with contextlib.suppress(Exception):  # settle tells
                    sent.saving.result()
            self.settled(self.session.settle())

    @property
    def words(self) -> list[str]:
        rows = self.session.view().rows
        return [f"{row.word} {row.text}" for row in rows]
