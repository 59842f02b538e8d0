"""A playbook as lines, with the state of its steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from incident_tui.incident.playbook import Playbook
from incident_tui.incident.playbook_block import Block
from incident_tui.incident.work import Run
from incident_tui.ui.lines import Line, Look
from incident_tui.ui.page import Page
from incident_tui.ui.times import clock

_BOXES: Final = {"begun": "[>]", "released": "[ ]", "done": "[x]", "skipped": "[-]", "failed": "[!]"}
_OPEN: Final = ("[>]", "[ ]", "[!]")
_TARGETS: Final = {
    "host": "on the host",
    "each": "on each host concerned",
    "any": "on any one host",
    "local": "here, not on a host",
}


def playbook_lines(book: Playbook, run: Run | None, width: int, look: Look, me: str = "") -> list[Line]:
    """A playbook with the state of its steps in this run, its commands filled in as far as variables are set."""
    page = Page(width, look)
    values = run.variables if run is not None else {}
    page.head(f"{book.title}")
    page.text(f"{book.name}, kept by {book.owner}")
    for name, what in book.variables.items():
        if name in values:
            page.text(f"{name} = {values[name]}", indent=2)
        elif run is not None:
            page.text(f"/set {name} VALUE: {what}", "warn", indent=2)
    if book.intro:
        page.gap()
        page.text(_flowing(book.intro))
    said = {step.number: step for step in run.steps if step.step != "released"} if run is not None else {}
    next_ = run.next_step(me) if run is not None and run.finished_at is None else 0
    section = ""
    for step in book.steps:
        if step.section and step.section != section:
            section = step.section
            page.gap()
            page.head(section)
        state = said.get(step.number)
        box = _BOXES[state.step] if state is not None else "[ ]"
        why = ""
        if state is not None:
            words = f": {state.text}" if state.text and state.text != step.title else ""
            why = f"  ({state.step} {clock(state.at)} {state.by.name}{words})"
        page.text(f"{box} {step.number}. {step.text}{why}", "strong" if step.number == next_ else "")
        if step.body:
            page.text(_flowing(step.body), indent=5)
        for block in step.blocks:
            if block.is_command:
                page.text(_about(block, values), indent=5)
            page.text(block.filled(values), "mark", indent=7)
    if book.outro:
        page.gap()
        page.text(_flowing(book.outro))
    page.gap()
    if run is None:
        page.text("Only looked at: no incident is open.")
    elif run.finished_at is not None:
        page.text(f"Finished at {clock(run.finished_at)}.")
    else:
        page.text("/begin takes a step, then /tick, /fail N why, /skip N why, /drop N. /drop alone ends it here.")
    return page.lines


def _about(block: Block, values: Mapping[str, str]) -> str:
    """Of a command: where it runs, whether it changes something, how long it may take, what is expected."""
    target = _TARGETS.get(block.target) or f"on each host of role {block.target.partition(':')[2]}"
    words = [{"verify": "verify", "rollback": "rollback"}.get(block.part, ""), block.only, target]
    words += ["changes" if block.changes else "", f"{block.seconds} s"]
    expect = f"; expect: {block.expected(values)}" if block.expect else ""
    return f"{', '.join(word for word in words if word)}{expect}"


def next_step(lines: Sequence[Line]) -> int:
    """Of a playbook's lines, the one of the next step; the first one while no step was touched, or all are settled."""
    boxes = [(index, line[1][0][:3]) for index, line in enumerate(lines) if len(line) > 1]
    if all(box not in _BOXES.values() or box == "[ ]" for _, box in boxes):
        return 0
    return next((index for index, box in boxes if box in _OPEN), 0)


_STARTS: Final = ("-", "*", "+", "#", "|", ">", "`", "    ", *"0123456789")


def _flowing(text: str) -> str:
    """Markdown with the lines of each paragraph joined, so that it wraps at this screen's width."""
    out: list[str] = []
    fenced = False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        joins = out and out[-1].strip() and line.strip() and not fenced and not fence and not line.startswith(_STARTS)
        if joins and not out[-1].lstrip().startswith(("#", "|", "```")):
            out[-1] = f"{out[-1].rstrip()} {line.strip()}"
        else:
            out.append(line)
        fenced ^= fence
    return "\n".join(out).replace("**", "")
