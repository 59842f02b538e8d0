"""Lines being written at one width: heads, wrapped text, names with values. What is opened is made of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from incident_tui.hosts.judge import together
from incident_tui.incident.finding import Finding
from incident_tui.ui.lines import LEVEL_STYLE, SYMBOL, Line, Look, Piece, fit, wrap
from incident_tui.ui.times import short


class Page:
    """Lines being written at one width."""

    def __init__(self, width: int, look: Look) -> None:
        self.width = width
        self.look = look
        self.lines: list[Line] = []

    def head(self, text: str, style: str = "strong") -> None:
        self.text(text, style)

    def text(self, text: str, style: str = "", indent: int = 1, hang: int = 0) -> None:
        """Wrapped; the lines after the first stand `hang` columns further in."""
        room = max(8, self.width - indent - 1)
        for number, part in enumerate(wrap(self.look.text(text, lines=True), room, max(8, room - hang))):
            margin = " " * (indent + (hang if number else 0))
            self.lines.append(fit([(margin, ""), (part, style)], self.width, self.look))

    def field(self, name: str, value: str, style: str = "") -> None:
        """A name and a value that hangs below itself when it is long."""
        column = 13
        parts = wrap(self.look.text(value, lines=True), self.width - column - 1, self.width - column - 1)
        self.lines.append(fit([(f" {name:<{column - 1}}", ""), (parts[0], style)], self.width, self.look))
        for part in parts[1:]:
            self.lines.append(fit([(" " * column, ""), (part, style)], self.width, self.look))

    def gap(self) -> None:
        self.lines.append(fit([], self.width))

    def findings(self, found: Iterable[Finding], now: datetime) -> None:
        for one in together(list(found)):
            style = LEVEL_STYLE[one.level]
            self.text(f"{SYMBOL[one.level]} {one.sentence}", style, hang=2)
            self.text(f"{one.evidence}, read {short(now - one.at)} ago ({one.rule})", indent=3)


def list_lines(title: str, rows: Sequence[tuple[str, str]], width: int, look: Look) -> list[Line]:
    """A titled list of names with words."""
    page = Page(width, look)
    page.head(title)
    for name, words in rows:
        page.text(f"{name}  {words}".rstrip())
    if not rows:
        page.text("none")
    return page.lines


def titled(title: str, hint: str, width: int, look: Look) -> Line:
    """The first line of what is open over the timeline."""
    pieces: list[Piece] = [(f" {look.text(title)} ", "chosen"), (f" {hint}", "")]
    return fit(pieces, width, look)
