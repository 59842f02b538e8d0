"""A report as people get it back from their editors: what the program wrote, and what people wrote around it. Pure.

The program writes between two comments, `<!-- incident-tui begin NAME SIGNATURE -->` and `<!-- incident-tui end NAME
-->`; everything else belongs to people, headings and questions included. The signature tells the program's lines from
those that people put among them, also when an editor has changed line ends, blanks or the width of tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from incident_tui.journal.chain import sha256

MARKER: Final = "<!-- incident-tui report"
"""How the first line of every report begins."""
PREFIX: Final = "<!-- incident-tui"
"""No line of foreign text in a report may begin so: `escape.fence` sees to it."""
_GENERATED: Final = re.compile(
    r"Generated at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ by incident-tui \d[0-9a-z.+]*?(?: from \d+ entries)?\."
)
"""The whole of the only line that differs between two exports of the same entries; with a word more it is people's."""
QUESTION: Final = "_TODO (human): "
SIGNED: Final = 200
"""A block of more lines is signed as a whole, not line by line."""
_SHORT: Final = 6
_MARK: Final = re.compile(
    r"^\s*(?:>\s*)*<!--\s*incident-tui\s+(begin|end)\s+([a-z][a-z0-9-]*)\s*([A-Za-z0-9_.-]*)\s*-->\s*$"
)
_FIRST: Final = re.compile(re.escape(MARKER) + r" (\d+) ([^\n]*?) text ([0-9a-f]{16})(?: blocks ([a-z0-9,-]*))? -->\n?")


class Part(msgspec.Struct, frozen=True):
    """Lines without their ends. `block` empty: people's. `first` is the number of the first of them in the file."""

    first: int
    lines: tuple[str, ...]
    block: str = ""
    signature: str = ""
    ended: bool = True
    """False: its end marker is gone, and `lines` go on to the next marker or the end of the file."""
    begun: bool = True
    """False: only its end marker is there; it has no lines."""


class Document(msgspec.Struct, frozen=True):
    """`template` and `known` (names of the blocks it was written with) come from the first line; empty without it."""

    parts: tuple[Part, ...]
    template: str = ""
    fingerprint: str = ""
    known: frozenset[str] = frozenset()
    crlf: bool = False

    @property
    def blocks(self) -> dict[str, Part]:
        found: dict[str, Part] = {}
        for part in self.parts:
            if part.block and part.begun:
                found.setdefault(part.block, part)
        return found

    @property
    def ours(self) -> bool:
        """Whether it is, or was, a report of this program."""
        return bool(self.fingerprint or self.blocks)


def parse(text: str) -> Document:
    """Any text at all; line ends of any sort, with or without a byte order mark."""
    text = text.removeprefix("\ufeff")
    crlf = "\r\n" in text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    first = _FIRST.match(lines[0].strip())
    parts: list[Part] = []
    gathered: list[str] = []
    start, block, signature = 1, "", ""

    def close(ended: bool) -> None:
        if gathered or block:
            parts.append(Part(start, tuple(gathered), block, signature, ended))
        gathered.clear()

    for number, line in enumerate(lines, 1):
        if number == 1 and first is not None:
            start = 2
            continue
        mark = _MARK.match(line) if PREFIX[4:] in line else None
        if mark is None:
            gathered.append(line)
            continue
        what, name, signed = mark.groups()
        if what == "begin":
            close(ended=not block)
            block, signature = name, signed
        elif name == block:
            close(ended=True)
            block, signature = "", ""
        else:
            close(ended=not block)
            block, signature = "", ""
            parts.append(Part(number + 1, (), name, begun=False))
        start = number + 1
    close(ended=not block)
    if first is None:
        return Document(tuple(parts), crlf=crlf)
    known = frozenset((first[4] or "").split(",")) - {""}
    return Document(tuple(parts), first[2].rsplit(" ", 1)[-1] if first[1] != "1" else "", first[3], known, crlf)


def begin(name: str, lines: Iterable[str]) -> str:
    return f"{PREFIX} begin {name} {sign(lines)}".rstrip() + " -->"


def end(name: str) -> str:
    return f"{PREFIX} end {name} -->"


def first_line(incident: str, template: str, body: str, known: Iterable[str] = ()) -> str:
    """The first line of a report that the program wrote as `body`; `known` are blocks that it once had."""
    name = re.sub(r"[^A-Za-z0-9._]+|-{2,}", "-", incident)[:80].strip("-")
    template = re.sub(r"[^A-Za-z0-9._]+|-{2,}", "-", template)[:60].strip("-") or "report"
    blocks = ",".join(dict.fromkeys([*parse(body).blocks, *sorted(known)]))
    return f"{MARKER} 2 {name} {template} text {fingerprint(body)} blocks {blocks} -->\n"


def fingerprint(body: str) -> str:
    """Of everything but the generated-at line."""
    kept = "\n".join(line for line in body.split("\n") if not _GENERATED.fullmatch(line))
    return str(sha256(kept.encode()).hexdigest())[:16]


def plain(line: str) -> str:
    """A line as it is compared: editors change blanks and the width of tables."""
    return re.sub(r"-{3,}", "---", re.sub(r" ?\| ?", "|", re.sub(r"\s+", " ", line.strip())))


def compared(lines: Iterable[str]) -> list[str]:
    """The lines of a block that count: not the blank ones and not when it was made."""
    return [said for line in lines if (said := plain(line)) and not _GENERATED.fullmatch(said)]


def sign(lines: Iterable[str]) -> str:
    """Six characters a line; of many lines one for all, with a dot before it."""
    said = compared(lines)
    if len(said) > SIGNED:
        return "." + _hash("\n".join(said), 16)
    return "".join(_hash(line, _SHORT) for line in said)


def _hash(said: str, length: int) -> str:
    import base64

    return base64.urlsafe_b64encode(sha256(said.encode()).digest()).decode()[:length]


class Theirs(msgspec.Struct, frozen=True):
    """What people did to a block: lines that are not the program's, and how many of the program's are gone (None: that
    cannot be told)."""

    lines: tuple[str, ...]
    gone: int | None


def theirs(part: Part, fresh: Sequence[str]) -> Theirs:
    """`fresh`: what the program writes there now; lines of that are not people's either."""
    said = compared(part.lines)
    if part.signature and sign(part.lines) == part.signature:
        return Theirs((), 0)
    now = set(compared(fresh))
    signed = part.signature.startswith(".") or len(part.signature) % _SHORT > 0
    cut = range(0, 0 if signed else len(part.signature), _SHORT)
    written = {part.signature[at : at + _SHORT] for at in cut}
    here = {_hash(line, _SHORT) for line in said}
    kept: list[str] = []
    for line in part.lines:
        one = plain(line)
        if not one:
            if kept and kept[-1]:
                kept.append("")
        elif not (_GENERATED.fullmatch(one) or one in now or _hash(one, _SHORT) in written):
            kept.append(line.rstrip())
    while kept and not kept[-1]:
        kept.pop()
    return Theirs(tuple(kept), None if signed else len(written - here))


def fenced(lines: Sequence[str]) -> list[bool]:
    """Whether each line is in a fenced code block, its fences included."""
    found: list[bool] = []
    fence = ""
    for line in lines:
        said = line.strip()
        ticks = said[: len(said) - len(said.lstrip("`"))] or said[: len(said) - len(said.lstrip("~"))]
        if fence:
            found.append(True)
            fence = "" if said == ticks and ticks.startswith(fence) else fence
        else:
            fence = ticks if len(ticks) >= 3 else ""
            found.append(bool(fence))
    return found
