"""Commands about many incidents: follow-ups, stats, digest. They read the journal, and of the configuration rosters."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from incident_tui.cli import reporting
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.cli.searching import time_of
from incident_tui.incident.roster import shifts
from incident_tui.report import digest, follow_ups, stats
from incident_tui.report.as_html import page
from incident_tui.report.export import ExportError, write_new
from incident_tui.text import sanitise


def list_follow_ups(context: Context) -> int:
    """`follow-ups`; 1 when one is overdue."""
    options = context.call.options
    form = options.get("format", "text")
    if form not in ("text", "csv", "github", "gitlab"):
        raise UsageError(f"--format {sanitise(form, limit=40)}: write text, csv, github or gitlab")
    redact = reporting.style(context, reporting.settings(context)).redact
    with context.store(create=False) as store, reporting.patterns():
        items = follow_ups.follow_ups(context.fold(store).incidents(), store.handle, context.clock(), redact)
    owner = options.get("owner", "").casefold()
    done = context.call.flag("done")
    items = [one for one in items if (done or one.done_at is None) and (not owner or one.owner.casefold() == owner)]
    if context.call.flag("json"):
        _out(msgspec.json.format(msgspec.json.encode(items), indent=2).decode() + "\n")
    elif form == "csv":
        _out(follow_ups.to_csv(items))
    elif form == "text":
        _out("".join(line + "\n" for line in follow_ups.lines(items)) or "no follow-up is open\n")
    else:
        _out(follow_ups.to_issues(items, form))
    return 1 if any(one.overdue for one in items) else 0


def show_stats(context: Context) -> int:
    """`stats`."""
    since, until = time_of(context, "since"), time_of(context, "until")
    with context.store(create=False) as store:
        found = stats.stats(context.fold(store).incidents(), context.clock(), since, until)
    if context.call.flag("json"):
        _out(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    else:
        _out("\n".join(stats.lines(found)) + "\n")
    return 0


def show_digest(context: Context) -> int:
    """`digest --week W`."""
    options, now = context.call.options, context.clock()
    form, said = options.get("format", "md"), options.get("week", "this")
    if form not in ("md", "html"):
        raise UsageError(f"--format {sanitise(form, limit=40)}: write md or html")
    week = digest.week_of(said, now)
    if week is None:
        raise UsageError(f"--week {sanitise(said, limit=40)}: write this, last, one such as 2026-W48, or a day in it")
    turns = [one for roster in context.settings.rosters for one in shifts(roster, week.since, week.until)]
    redact = reporting.style(context, reporting.settings(context)).redact
    with context.store(create=False) as store, reporting.patterns():
        fold = context.fold(store)
        facts = digest.gather(
            fold.incidents(),
            fold.loose(week.since),
            turns,
            store.handle,
            week,
            now,
            redact,
            context.essentials.journal.keep,
        )
        made = digest.markdown(facts)
    if context.demo:
        made = made.replace("\n", "\n\nDEMO: recorded against embedded machines.\n", 1)
    made = page(made, f"Week {week.name}") if form == "html" else made
    target = options.get("output")
    if target is None or target == "-":
        _out(made)
        return 0
    try:
        path = write_new(Path(target), made)
    except ExportError as error:
        raise Failure(sanitise(error.sentence)) from error
    print(f"wrote {sanitise(str(path))}", file=sys.stderr)
    return 0


def _out(text: str) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
