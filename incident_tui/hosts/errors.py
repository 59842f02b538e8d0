"""What a parser raises when an answer is not one."""

from __future__ import annotations

from incident_tui.hosts.readings import GapKind


class Unreadable(Exception):
    """The output is no reading. `kind` says why, `sentence` is for people (sanitised, no secrets)."""

    def __init__(self, kind: GapKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


def garbled(what: str) -> Unreadable:
    """The answer of `what` was cut, mixed with something else, or of an unknown shape."""
    return Unreadable(GapKind.FAILED, f"the answer of {what} cannot be read")
