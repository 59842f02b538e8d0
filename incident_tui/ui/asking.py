"""What this screen asked the watch to read, until it has come or was waited for in vain. The screen never asks a host
itself, and never waits: a question is a file and a ring, an answer a detail of the board."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from incident_tui.watch.answers import SECONDS, Answer

PATIENCE: Final = timedelta(seconds=SECONDS + 30)
"""After so long the watch is not expected to answer any more: it may have lost its lease."""


class Reads(Protocol):
    """`ui.session.Session` is one."""

    @property
    def clock(self) -> Callable[[], datetime]: ...

    def answers(self, word: str) -> Mapping[str, Answer]: ...


class Question(msgspec.Struct, frozen=True):
    """`before` is when the answer came that was there already. `keep` has what is to be saved of it: the ids of
    containers, "" for the host itself."""

    at: datetime
    before: datetime | None
    keep: frozenset[str] = frozenset()


class Asking:
    """`ask(host, word)` puts a question to the watch, of all hosts when `host` is empty; it raises OSError or
    JournalError."""

    def __init__(self, session: Reads, ask: Callable[[str, str], None]) -> None:
        self._session = session
        self._ask = ask
        self._open: dict[tuple[str, str], Question] = {}

    def ask(self, host: str, word: str, keep: str | None = None) -> None:
        """Ask, unless that is open already; `keep` is saved when it comes."""
        known = self.question(host, word)
        if known is None:
            self._ask(host, word)
            known = self._begun(host, word)
        also = known.keep | ({keep} if keep is not None else set())
        self._open[host, word] = msgspec.structs.replace(known, keep=also)

    def ask_all(self, hosts: Sequence[str], word: str) -> None:
        """Ask all hosts that there are, `hosts`, with one question to the watch."""
        new = [host for host in hosts if self.question(host, word) is None]
        if new:
            self._ask("", word)
        for host in new:
            self._open[host, word] = self._begun(host, word)

    def _begun(self, host: str, word: str) -> Question:
        before = self._session.answers(word).get(host)
        return Question(self._session.clock(), before.at if before is not None else None)

    def question(self, host: str, word: str) -> Question | None:
        """The open question; None when there is none, or nobody answered it for too long."""
        found = self._open.get((host, word))
        return found if found is not None and self._session.clock() - found.at < PATIENCE else None

    def unanswered(self, host: str, word: str) -> bool:
        """The last question was waited for in vain."""
        return (host, word) in self._open and self.question(host, word) is None

    def came(self) -> list[tuple[Answer, Question]]:
        """The answers to open questions, each once."""
        found: list[tuple[Answer, Question]] = []
        for word in {word for _, word in self._open}:
            answers = self._session.answers(word)
            for host in [host for host, of in self._open if of == word]:
                answer = answers.get(host)
                if answer is not None and answer.at != self._open[host, word].before:
                    found.append((answer, self._open.pop((host, word))))
        return found
