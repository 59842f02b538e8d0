"""A playbook's own commands, taken from its file and run on the lab's peers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from incident_tui.incident.playbook import Step, load
from incident_tui.incident.playbook_block import Block

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
BUSY: Final = "Another transaction is in progress"
"""What gluster says while another command holds the lock, as the watch now and then does: it is to be asked again."""


class Played:
    """One run of a playbook. Steps are found by the beginning of a sentence in them, so that renumbering breaks
    nothing and rewording does."""

    HERE: Final = 0
    """In place of a peer's number: this machine, where target=local belongs."""

    def __init__(self, lab: Any, name: str, /, **variables: str) -> None:
        self.lab = lab
        self.book = load((PLAYBOOKS / f"{name}.md").read_text(encoding="utf-8"), name)
        self.variables = variables
        assert set(variables) <= set(self.book.variables)

    def step(self, words: str) -> Step:
        (found,) = [step for step in self.book.steps if words in step.text]
        return found

    def look(self, n: int, words: str, only: str = "") -> str:
        """The step's commands on peer N, which only read; what they print."""
        blocks = self._blocks(words, only)
        assert not any(block.changes for block in blocks)
        return "".join(self.lab.until(partial(self._free, n, block), 30, block.text)[0] for block in blocks)

    def _free(self, n: int, block: Block) -> tuple[str, ...]:
        """What it prints; nothing while the lock is held."""
        output, status = self._run(n, block)
        return () if status and BUSY in output else (output,)

    def look_well(self, n: int, words: str, *, again: str = "") -> str:
        """The same, where each must say something with status 0. `again`: what one may say that is then asked anew."""

        def said(block: Block) -> str:
            output, status = self._run(n, block)
            assert status == 0 or (again and again in output), f"{block.text}: {status}: {output}"
            return output if status == 0 else ""

        blocks = self._blocks(words, "")
        assert not any(block.changes for block in blocks)
        return "".join(self.lab.until(partial(said, block), 30, block.text) for block in blocks)

    def do(self, n: int, words: str, *, only: str = "", again: str = "") -> None:
        """The step's one command on peer N, once; then its verify block until it holds. `again`: what the command may
        say when the step tells to repeat it."""
        (block,) = self._blocks(words, only)

        def done() -> bool:
            output, status = self._run(n, block)
            assert status == 0 or (again and again in output), f"{block.text}: {status}: {output}"
            return status == 0

        self.lab.until(done, 30, block.text)
        self.verified(n, words)

    def verified(self, n: int, words: str, seconds: float = 30) -> None:
        (block,) = [block for block in self.step(words).blocks if block.part == "verify"]

        def held() -> bool:
            return block.held(*self._run(n, block), self.variables)

        self.lab.until(held, seconds, f"{block.expected(self.variables)!r} shown by {block.text}")

    def _blocks(self, words: str, only: str) -> list[Block]:
        found = [one for one in self.step(words).blocks if one.is_command and not one.part and only in one.only]
        assert found, words
        return found

    def _run(self, n: int, block: Block) -> tuple[str, int]:
        words = ("sh", "-c", block.filled(self.variables))
        assert (n == self.HERE) == (block.target == "local")
        done = self.lab.here(*words) if n == self.HERE else self.lab.peers("exec", str(n), *words, check=False)
        return done.stdout + done.stderr, done.returncode
