"""What export and report share: the [report] table of config.toml, read without the others, and how it makes a report.

A mistake in the table of a host is no reason why a report cannot be written, so only what every command needs and this
table are read here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from functools import partial

from incident_tui import __version__
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.show import choose
from incident_tui.essentials import ConfigError, Essentials, convert, decode, read
from incident_tui.incident.entry import Entry
from incident_tui.journal.everything import handle, parts
from incident_tui.report.redacting import BadPattern
from incident_tui.report.settings import Report, absolute
from incident_tui.report.source import Source, Style
from incident_tui.text import sanitise
from incident_tui.watch.chat.reading import delivered


class _File(Essentials, frozen=True, kw_only=True):
    report: Report = Report()


def settings(context: Context) -> Report:
    """[report], checked. Raises Failure."""
    path = context.config_path
    if path is None:
        return Report()
    try:
        found = convert(decode(read(path), path), _File, path).report
        if found.redact or found.skip:
            from incident_tui.config import check_report

            check_report(found, path)
    except ConfigError as error:
        raise Failure(error.sentence, 2) from error
    return absolute(found, os.path.dirname(os.path.abspath(path)))


def style(context: Context, report: Report) -> Style:
    """From [report] and the options template, full and redact of the command."""
    from incident_tui.report.redacting import style_of

    template = context.call.options.get("template", "" if context.call.flag("full") else None)
    return style_of(report, template, context.call.flag("redact"))


@contextlib.contextmanager
def patterns() -> Iterator[None]:
    """A pattern of [report] that is wrong or takes too long is one sentence. Raises Failure."""
    try:
        yield
    except BadPattern as error:
        raise Failure(f"[report] redact[{error.number}]: {error.sentence}") from error


def entries(context: Context) -> list[Entry]:
    """All that the reports of this command are made of."""
    if "archive" in context.call.options:
        from incident_tui.cli.archive import opened

        return opened(context)[1].entries
    with context.store(create=False) as store:
        return store.read_all()[0]


def source(context: Context) -> Source:
    """The incident that the command's words name, from the whole journal, or from an archive file."""
    if "archive" in context.call.options:
        from incident_tui.cli.archive import opened

        kept, file = opened(context)
        return Source(
            fold=kept,
            incident=choose(kept, context.call.words).id,
            head=file.head,
            handle=file.handle,
            now=context.clock(),
            demo=context.demo,
            version=__version__,
        )
    with context.store(create=False) as store:
        fold = context.fold(store)
        incident = choose(fold, context.call.words)
        if files := sorted({row.entry.archive for row in incident.rows if row.entry.archive}):
            names = ", ".join(sanitise(name, limit=80) for name in files)
            print(f"incident-tui: most of {incident.id} is in an archive ({names}): --archive FILE", file=sys.stderr)
        return Source(
            fold=fold,
            incident=incident.id,
            head=store.head(),
            journals=parts(store),
            unread=store.others_problem,
            handle=partial(handle, store.letters()),
            now=context.clock(),
            demo=context.demo,
            version=__version__,
            deliveries=delivered(context.directory),
        )
