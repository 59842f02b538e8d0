"""Commands that look closer at a machine: `changes` of the last day, `performance` as evidence."""

from __future__ import annotations

import asyncio

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.machines import hosts_named
from incident_tui.desk.investigation import investigation
from incident_tui.fleet.once import Shot, demand
from incident_tui.fleet.settings import Host
from incident_tui.hosts.changes import Changes, changes
from incident_tui.hosts.readings import LinkState
from incident_tui.journal.errors import JournalError
from incident_tui.text import sanitise
from incident_tui.watch.answers import CHANGES, PERFORMANCE, SECONDS, answer


async def _ask(context: Context, hosts: list[Host], words: list[str]) -> list[Shot]:
    fleet = context.settings.fleet
    return list(await asyncio.gather(*(demand(host, fleet, context.clock, words, SECONDS) for host in hosts)))


def show_changes(context: Context) -> int:
    """The last 24 hours of the hosts named, or of all. Status 1 when a host or a source could not be read."""
    hosts = hosts_named(context, context.call.words)
    shots = asyncio.run(_ask(context, hosts, ["docker", f"asked:{CHANGES}"]))
    now = context.clock()
    found: list[Changes] = []
    silent: list[str] = []
    for shot in shots:
        reading = shot.reading
        if reading.link.state is LinkState.UP:
            found.append(changes(reading.host, shot.sections, reading.docker, reading.clock, now))
        else:
            silent.append(reading.link.sentence)
    if context.call.flag("json"):
        print(msgspec.json.format(msgspec.json.encode({"changes": found, "not_read": silent}), indent=2).decode())
    else:
        for row in sorted((row for one in found for row in one.rows), key=lambda row: row.at, reverse=True):
            about = " " if row.exact else "~"
            print(f"{about}{row.at:%Y-%m-%d %H:%M:%SZ}  {row.host}  {row.what}")
        if found and not any(one.rows for one in found):
            print("nothing found that changed in the last 24 h")
        for one in found:
            if one.unread:
                print(f"not read on {one.host}: {', '.join(one.unread)}")
        for sentence in silent:
            print(f"not read: {sanitise(sentence)}")
    return 1 if silent or any(one.unread for one in found) else 0


def performance(context: Context) -> int:
    """One look at a host's load, saved as one evidence entry; its handle is printed after the commit."""
    (host,) = hosts_named(context, context.call.words)
    (shot,) = asyncio.run(_ask(context, [host], [f"asked:{PERFORMANCE}"]))
    if shot.reading.link.state is not LinkState.UP:
        raise Failure(f"{shot.reading.link.sentence}; nothing was saved", 1)
    found = answer(host.name, PERFORMANCE, shot.sections, shot.reading, context.clock())
    text = investigation(host.name, found.sections, found.at)
    if context.call.flag("dry-run"):
        print(text)
        return 0
    with context.store() as store:
        outcome = context.desk(store).keep_paste(text)
        if outcome.refusal or outcome.saving is None:
            print(text)
            raise Failure(f"not saved: {outcome.refusal}", 1)
        try:
            entries = outcome.saving.result()
        except JournalError as error:
            print(text)
            raise Failure(f"NOT SAVED: {error.sentence} What was read is above.", 1) from error
        for entry in entries:
            print(store.handle(entry))
    return 0
