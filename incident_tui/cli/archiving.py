"""`export --all --format json` and its way back: a whole journal as one document."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.journal import archive
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.report.export import ExportError, write_new
from incident_tui.text import sanitise


def export_all(context: Context, target: str | None) -> int:
    """The whole journal, to standard output or a new file."""
    if context.call.options.get("format") != "json" or context.call.words:
        raise UsageError("export --all is the whole journal: incident-tui export --all --format json [-o FILE]")
    with context.store(create=False) as store:
        try:
            pieces = archive.write(store, context.clock())
            if target is None or target == "-":
                sys.stdout.flush()
                for piece in pieces:
                    sys.stdout.buffer.write(piece.encode())
                sys.stdout.buffer.flush()
                return 0
            path = write_new(Path(target), "".join(pieces))
        except (JournalError, ExportError) as error:
            raise Failure(sanitise(error.sentence)) from error
    print(f"wrote {sanitise(str(path))}; nothing in it is redacted", file=sys.stderr)
    return 0


def import_journal(context: Context, path: str, raw: bytes | None) -> int:
    """Make the journal of a document, checked by its chain, and by --head."""
    name = sanitise(path, limit=300)
    heads = _heads(context)
    try:
        read = archive.read(Path(os.path.expanduser(path)).read_bytes() if raw is None else raw, heads)
        if context.call.flag("dry-run"):
            print(f"nothing was imported: {len(read.entries)} entries; the chain holds; head {read.head}")
            return 0
        with context.store() as store:
            added = archive.restore(store, read)
        with context.store() as store:
            verdict = store.verify(heads)
    except JournalError as error:
        raise Failure(f"{name}: {error.sentence}") from error
    if not verdict.ok:
        raise Failure(f"{name} was imported, but {verdict.problems[0].sentence}")
    print(f"{added} entries added, {len(read.entries) - added} here already; the chain holds; head {verdict.head}")
    return 0


def _heads(context: Context) -> tuple[Head, ...]:
    said = context.call.options.get("head")
    try:
        return () if said is None else (Head.parse(said),)
    except ValueError as error:
        raise UsageError(f"--head: {sanitise(str(error), limit=160)}") from error
