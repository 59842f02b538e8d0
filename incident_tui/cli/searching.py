"""The command search: entries of all incidents by words, kind, author, host and time. No fold is needed for it."""

from __future__ import annotations

import sys
from datetime import datetime

import msgspec

from incident_tui.cli import show
from incident_tui.cli.context import Context, Failure
from incident_tui.incident.filter import KINDS, Filter
from incident_tui.incident.views import TimelineRow
from incident_tui.incident.when import read_time
from incident_tui.journal.errors import JournalError
from incident_tui.journal.retention import files
from incident_tui.journal.search import MOST, Search, search, words_of
from incident_tui.journal.store import Store
from incident_tui.mistakes import nearest
from incident_tui.text import sanitise


def find(context: Context) -> int:
    """`search [WORDS...]`; 1 when nothing was found."""
    call = context.call
    asked = _asked(context)
    limit = call.number("limit", MOST) or MOST
    with context.store(create=False) as store:
        try:
            found = search(store, asked, int(limit))
        except JournalError as error:
            raise Failure(error.sentence) from error
        if call.flag("json"):
            rows = [row_fields(row, store) for row in found.rows]
            print(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        else:
            for row in found.rows:
                print(_line(row, store))
            if found.more:
                print(f"there are more; --limit {2 * int(limit)} shows further ones")
        away = files(store)
    if away:
        names = ", ".join(sanitise(name, limit=80) for name in sorted(away))
        print(
            f"incident-tui: {sum(away.values())} entries are in archives, which are not searched: {names}",
            file=sys.stderr,
        )
    return 0 if found.rows else 1


def row_fields(row: TimelineRow, store: Store) -> dict[str, object]:
    """The fields of `search --json`: those of `show --json`, and the incident."""
    return {"incident": row.entry.incident} | show.row_fields(row, store)


def _asked(context: Context) -> Search:
    options, words = context.call.options, context.call.words
    kinds = tuple(one for one in options.get("kind", "").casefold().split(",") if one)
    for kind in kinds:
        if kind not in KINDS:
            raise Failure(f"--kind {sanitise(kind, limit=40)}: there is no such kind; {nearest(kind, KINDS)}", 2)
    wanted = Filter(
        kinds=kinds,
        by=tuple(one.casefold() for one in (options.get("by"),) if one),
        hosts=tuple(one.casefold() for one in (options.get("host"),) if one),
        words=tuple(words_of(" ".join(words).casefold())),
    )
    if not wanted and not options.keys() & {"since", "until", "incident"}:
        raise Failure("search for what? incident-tui search glusterd restart --kind action", 2)
    since, until = time_of(context, "since"), time_of(context, "until")
    return Search(
        wanted=wanted,
        since=since,
        until=until,
        incident=options.get("incident", ""),
        struck=context.call.flag("struck"),
    )


def time_of(context: Context, name: str) -> datetime | None:
    """The option `name`: a time of the prompt's grammar, or a day of the calendar (UTC); None when not given."""
    given = context.call.options.get(name)
    if given is None:
        return None
    now = context.clock()
    try:
        day = datetime.fromisoformat(given)
        return day.replace(tzinfo=day.tzinfo or now.tzinfo)
    except ValueError:
        pass
    stamp = read_time(given if given.startswith(("-", "@")) else f"@{given}", now)
    if stamp is None:
        raise Failure(f"--{name} {sanitise(given, limit=40)}: write 14:05, -30m, -24h or 2026-11-23", 2)
    return stamp.at


def _line(row: TimelineRow, store: Store) -> str:
    marks = " (struck)" * row.struck + " (amended)" * bool(row.amended)
    who = row.entry.author.name + ("?" if row.claimed else "")
    word = "" if row.word == "NOTE" else row.word + " "
    where = row.entry.incident or "-"
    return f"{store.handle(row.ref):>5} {row.at:%Y-%m-%d %H:%M:%S}{marks} {where} {who}  {word}{row.text}"
