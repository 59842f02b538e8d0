"""The prompt of one host, `web3#`: a command, what is expected of it, the host's name. Pure.

It never stands among the notes: whoever opens it sees the host's name in place of the line's meaning, its lines are in
no history and no draft of the notes, and Esc is the way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from incident_tui.desk.host_command import Wish
from incident_tui.desk.step_command import StepCommand
from incident_tui.incident.policy import Verdict
from incident_tui.incident.said import one_line, same


class Go(msgspec.Struct, frozen=True):
    """All is said: it may run."""

    wish: Wish
    verdict: Verdict


class HostPrompt:
    """`judge` says what a wish needs now. After `enter` and `back`, `line` belongs into the prompt, and `said` (when
    it is not empty) is why nothing ran. `offered`: commands of a playbook's step; what the playbook says of one goes
    with it when its word is entered as it is."""

    def __init__(self, host: str, judge: Callable[[Wish], Verdict], offered: Sequence[StepCommand] = ()) -> None:
        self.host = host
        self.offered = offered
        self.line = ""
        self.said = ""
        self.step: Literal["command", "expected", "name"] = "command"
        self._judge = judge
        self._wish = Wish(host=host, command="")
        self._verdict = Verdict()

    @property
    def label(self) -> str:
        return {"command": self.host, "expected": f"{self.host} EXPECT", "name": f"{self.host} NAME"}[self.step]

    @property
    def mark(self) -> str:
        return "#" if self.step == "command" else " >"

    @property
    def question(self) -> str:
        """What is asked now; empty while a command is awaited."""
        if self.step == "expected":
            return (
                f"This may change {self.host}. What do you expect to see afterwards? It may end with: "
                "verify after 2 minutes: COMMAND. Esc: not."
            )
        if self.step == "name":
            verdict = self._verdict
            warned = "".join(f"{one}. " for one in verdict.warnings) + f"{verdict.reminder} ".lstrip()
            return f"{warned}Type {self.host} and Enter to run there: {one_line(self._wish.command)}"
        return ""

    def enter(self, line: str) -> Go | None:
        """What is to be run now, if anything."""
        self.said, self.line = "", ""
        if self.step == "name" and not same(line.strip(), self.host):
            self._not(f"Not run: that is not {self.host}.")
            return None
        if self.step == "command":
            if not line.strip():
                return None
            step = next((one for one in self.offered if one.word == line.strip()), None)
            self._wish = (
                Wish.of_step(self.host, step) if step is not None else Wish(host=self.host, command=line.strip())
            )
        elif self.step == "expected":
            if not line.strip():
                self.said = "Not run yet: say what you expect to see, in a few words."
                return None
            self._wish = Wish.of(self.host, self._wish.command, line)
        before, self._verdict = self._verdict, self._judge(self._wish)
        if self._verdict.refusal:
            self._not(self._verdict.refusal)
            return None
        if self.step == "name" and not _what(self._verdict) - _what(before):
            self.step = "command"
            return Go(self._wish, self._verdict)
        if self._verdict.changes and not self._wish.expected:
            self.step = "expected"
            return None
        if self._verdict.confirm:
            self.step = "name"
            return None
        self.step = "command"
        return Go(self._wish, self._verdict)

    def back(self) -> bool:
        """Back to the command, which is in `line` again. False when it is awaited already."""
        if self.step == "command":
            return False
        self._not("Not run. The command is in the prompt.")
        return True

    def _not(self, why: str) -> None:
        step = self._wish.step
        self.step, self.line, self.said = "command", step.word if step is not None else self._wish.command, why


def _what(verdict: Verdict) -> set[str]:
    """What is warned of, whatever the counts and times in it, which change with each reading."""
    return {re.sub(r"\d+", "", one) for one in verdict.warnings}
