"""What a host's prompt says of a playbook's step: each of its commands as it would run, and all that was said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from incident_tui.desk.step_command import StepCommand

Said = tuple[str, str]
"""A line and its style."""
TARGETS = {"host": "on the host", "each": "on each host concerned", "any": "on any one host"}


def step_lines(offered: Sequence[StepCommand]) -> Iterator[Said]:
    """Nothing when nothing is offered."""
    if not offered:
        return
    first = offered[0]
    yield f"Step {first.number} of {first.book}: {first.title}", "strong"
    for one in offered:
        yield f"{one.only + ': ' if one.only else ''}{_about(one)}", ""
        for line in one.text.split("\n"):
            yield f"    {line}", "mark"
        if one.word != one.text:
            yield f"Enter runs it as it stands here, by the word: {one.word}", ""
    if first.verify:
        yield f"Afterwards it is checked{f' that this shows {first.shows!r}' if first.shows else ''}:", ""
        yield from ((f"    {line}", "") for line in first.verify.split("\n"))
    if first.rollback:
        yield "The way back:", ""
        yield from ((f"    {line}", "") for line in first.rollback.split("\n"))
    if len(offered) > 1:
        yield "Up and Down choose between them.", ""
    yield "", ""


def _about(one: StepCommand) -> str:
    where = TARGETS.get(one.target) or f"on each host of role {one.target.partition(':')[2]}"
    return f"{where}, {'CHANGES something' if one.changes else 'only reads'}, at most {one.seconds} s"
