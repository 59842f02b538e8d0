"""A playbook as lines, with the state of its steps. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from incident_tui.incident.playbook import Playbook
from incident_tui.incident.work import Run
from incident_tui.ui.lines import Line, Look
from incident_tui.ui.page import Page
from incident_tui.ui.times import clock


def playbook_lines(book: Playbook, run: Run | None, width: int, look: Look) -> list[Line]:
    """A playbook with the state of its steps in this run."""
    page = Page(width, look)
    page.head(f"{book.title}")
    page.text(f"{book.name}, kept by {book.owner}")
    if book.intro:
        page.gap()
        page.text(_flowing(book.intro))
    said = {step.number: step for step in run.steps} if run is not None else {}
    section = ""
    for step in book.steps:
        if step.section and step.section != section:
            section = step.section
            page.gap()
            page.head(section)
        state = said.get(step.number)
        box = "[ ]" if state is None else {"done": "[x]", "skipped": "[-]"}.get(state.step, "[!]")
        why = (
            f"  ({state.step} {clock(state.at)} {state.by.name}{': ' + state.text if state.text else ''})"
            if state
            else ""
        )
        first = next((one.number for one in book.steps if one.number not in said), 0) == step.number
        page.text(f"{box} {step.number}. {step.text}{why}", "strong" if first else "")
        if step.body:
            page.text(_flowing(step.body), indent=5)
        for command in step.commands:
            page.text(command, "mark", indent=7)
    if book.outro:
        page.gap()
        page.text(_flowing(book.outro))
    page.gap()
    page.text(
        "/tick [N] when a step is done, /skip N why" if run is not None else "Only looked at: no incident is open."
    )
    return page.lines


def next_step(lines: Sequence[Line]) -> int:
    """Of a playbook's lines, the one of the next step; the first one while no step is done, or all are."""
    boxes = [(index, line[1][0][:3]) for index, line in enumerate(lines) if len(line) > 1]
    if not any(box in ("[x]", "[-]", "[!]") for _, box in boxes):
        return 0
    return next((index for index, box in boxes if box == "[ ]"), 0)


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
