"""Nothing reaches a report unescaped: all that a template prints passes `Shown.show`, without its author's doing.

Only `Safe` passes as it is, and only this module and the template machinery make it. Every operation on a `Safe`
(`~`, a slice, `upper`) gives a plain `str`, which is escaped again: the mistake one can make is a backslash too many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from jinja2 import Undefined

from incident_tui import text
from incident_tui.incident.entry import Author, Ref, utc
from incident_tui.report.document import PREFIX, begin, end

Redact = Callable[[str], tuple[str, int]]
"""A text -> the text without what must not leave the journal, and how many parts of it were replaced."""


class Safe(str):
    """Markdown made by us, or foreign text that was escaped."""

    __slots__ = ()


def join(parts: Iterable[str]) -> Safe:
    """What Jinja uses to put together the output of a template, block or macro, whose parts have all been shown."""
    return Safe("".join(parts))


def span(value: timedelta) -> str:
    """Exact to the second and never wrapped: "41 min", "1 d 2 h 3 s"; negative ones with a minus."""
    seconds = int(abs(value).total_seconds())
    sign = "-" if value < timedelta(0) and seconds else ""
    parts = (
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    return sign + (" ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s")


def stamp(value: datetime) -> Safe:
    """Date, time and zone: UTC, to the second."""
    return Safe(f"{utc(value):%Y-%m-%d %H:%M:%SZ}")


def clock(value: datetime) -> Safe:
    """The time of the day, for where the date stands above."""
    return Safe(f"{utc(value):%H:%M:%S}")


def day(value: datetime) -> Safe:
    """The date."""
    return Safe(f"{utc(value):%Y-%m-%d}")


def first_upper(value: str) -> str:
    """The first letter in upper case, the others as they are."""
    return value[:1].upper() + value[1:]


class Shown:
    """How each type looks in a report. `handle` gives the short name of an entry, `redact` takes out what must not
    leave the journal."""

    def __init__(self, handle: Callable[[Ref], str], redact: Redact = text.redact) -> None:
        self.handle = handle
        self._redact = redact
        self.foreign = lru_cache(maxsize=4096)(self._foreign)
        self.markdown = lru_cache(maxsize=4096)(self._markdown)

    def _foreign(self, value: str, lines: bool = False) -> str:
        """Sanitised once more (another program may have written the journal) and redacted; not escaped."""
        return self._redact(text.sanitise(value, lines=lines))[0]

    def _markdown(self, value: str) -> Safe:
        """One line of foreign text for a paragraph, a list item or a cell."""
        return Safe(text.markdown(self.foreign(value)))

    def code(self, value: object, cell: bool = True) -> Safe:
        """Foreign text as a code span. Outside a table `cell` is false, or a "|" shows a backslash.

        Parsers disagree about a backslash before a "|" in a code span of a cell, so there it is no code span.
        """
        said = self.foreign(str(value))
        return self.markdown(said) if cell and "\\|" in said else Safe(text.code(said, cell=cell))

    def fence(self, value: object) -> Safe:
        """Foreign lines as a fenced block. It begins and ends its own lines, and none looks like our marker."""
        said = self.foreign(str(value), lines=True)
        return Safe(text.fence(said.replace(PREFIX, PREFIX.replace("<!", "< !"))))

    def show(self, value: Any) -> Safe:
        """The `finalize` of the templates."""
        if type(value) is Safe:
            return value
        if isinstance(value, Undefined):
            return Safe(str(value))  # raises, and names what is missing
        if isinstance(value, str):
            return self.markdown(str(value))
        if value is None:
            return Safe("")
        if isinstance(value, bool):
            return Safe("yes" if value else "no")
        if isinstance(value, datetime):
            return stamp(value)
        if isinstance(value, date):
            return Safe(value.isoformat())
        if isinstance(value, timedelta):
            return Safe(span(value))
        if isinstance(value, Ref):
            return self.markdown(self.handle(value))
        if isinstance(value, Author):
            return Safe(self.markdown(value.name) + ("" if value.proven else "?"))
        return self.markdown(str(value))

    @property
    def filters(self) -> dict[str, Callable[..., Any]]:
        """For templates, beside Jinja's own."""
        return {
            "clock": clock,
            "day": day,
            "stamp": stamp,
            "code": self.code,
            "fence": self.fence,
            "all": self.all,
            "first_upper": first_upper,
        }

    def all(self, values: Iterable[Any], between: str = ", ") -> Safe:
        """Each value shown, with ours between them."""
        return Safe(between.join(self.show(value) for value in values))


def machine(name: str, caller: Callable[[], str]) -> Safe:
    """`{% call machine("times") %} … {% endcall %}` in a template: what stands between is renewed by the next export;
    all outside is people's. Raises ValueError for a name that is not lower case letters, digits and "-"."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", name):
        raise ValueError(f"machine({name[:40]!r}): the name is a word of lower case letters, digits and -")
    body = str(caller()).strip("\n")
    return Safe(f"{begin(name, body.splitlines())}\n\n{body}\n\n{end(name)}\n")
