"""A new report into one that people have worked on: their words stay where they are, the program's are renewed. Pure.

The edited report is the frame: sections may be moved, renamed or deleted in it. What has no place any more, because
another template was asked for, goes to an appendix. Where somebody changed what the program wrote, both versions stand
there, and a sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from incident_tui.report.document import (
    QUESTION,
    Document,
    Part,
    begin,
    compared,
    end,
    fenced,
    parse,
    plain,
    theirs,
)
from incident_tui.report.sections import SECTIONS, TITLES

CONFLICT: Final = "> **Conflict.** Somebody changed what the program wrote here."
APPENDIX: Final = "## Appendix: text of the former report that has no place in this one"
_HEADING: Final = re.compile(r"^ {0,3}#{1,6}\s")


class Merged(msgspec.Struct, frozen=True):
    """`body`: all but the first line. `conflicts` and `left_out` are names of blocks; `homeless` counts the lines in
    the appendix."""

    body: str
    conflicts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Parts that people deleted; they stay so."""
    homeless: int = 0


def merge(old: Document, fresh: str, template: str) -> Merged:
    """`fresh` is the body of a new report made by `template`."""
    new = parse(fresh)
    return _same(old, new) if old.template in (template, "") else _other(old, new)


def _same(old: Document, new: Document) -> Merged:
    blocks = new.blocks
    out: list[str] = []
    conflicts: list[str] = []
    for part in old.parts:
        if not part.block:
            out += part.lines
            continue
        now = blocks[part.block].lines if part.block in blocks else ()
        if not part.begun:
            _forget(out, now)
        out += _written(part.block, now)
        if part.begun:
            said, conflict = _said(part, now)
            out += said
            conflicts += [part.block] * conflict
    here = {part.block for part in old.parts}
    absent = [name for name in blocks if name not in here]
    for name in absent:
        if name not in old.known:
            _insert(out, new, name)
    return Merged(_join(out), tuple(conflicts), tuple(name for name in absent if name in old.known))


def _written(name: str, lines: Sequence[str]) -> list[str]:
    body = list(lines)
    while body and not body[0].strip():
        del body[0]
    while body and not body[-1].strip():
        del body[-1]
    return [begin(name, body), "", *body, *([""] if body else []), end(name)]


def _said(part: Part, now: Sequence[str]) -> tuple[list[str], bool]:
    """The lines that people put into a block, to stand after it, and whether they contradict the program."""
    found = theirs(part, now)
    if not found.lines:
        return [], False
    # Without its end marker a block runs into people's text, and of a long one nobody knows what is missing.
    if not part.ended or found.gone == 0:
        return ["", *found.lines, ""], False
    gone = "" if found.gone is None else f" {found.gone} of its lines were changed or deleted, and are back."
    quoted = [f"> {line}".rstrip() for line in found.lines]
    return ["", f"{CONFLICT}{gone} Theirs, for you to keep or delete:", ">", *quoted, ""], True


def _forget(out: list[str], now: Sequence[str]) -> None:
    """Take the program's lines out of what stands before an end marker whose begin is gone."""
    since = max((at + 1 for at, line in enumerate(out) if _HEADING.match(line)), default=0)
    written = set(compared(now))
    out[since:] = [line for line in out[since:] if plain(line) not in written]


def _insert(out: list[str], new: Document, name: str) -> None:
    """A part that is new, with its heading, where the fresh report has it."""
    index = next(at for at, part in enumerate(new.parts) if part.block == name)
    chunk: list[str] = []
    if index and not new.parts[index - 1].block:
        above = list(new.parts[index - 1].lines)
        since = max((at for at, line in enumerate(above) if _HEADING.match(line)), default=len(above))
        chunk += above[since:]
    chunk += _written(name, new.parts[index].lines)
    if index + 1 < len(new.parts) and not new.parts[index + 1].block:
        for line in new.parts[index + 1].lines:
            if _HEADING.match(line):
                break
            chunk.append(line)
    before = [part.block for part in new.parts[:index] if part.block]
    ends = {line: at for at, line in enumerate(out)}
    place = next((ends[end(one)] + 1 for one in reversed(before) if end(one) in ends), len(out))
    code = fenced(out)
    while place < len(out) and (code[place] or not _HEADING.match(out[place])):
        place += 1
    out[place:place] = ["", *chunk, ""]


def _other(old: Document, new: Document) -> Merged:
    """Another template: people's words go after the block they stood after, or to the appendix."""
    ours = {plain(line) for part in new.parts if not part.block for line in part.lines}
    ours |= {plain(f"{QUESTION}{section.question}_") for section in SECTIONS}
    by_block: dict[str, list[str]] = {}
    homeless: list[str] = []
    conflicts: list[str] = []
    last = ""
    for part in old.parts:
        if part.block:
            last = part.block
            if part.begun:
                now = new.blocks[last].lines if last in new.blocks else ()
                said, conflict = _said(part, now)
                by_block.setdefault(last, []).extend(said)
                conflicts += [last] * conflict
            continue
        for heading, lines in _under_headings(part.lines):
            kept = [line for line in lines if plain(line) not in ours]
            if any(line.strip() for line in kept):
                title = [heading, ""] if heading and plain(heading) not in ours else []
                place = by_block.setdefault(last, []) if last in new.blocks and not heading else homeless
                place += ["", *title, *kept, ""]
            elif heading and plain(heading) not in ours and plain(heading).lstrip("# ") not in TITLES:
                homeless += ["", heading, ""]
    out: list[str] = []
    for part in new.parts:
        if not part.block:
            out += part.lines
            continue
        out += _written(part.block, part.lines)
        out += by_block.pop(part.block, [])
    for lines in by_block.values():
        homeless += lines
    if any(line.strip() for line in homeless):
        out += ["", APPENDIX, "", *homeless]
    return Merged(_join(out), tuple(conflicts), homeless=sum(bool(line.strip()) for line in homeless))


def _under_headings(lines: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Pairs of a heading (empty for what stands before the first) and the lines below it."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line, code in zip(lines, fenced(lines), strict=True):
        if not code and _HEADING.match(line):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def _join(lines: Sequence[str]) -> str:
    """With one blank line where the merge left several around its own markers."""
    kept: list[str] = []
    for line, code in zip(lines, fenced(lines), strict=True):
        if code or line.strip() or not (kept and not kept[-1].strip()):
            kept.append(line)
    return "\n".join(kept).strip("\n") + "\n"
