"""Rows as CSV for a spreadsheet, which must not compute what somebody typed into an incident."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from incident_tui.text import sanitise

_FORMULA: Final = tuple("=+-@\t\r＝＋－＠|%")
"""What a cell may begin with to be computed, in one spreadsheet or another (OWASP, "CSV Injection")."""


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180 with each cell quoted. A cell that would be a formula gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue()


def cell(value: object) -> str:
    """One cell, of several lines where the text has them. Numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    said = sanitise(str(value), lines=True)
    return "'" + said if said.lstrip(" \n").startswith(_FORMULA) else said
