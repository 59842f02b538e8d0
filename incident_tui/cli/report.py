"""`incident-tui report`: `check` lints a report, `fields` documents what templates can print."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from incident_tui.cli import reporting
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from incident_tui.report.rules import Row


def report(context: Context) -> int:
    """`report check [FILE|INCIDENT] [--rules]`, `report fields`. Exit status 1 when a rule is broken."""
    words = context.call.words
    if words[:1] == ["fields"] and len(words) == 1:
        from incident_tui.report.fields import fields

        print(fields(), end="")
        return 0
    if words[:1] == ["check"] and len(words) <= 2:
        return _rules(context) if context.call.flag("rules") else _check(context, words[1] if words[1:] else "")
    raise UsageError("write `report check [FILE|INCIDENT]` or `report fields`")


def _rules(context: Context) -> int:
    from incident_tui.report.rules import RULES

    skipped = reporting.settings(context).skip
    if context.call.flag("json"):
        listed = [
            {"rule": name, "what": rule.what, "source": rule.source, "skipped": name in skipped}
            for name, rule in RULES.items()
        ]
        print(msgspec.json.format(msgspec.json.encode(listed), indent=2).decode())
        return 0
    for name, rule in RULES.items():
        print(f"{name}{' (skipped)' if name in skipped else ''}: {rule.what}\n    {rule.source}")
    return 0


def _check(context: Context, place: str) -> int:
    from incident_tui.report.document import parse
    from incident_tui.report.rules import Report, check, rows_of

    settings = reporting.settings(context)
    file = bool(place) and (os.path.lexists(place) or "/" in place or place.endswith(".md"))
    text = _read(place) if file else _made(context, place)
    document = parse(text)
    if file and not document.ours:
        raise Failure(f"{sanitise(place)} is not a report of this program; `export -o FILE` makes one", 2)
    rows = rows_of(document)
    flaws = check(Report(document, rows, _known(context, rows)), settings.skip)
    name = sanitise(place) if file else "report"
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode(flaws), indent=2).decode())
    else:
        for flaw in flaws:
            print(f"{name}:{flaw.line}: {flaw.rule}: {sanitise(flaw.sentence)}")
        left = f", {len(settings.skip)} rules skipped" if settings.skip else ""
        print(f"{len(flaws)} to mend{left}" if flaws else f"nothing to mend{left}", file=sys.stderr)
    return 1 if flaws else 0


def _read(place: str) -> str:
    try:
        with open(place, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError as error:
        raise Failure(f"{sanitise(place)} cannot be read: {error.strerror}", 2) from error


def _made(context: Context, incident: str) -> str:
    """The full report, as it would be exported now."""
    from incident_tui.report.export import ExportError, compose
    from incident_tui.report.source import Style

    context.call.words[:] = [incident] if incident else []
    try:
        return compose(reporting.source(context), style=Style(template="full"))
    except ExportError as error:
        raise Failure(sanitise(error.sentence)) from error


def _known(context: Context, rows: Sequence[Row]) -> Callable[[str], bool] | None:
    """Whether the journal has a handle; None where there is no journal, so that a report can be checked elsewhere."""
    named = {handle for row in rows for handle in re.findall(r"\b[a-z]\d{1,7}\b", "" if row.block else row.said)}
    try:
        with context.store(create=False) as store:
            here = {handle for handle in named if store.find(handle) is not None}
    except Failure:
        return None
    return here.__contains__
