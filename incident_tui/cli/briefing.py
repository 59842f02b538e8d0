"""Commands for who comes in, takes over, or has nothing but paper: brief, handoff, card. They ask no host, but for
`card --hosts`, which leaves the card on each; `card --chat` leaves it to the watch to post it."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.show import choose
from incident_tui.cli.status import board_now
from incident_tui.desk.open import new_id
from incident_tui.incident.entry import Draft, Kind
from incident_tui.incident.roster import on_call_now
from incident_tui.incident.views import Incident
from incident_tui.incident.when import read_time
from incident_tui.journal.errors import JournalError
from incident_tui.journal.lease import Lease
from incident_tui.report.brief import brief as brief_lines
from incident_tui.report.card import card as card_text
from incident_tui.report.card import for_chat
from incident_tui.report.export import ExportError, write_new
from incident_tui.report.handoff import handoff as handoff_text
from incident_tui.report.standing import Standing
from incident_tui.text import sanitise
from incident_tui.ui.view import WATCH_STALE
from incident_tui.watch.chat.compose import CARD, takes_card

if TYPE_CHECKING:
    from incident_tui.incident.finding import Finding
    from incident_tui.incident.settings import Roster
    from incident_tui.journal.store import Store


CARD_FILE = "incident-tui-card.txt"


def brief(context: Context) -> int:
    """`brief [INCIDENT] [--since TIME|last]`: at most 24 lines of 80 columns."""
    with context.store(create=False) as store:
        incident = choose(context.fold(store), context.call.words)
        lines = brief_lines(standing(context, store, incident, since=_since(context)))
    print("\n".join(lines))
    return 0


def handoff(context: Context) -> int:
    """`handoff NAME [-o FILE]`: offers command to NAME, and writes the briefing."""
    name = context.call.words[0]
    with context.store() as store:
        desk = context.desk(store)
        outcome = desk.carry_out(f"/handoff {name}", confirmed=True)
        if outcome.refusal or outcome.saving is None:
            raise Failure(f"not saved: {outcome.refusal}")
        try:
            entries = outcome.saving.result()
        except JournalError as error:
            raise Failure(f"NOT SAVED: {error.sentence}") from error
        desk.settle()
        incident = desk.fold.incident(entries[0].incident)
        to = str(entries[0].data.get("who", name))
        text = handoff_text(standing(context, store, incident), to)
    print(outcome.notice, file=sys.stderr)
    return _out(context, text)


def card(context: Context) -> int:
    """`card [INCIDENT] [-o FILE] [--hosts] [--chat]`, and `card --import FILE`."""
    source = context.call.options.get("import")
    if source is not None:
        from incident_tui.cli.importing import import_from

        return import_from(context, source, zone="UTC")
    if context.call.flag("chat"):
        _to_chat(context)
        if not context.call.flag("hosts"):
            return 0
    with context.store(create=False) as store:
        incident = choose(context.fold(store), context.call.words)
        text = card_text(standing(context, store, incident))
    if context.call.flag("hosts"):
        return _leave_on_hosts(context, text)
    return _out(context, text)


def standing(context: Context, store: Store, incident: Incident, *, since: datetime | None = None) -> Standing:
    """The incident, the board and the people now. Who broke a table of config.toml still gets the rest."""
    now = context.clock()
    findings, board, watched = _board(context, now)
    return Standing(
        incident=incident,
        now=now,
        handle=store.handle,
        findings=findings,
        board=board,
        watched=watched,
        people=context.essentials.people,
        on_call=on_call_now(_rosters(context), now),
        command=context.essentials.command,
        severities=context.essentials.severities,
        since=since,
        head=store.head(),
        demo=context.demo,
    )


def _board(context: Context, now: datetime) -> tuple[tuple[Finding, ...], str, bool]:
    """The findings, how old they are, and whether they are of now."""
    try:
        made, age = board_now(context, now)
    except Failure as failure:
        return (), failure.sentence, False
    if age is None:
        return (), "nobody is watching", False
    fresh = age <= WATCH_STALE
    return made.findings, f"watched {age:.0f}s ago" if fresh else f"NOT WATCHED for {age:.0f}s: old", fresh


def _rosters(context: Context) -> tuple[Roster, ...]:
    """Those of the configuration; none while another part of it cannot be used."""
    try:
        return context.settings.rosters
    except Failure:
        return ()


def _since(context: Context) -> datetime | None:
    given = context.call.options.get("since")
    if given is None:
        return None
    if given == "last":
        from incident_tui.journal.last_seen import LastSeen

        return LastSeen(context.directory, context.author.name).read()
    stamp = read_time(given if given.startswith(("-", "@")) else f"@{given}", context.clock())
    if stamp is None:
        raise Failure(f"--since {sanitise(given, limit=40)}: write last, a time such as 14:05, or -30m", 2)
    return stamp.at


def _out(context: Context, text: str) -> int:
    target = context.call.options.get("output")
    if target is None or target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return 0
    try:
        path = write_new(Path(target), text)
    except ExportError as error:
        raise Failure(sanitise(error.sentence)) from error
    print(f"wrote {sanitise(str(path))}", file=sys.stderr)
    return 0


def _to_chat(context: Context) -> None:
    """One entry for each piece, which the watch posts like an update: in order, once, and kept while it is down."""
    sinks = [sink.name for sink in context.settings.chat if takes_card(sink)]
    if not sinks:
        raise Failure('no [[chat]] table takes the card: add one, or "card" to its send', 2)
    with context.store() as store:
        incident = choose(context.fold(store), context.call.words)
        pieces = for_chat(standing(context, store, incident))
        now, count = context.clock(), len(pieces)
        drafts = [
            Draft(
                kind=Kind.CHAT,
                text="break-glass card" + (f", part {number} of {count}" if count > 1 else ""),
                at=now,
                author=context.author,
                incident=incident.id,
                source="cli",
                data={CARD: piece},
            )
            for number, piece in enumerate(pieces, start=1)
        ]
        try:
            saved = store.append(drafts, key=new_id())
            watched = Lease(context.directory, store, context.clock).holder() is not None
        except JournalError as error:
            raise Failure(f"NOT SAVED: {error.sentence}") from error
        said = ", ".join(store.handle(entry) for entry in saved)
    when = "the watch posts it" if watched else "NOBODY IS WATCHING: it is posted when a screen or a watch is started"
    print(f"{said}: the card for {', '.join(sinks)}; {when}", file=sys.stderr)


def _leave_on_hosts(context: Context, text: str) -> int:
    """The card in the home of the account that logs in, on every host that can be reached."""
    from incident_tui.fleet.leave import leave

    hosts = context.settings.hosts
    if not hosts:
        raise Failure("there is no [[hosts]] table, so there is no host to leave the card on", 2)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(leave(host, context.settings.fleet, CARD_FILE, text) for host in hosts))

    said = asyncio.run(all_of_them())
    for host, problem in zip(hosts, said, strict=True):
        print(f"{host.name}: {problem}" if problem else f"{host.name}: ~/{CARD_FILE}")
    return 1 if any(said) else 0
