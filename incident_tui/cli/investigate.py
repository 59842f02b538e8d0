"""Commands that look closer at a machine: `changes` of the last day, `performance` as evidence."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.machines import hosts_named
from incident_tui.fleet.once import Shot, demand
from incident_tui.fleet.settings import Host
from incident_tui.hosts.changes import Changes, changes
from incident_tui.hosts.readings import LinkState
from incident_tui.hosts.sections import Section
from incident_tui.journal.errors import JournalError
from incident_tui.text import TEXT_LIMIT, redact, sanitise

SECONDS = 60.0
"""For one host's whole answer; the commands' own limits are shorter together."""


async def _ask(context: Context, hosts: list[Host], words: list[str]) -> list[Shot]:
    fleet = context.settings.fleet
    return list(await asyncio.gather(*(demand(host, fleet, context.clock, words, SECONDS) for host in hosts)))


def show_changes(context: Context) -> int:
    """The last 24 hours of the hosts named, or of all. Status 1 when a host or a source could not be read."""
    hosts = hosts_named(context, context.call.words)
    shots = asyncio.run(_ask(context, hosts, ["docker", "asked:changes"]))
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
    (shot,) = asyncio.run(_ask(context, [host], ["asked:performance"]))
    if shot.reading.link.state is not LinkState.UP:
        raise Failure(f"{shot.reading.link.sentence}; nothing was saved", 1)
    text = investigation(host.name, shot.sections, context.clock())
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


def investigation(host: str, sections: tuple[Section, ...], now: datetime) -> str:
    """What was printed, without what looks like a secret, within the size of one entry. Each section keeps its
    beginning; what is left out is said."""
    asked = [section for section in sections if section.name.startswith("asked:")]
    head = f"performance of {host} at {now:%Y-%m-%d %H:%M:%SZ}"
    room = (TEXT_LIMIT - len(head) - 10) // max(1, len(asked)) - 80
    parts, hidden = [head], 0
    for section in asked:
        name = section.name.removeprefix("asked:")
        body, count = redact(sanitise(section.body.strip(), lines=True))
        hidden += count
        if section.timed_out:
            body = f"{body}\nno answer within {section.limit:.0f} s".strip()
        elif section.rc and not body:
            body = f"not available (status {section.rc})"
        kept = body[:room].rpartition("\n")[0] if len(body) > room else body
        left = body[len(kept) :].count("\n")
        parts.append(f"== {name}\n{kept}" + (f"\n… {left} more lines left out" if left else ""))
    if hidden:
        parts.append(f"({hidden} redacted)")
    return "\n".join(parts)
