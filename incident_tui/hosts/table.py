"""A printed table: columns by the offsets of its heading in characters; cells may be empty or hold blanks. Pure."""

from __future__ import annotations

import re

from incident_tui.hosts.errors import garbled


def header(body: str, first: str) -> tuple[list[tuple[int, str]], list[str]]:
    """The heading's columns as (offset, name) of the last table in the text, and the lines below it."""
    lines = [line.expandtabs() for line in body.replace("\r", "").splitlines()]
    starts = [n for n, line in enumerate(lines) if re.match(rf"\s*{first}\b", line)]
    if not starts:
        raise garbled("the table")
    head = lines[starts[-1]]
    columns = [(m.start(), m.group()) for m in re.finditer(r"\S+(?: (?!/ )\S+)*(?: / \S+(?: \S+)*)?", head)]
    return columns, lines[starts[-1] + 1 :]


def cells(line: str, columns: list[tuple[int, str]]) -> dict[str, str]:
    """Cells by heading. A name wider than its column, or bytes counted for characters, shifts what follows: then the
    line is split where two blanks or more stand, if that gives as many cells, or each stands near its heading."""
    if all(start == 0 or start > len(line) or line[start - 1] == " " for start, _ in columns):
        ends = [start for start, _ in columns[1:]] + [len(line)]
        return {name: line[start:end].strip() for (start, name), end in zip(columns, ends, strict=True)}
    words = re.split(r" {2,}", line.strip())
    if len(words) != len(columns):
        return _near(line, columns)
    return {name: word for (_, name), word in zip(columns, words, strict=True)}


_SHIFT = 3
"""Characters by which a cell may be off, where some are empty."""


def _near(line: str, columns: list[tuple[int, str]]) -> dict[str, str]:
    found = {name: "" for _, name in columns}
    after = 0
    for match in re.finditer(r"\S+(?: \S+)*", line):
        at = next((n for n in range(after, len(columns)) if abs(columns[n][0] - match.start()) <= _SHIFT), None)
        if at is None:
            raise garbled("the table")
        found[columns[at][1]], after = match.group(), at + 1
    return found
