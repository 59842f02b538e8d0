"""`incident-tui export`: the report on standard output or in a file. Imports neither the screen nor asyncio."""

from __future__ import annotations

import sys
from pathlib import Path

from incident_tui.cli import forms, reporting
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.report.export import ExportError, Form, compose, write_report
from incident_tui.report.source import Source, Style
from incident_tui.text import sanitise


def export(context: Context) -> int:
    """`export [INCIDENT] [--template NAME] [--redact] [--preview] [--format md|json] [-o FILE]`. Exit status 1 when the
    report cannot be made or the file cannot be written."""
    call = context.call
    if call.options.get("format") == "journal":
        from incident_tui.cli.carrying import export_records

        return export_records(context, call.options.get("output"))
    if forms.wanted(call):
        return forms.export(context)
    form = _form(context)
    target = call.options.get("output")
    if target is not None and not target:
        raise UsageError("--output needs the name of a file; without --output the report goes to standard output")
    if form == "json" and (call.flag("redact") or "template" in call.options):
        raise UsageError("--format json keeps everything, for moving it: --redact and --template are for Markdown")
    if call.flag("all"):
        from incident_tui.cli.archiving import export_all

        return export_all(context, target)
    full = call.flag("full")
    settings = reporting.settings(context)
    style = reporting.style(context, settings)
    source = reporting.source(context)
    try:
        if call.flag("preview"):
            return _preview(source, style)
        if target is None or target == "-":
            text = compose(source, full=full, form=form, style=style)
            sys.stdout.flush()
            sys.stdout.buffer.write(text.encode())
            sys.stdout.buffer.flush()
            return 0
        written = write_report(source, Path(target), context.directory, full=full, form=form, style=style)
    except ExportError as error:
        raise Failure(sanitise(error.sentence, limit=1000)) from error
    print("; ".join((f"wrote {sanitise(str(written.path))}", *written.notes)), file=sys.stderr)
    return 0


def _preview(source: Source, style: Style) -> int:
    """What would be taken out of the report, for the eyes of whoever makes it."""
    from incident_tui.report.facts import entries_of
    from incident_tui.report.redacting import preview

    entries = entries_of(source.fold, source.fold.incident(source.incident))
    gone = list(preview(entries, style.redact))
    for one in gone:
        part = one.part if len(one.part) <= 80 else f"{one.part[:79]}…"
        print(sanitise(f"{source.handle(one.ref)} {one.field}: {one.before}>>>{part}<<<{one.after}"))
    print(
        f"{len(gone)} parts of {len({one.ref for one in gone})} entries would go; the journal keeps them",
        file=sys.stderr,
    )
    return 0


def _form(context: Context) -> Form:
    given = context.call.options.get("format", "md")
    if given == "md":
        return "md"
    if given == "json":
        return "json"
    raise UsageError(f"--format {sanitise(given, limit=40)}: write md, html, csv, json or journal")
