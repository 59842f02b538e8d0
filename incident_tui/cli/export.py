"""`incident-tui export`: the report on standard output or in a file. Imports neither the screen nor asyncio."""

from __future__ import annotations

import sys
from pathlib import Path

from incident_tui import __version__
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.cli.show import choose
from incident_tui.report.export import ExportError, Form, compose, write_report
from incident_tui.report.source import Source
from incident_tui.text import sanitise
from incident_tui.watch.chat.reading import delivered


def export(context: Context) -> int:
    """`export [INCIDENT] [--full] [--format md|json] [-o FILE]`. Exit status 1 when the file cannot be written."""
    form = _form(context)
    target = context.call.options.get("output")
    if target is not None and not target:
        raise UsageError("--output needs the name of a file; without --output the report goes to standard output")
    if context.call.flag("all"):
        from incident_tui.cli.archiving import export_all

        return export_all(context, target)
    full = context.call.flag("full")
    with context.store(create=False) as store:
        fold = context.fold(store)
        source = Source(
            fold=fold,
            incident=choose(fold, context.call.words).id,
            head=store.head(),
            handle=store.handle,
            now=context.clock(),
            demo=context.demo,
            version=__version__,
            deliveries=delivered(context.directory),
        )
    if target is None or target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(compose(source, full=full, form=form).encode())
        sys.stdout.buffer.flush()
        return 0
    try:
        written = write_report(source, Path(target), context.directory, full=full, form=form)
    except ExportError as error:
        raise Failure(sanitise(error.sentence)) from error
    print("; ".join((f"wrote {sanitise(str(written.path))}", *written.notes)), file=sys.stderr)
    return 0


def _form(context: Context) -> Form:
    given = context.call.options.get("format", "md")
    if given == "md":
        return "md"
    if given == "json":
        return "json"
    raise UsageError(f"--format {sanitise(given, limit=40)}: write md or json")
