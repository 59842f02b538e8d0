"""`export` in other forms: HTML, CSV, ICS 214, without names, a part of the timeline, several incidents in one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from incident_tui.cli import reporting
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import Call, UsageError
from incident_tui.cli.searching import time_of
from incident_tui.cli.show import choose
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.report.export import ExportError, compose, write_new, write_report
from incident_tui.report.facts import entries_of
from incident_tui.report.source import Source, Style
from incident_tui.text import sanitise

_SWITCHES = ("roles", "public", "ics214", "since", "until", "pinned")


def wanted(call: Call) -> bool:
    """Whether it is more than one incident's report as it is."""
    return (
        call.options.get("format") in ("html", "csv")
        or any(name in call.options for name in _SWITCHES)
        or len(call.words) > 1
    )


def export(context: Context) -> int:
    """See the module. Exit status 1 when the file cannot be written."""
    call = context.call
    form = call.options.get("format", "md")
    if form not in ("md", "html", "csv"):
        raise UsageError(
            f"--format {sanitise(form, limit=40)}: with these options write md, html or csv; json is whole"
        )
    if call.flag("preview") or call.flag("all"):
        raise UsageError("--preview and --all stand without the other options")
    if call.flag("public"):
        call.options.setdefault("template", "public")
        call.options.update(redact="", roles="")
    style = reporting.style(context, reporting.settings(context))
    sources, label = _sources(context)
    target = call.options.get("output")
    try:
        with reporting.patterns():
            text = (_csv if form == "csv" else _documents)(context, sources, style, label)
        if form == "html":
            from incident_tui.report.as_html import page

            text = page(text, ", ".join(source.incident for source in sources))
        if target is None or target == "-":
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
            return 0
        if form == "md" and len(sources) == 1 and "ics214" not in call.options:
            full = call.flag("full")
            path = write_report(sources[0], Path(target), context.directory, full=full, style=style).path
        else:
            path = write_new(Path(target), text)
    except ExportError as error:
        raise Failure(sanitise(error.sentence, limit=1000)) from error
    print(f"wrote {sanitise(str(path))}", file=sys.stderr)
    return 0


def _sources(context: Context) -> tuple[list[Source], Callable[[str], str]]:
    """One for each incident that the words name, and what a person is called in them."""
    words = context.call.words
    first = reporting.source(context)
    ids = [first.incident, *(choose(first.fold, [word]).id for word in words[1:])]
    fold = first.fold
    label: Callable[[str], str] = str
    if context.call.flag("roles"):
        from incident_tui.report.naming import Naming

        told = [entry for one in ids for entry in entries_of(fold, fold.incident(one))]
        naming = Naming(told, context.essentials.people)
        label, fold = naming.label, Fold()
        for entry in reporting.entries(context):
            fold.apply(naming.entry(entry))
    chosen = _chosen(context)
    change = {"fold": fold, "chosen": chosen}
    return [msgspec.structs.replace(first, incident=one, **change) for one in dict.fromkeys(ids)], label


def _chosen(context: Context) -> Callable[[TimelineRow], bool] | None:
    since, until = time_of(context, "since"), time_of(context, "until")
    pinned = context.call.flag("pinned")
    if since is None and until is None and not pinned:
        return None
    return lambda row: (
        (since is None or row.at >= since) and (until is None or row.at <= until) and (not pinned or row.pinned)
    )


def _cut(source: Source, rows: Sequence[TimelineRow]) -> tuple[list[TimelineRow], int]:
    """The chosen ones, and how many are left out."""
    kept = [row for row in rows if source.chosen is None or source.chosen(row)]
    return kept, len(rows) - len(kept)


def _csv(context: Context, sources: Sequence[Source], style: Style, label: Callable[[str], str]) -> str:
    from incident_tui.report import ics214, timeline_csv
    from incident_tui.report.as_csv import as_csv

    rows: list[Sequence[object]] = []
    left = 0
    for source in sources:
        name = _responder(context, source, label)
        found = ics214.activities(source, name) if name else source.fold.incident(source.incident).rows
        kept, gone = _cut(source, found)
        rows += timeline_csv.rows(source, kept, style.redact)
        left += gone
    if left:
        print(f"{left} entries left out", file=sys.stderr)
    return as_csv(timeline_csv.HEAD, rows)


def _documents(context: Context, sources: Sequence[Source], style: Style, label: Callable[[str], str]) -> str:
    """In Markdown, one after the other."""
    from incident_tui.report import ics214

    out: list[str] = []
    people = {person.name.casefold(): person for person in context.essentials.people}
    for source in sources:
        name = _responder(context, source, label)
        if not name:
            out.append(compose(source, full=context.call.flag("full"), style=style))
            continue
        kept, gone = _cut(source, ics214.activities(source, name))
        person = None if context.call.flag("roles") else people.get(name.casefold())
        text = ics214.ics214(source, name, kept, person, style.redact)
        out.append(text + (f"\nLeft out here: {gone} not chosen.\n" if gone else ""))
    return "\n---\n\n".join(out)


def _responder(context: Context, source: Source, label: Callable[[str], str]) -> str:
    """Whose activity log it is, as the source calls them; empty: a report."""
    from incident_tui.report import ics214

    given = context.call.options.get("ics214")
    if given is None:
        return ""
    known = ics214.responders(source)
    found = [one for one in known if one.casefold() == label(given).casefold()]
    if not found:
        said = ", ".join(sanitise(one, limit=40) for one in known[:12]) or "nobody"
        raise Failure(f"--ics214 {sanitise(given, limit=40)}: no responder of {source.incident}; there is {said}", 2)
    return found[0]
