"""The report as Markdown (CommonMark with GFM tables).

Its first line is a comment that says whose report it is and carries a fingerprint of what follows, so that an export
to the same file can tell its own output from a text that people have worked on. That is then merged (`merge`).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import msgspec

from incident_tui.report.document import MARKER, Document, fingerprint, first_line, parse
from incident_tui.report.facts import gather
from incident_tui.report.merge import Merged, merge
from incident_tui.report.sections import SECTIONS, answered
from incident_tui.report.source import PLAIN, Source, Style
from incident_tui.report.template import SHIPPED, SUFFIX, TEMPLATES, BrokenTemplate, Templates

__all__ = ["MARKER", "Made", "make", "render", "untouched"]


class Made(msgspec.Struct, frozen=True):
    """`merged` is None unless people had worked on the report before."""

    text: str
    merged: Merged | None = None


def render(source: Source, *, full: bool = False, style: Style = PLAIN) -> str:
    """The report: one page, or with `full` every section that the entries or people can fill. Raises
    BrokenTemplate."""
    return make(source, full=full, style=style).text


def make(source: Source, *, full: bool = False, style: Style = PLAIN, old: str = "") -> Made:
    """As `render`, into `old`, a report that people may have worked on. Raises BrokenTemplate, also when the template
    does not say what in it is the program's and `old` was edited."""
    name, file, directory = _template(style, full)
    edited: Document | None = parse(old) if old and not untouched(old) else None
    redact = lru_cache(maxsize=2**15)(style.redact)  # most texts stand in several sections
    templates = Templates(source.handle, directory, redact)
    body = templates.fill_theirs(
        file,
        facts=gather(source, full=full or name == "full", redact=redact),
        sections=SECTIONS,
        answered=answered(edited) if edited is not None else frozenset(),
    )
    if edited is None:
        return Made(first_line(source.incident, name, body) + body)
    if not parse(body).blocks:
        raise BrokenTemplate(
            f'the template {name} does not say with {{% call machine("NAME") %}} what in it is the program\'s, so it '
            f"cannot be merged with what people wrote. Name another file."
        )
    merged = merge(edited, body, name)
    # The fingerprint is that of the program's own text, which a merged one only is when nothing of theirs is left.
    text = first_line(source.incident, name, body, edited.known) + merged.body
    return Made(text.replace("\n", "\r\n") if edited.crlf else text, merged)


def _template(style: Style, full: bool) -> tuple[str, str, Path]:
    """Its name, the file's name, and the directory that is looked in before the shipped ones."""
    wanted = os.path.expanduser(style.template) or ("full" if full else "page")
    own = Path(style.directory) if style.directory else TEMPLATES
    if "/" not in wanted and not wanted.endswith(".j2"):
        if wanted in SHIPPED or (own / (wanted + SUFFIX)).is_file():
            return wanted, wanted + SUFFIX, own
        others = sorted({*SHIPPED, *(path.name.removesuffix(SUFFIX) for path in _others(own))})
        raise BrokenTemplate(f"there is no template {wanted[:60]}; there are {', '.join(others)}, or name a file.")
    path = Path(wanted).absolute()
    if not path.is_file():
        raise BrokenTemplate(f"{path}: there is no such file.")
    return path.name.removesuffix(".j2").removesuffix(".md").replace(" ", "-"), path.name, path.parent


def _others(own: Path) -> list[Path]:
    return [] if own == TEMPLATES else [path for path in own.glob("*" + SUFFIX) if path.is_file()]


def untouched(report: str) -> bool:
    """Whether a text is a report as this program wrote it, and nobody has changed it since."""
    document = parse(report) if report.startswith(MARKER) else None
    return document is not None and document.fingerprint == fingerprint(report[report.find("\n") + 1 :])
