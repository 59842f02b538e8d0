"""What a playbook lacks to be used at 03:10 by somebody who did not write it. Pure.

What cannot be read at all is refused by `playbook.load`; this asks more of what can be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from incident_tui.incident.playbook import Playbook, PlaybookError, Step, load
from incident_tui.incident.playbook_block import VARIABLE

BEFORE: Final = {
    "**Precondition.**": "what must be so before the first step",
    "**Stop and ask**": "when to stop",
    "**Do not**": "what not to do",
}
"""What stands before the first step, and what each says."""
AFTER: Final = {"## Rollback": "the way back", "## Sources": "where it comes from"}
"""Headings after the last step."""
_ROLLBACK: Final = re.compile(r"(?:^|\s)Rollback: \S")


def lint(text: str, path: str, rules: Collection[str]) -> list[PlaybookError]:
    """Everything that is wrong with this file, by line; empty when nothing is. `rules` are the ids of findings."""
    try:
        book = load(text, path)
    except PlaybookError as error:
        return [error]
    found = [*_front(book, text, rules), *_sections(book)]
    for step in book.steps:
        found.extend(_step(step, path))
    return sorted(found, key=lambda one: one.line)


def _front(book: Playbook, text: str, rules: Collection[str]) -> Iterator[PlaybookError]:
    lines = text.splitlines()

    def line_with(word: str) -> int:
        return next((number for number, line in enumerate(lines, start=1) if word in line), 1)

    for rule in book.when:
        if rule not in rules:
            yield PlaybookError(book.path, line_with(f'"{rule}"'), f"no finding has the id {rule!r}.")
    used = set(VARIABLE.findall(text))
    for name in book.variables:
        if name not in used:
            yield PlaybookError(book.path, line_with(name), f"the variable {name} is declared and never used.")


def _sections(book: Playbook) -> Iterator[PlaybookError]:
    for part, what in BEFORE.items():
        if part not in book.intro:
            sentence = f"{part} is missing before the first step: say {what}."
            yield PlaybookError(book.path, book.steps[0].line, sentence)
    headings = book.outro.splitlines()
    for part, what in AFTER.items():
        if part not in headings:
            yield PlaybookError(book.path, book.steps[-1].line, f"{part} is missing after the last step: say {what}.")
    if "## Sources" in headings and "https://" not in book.outro.partition("## Sources")[2]:
        yield PlaybookError(book.path, book.steps[-1].line, "## Sources names no document: give its address.")


def _step(step: Step, path: str) -> Iterator[PlaybookError]:
    changes = [one for one in step.blocks if one.is_command and one.changes and not one.part]
    for one in step.blocks:
        if one.is_command and not one.text.strip():
            yield PlaybookError(path, one.line, "this command is empty.")
    for one in changes:
        if not one.expect:
            sentence = 'this changes something and says not what to expect: add expect="…", or risk=read.'
            yield PlaybookError(path, one.line, sentence)
    shown = {" ".join(one.expect.split()) for one in step.blocks if one.part == "verify"} - {""}
    for one in changes:
        if one.expect and shown and " ".join(one.expect.split()) not in shown:
            sentence = f"this says to expect {one.expect!r}, and its step's verify block shows {min(shown)!r}."
            yield PlaybookError(path, one.line, sentence)
    if changes and not any(one.part == "verify" for one in step.blocks):
        yield PlaybookError(path, step.line, f"step {step.number} changes something and has no verify block.")
    if changes and not (
        any(one.part == "rollback" for one in step.blocks) or _ROLLBACK.search(f"{step.text} {step.body}")
    ):
        sentence = f"step {step.number} changes something: add a rollback block, or the words `Rollback: …`."
        yield PlaybookError(path, step.line, sentence)
