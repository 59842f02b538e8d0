"""`replica`: the journals that are here and how far, the ways to other bastions, and dropping a copy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.cli.carrying import counted, span
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.incident.when import clock
from incident_tui.journal import notify
from incident_tui.journal.errors import JournalError
from incident_tui.journal.others import Copy
from incident_tui.journal.purge import clean_caches
from incident_tui.journal.store import Store
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.rows import ReplicaRow, unsaid, ways
from incident_tui.text import sanitise
from incident_tui.watch.rows import BastionsRow, bastions_words

if TYPE_CHECKING:
    from incident_tui.ui.view import Readings


def replica(context: Context) -> int:
    """`replica [status|forget JOURNAL|server-config]`."""
    verb, *words = context.call.words or ["status"]
    if verb == "forget" and len(words) == 1:
        return _forget(context, words[0])
    if verb == "server-config" and not words:
        return _server_config(context)
    if verb != "status" or words:
        raise UsageError("replica status, replica forget JOURNAL, or replica server-config")
    with context.store(create=False) as store:
        try:
            copies = store.others.copies() if store.others is not None else []
            ways = _ways(context)
            if context.call.flag("json"):
                print(msgspec.json.format(msgspec.json.encode(fields(store, copies, ways)), indent=2).decode())
            else:
                for line in _lines(store, copies, ways, context.clock()):
                    print(sanitise(line, limit=1000))
                bastions = _bastions(context)
                if bastions is not None:
                    print(sanitise(bastions_words(bastions), limit=2000))
        except JournalError as error:
            raise Failure(error.sentence) from error
        wrong = bool(store.others_problem) or any(one.behind or one.problem or one.forked_at for one in copies)
    return 1 if wrong or any(row.problem for row in ways) else 0


def _server_config(context: Context) -> int:
    """The servers' configuration, with the own block in it. Makes the seed of `nkey_file` when it is not there."""
    from incident_tui.replica.nkey import made, public
    from incident_tui.replica.server_config import User, server_config

    settings = context.settings.replica
    if not settings.nkey_file:
        raise Failure("set nkey_file in [replica]: where the seed of this bastion is, or shall be made", 2)
    try:
        if made(settings.nkey_file):
            print(f"made a new seed in {sanitise(settings.nkey_file)}: it is read by you alone", file=sys.stderr)
        key = public(settings.nkey_file)
    except ReplicaError as error:
        raise Failure(error.sentence) from error
    with context.store(create=True) as store:
        name = settings.name or os.uname().nodename
        print(server_config(settings.stream, [User(sanitise(name, limit=60), store.journal, key)]), end="")
    return 0


def _readings(context: Context, now: datetime) -> Readings:
    from incident_tui.cli.status import board_now

    return board_now(context, now)[0].readings


def _ways(context: Context) -> list[ReplicaRow]:
    """What the watch says of each, and of those that it never said anything of."""
    now = context.clock()
    rows = _readings(context, now).replicas
    names = ways(context.settings.sync, context.settings.replica)
    return [*rows.values(), *(unsaid(name, now) for name in names if name not in rows)]


def _bastions(context: Context) -> BastionsRow | None:
    """How the watch here stands to the others; None without a cluster, or before it said anything."""
    row = _readings(context, context.clock()).bastions
    return row if context.settings.replica.servers else None


def _lines(store: Store, copies: Sequence[Copy], ways: Sequence[ReplicaRow], now: datetime) -> list[str]:
    head, names = store.head(), store.letters()
    lines = [f"{store.letter}  {counted(head.seq)}: the journal of this bastion ({store.journal})"]
    for copy in copies:
        name = names[copy.journal].rstrip(":")
        count = f"{copy.seq} of {counted(copy.told)}" if copy.behind else counted(copy.seq)
        waiting = f", {copy.waiting} wait for what is before them" if copy.waiting else ""
        lines.append(f"{name}  {count}{waiting}, the last at {clock(copy.heard_at, now)} ({copy.journal})")
        if copy.behind and store.others is not None:
            holes = ", ".join(span(store, copy.journal, *one) for one in store.others.missing(copy.journal))
            lines.append(f"   missing: {holes or 'nothing that does not wait'}")
        if copy.problem:
            lines.append(f"   {copy.problem}")
    if store.others_problem:
        lines.append(f"the copies of other journals cannot be read: {store.others_problem}")
    for row in ways:
        since = f" since {clock(row.since, now)}" if row.since is not None else ""
        state = f"{row.problem}{since}" if row.problem else f"entries go both ways{since}"
        unsent = f"; {row.waiting} entries of this bastion wait" if row.waiting else ""
        lines.append(f"{row.way} {row.name}: {state}{unsent}{f'; {row.refused}' if row.refused else ''}")
    return lines


def fields(store: Store, copies: Sequence[Copy], ways: Sequence[ReplicaRow]) -> dict[str, Any]:
    """The fields of `replica status --json`."""
    others = store.others
    return {
        "journal": store.journal,
        "letter": store.letter,
        "entries": store.head().seq,
        "copies": [
            {
                "journal": copy.journal,
                "letter": copy.letter,
                "entries": copy.seq,
                "told": copy.told,
                "missing": [list(one) for one in others.missing(copy.journal)] if others is not None else [],
                "waiting": copy.waiting,
                "heard_at": f"{copy.heard_at:%Y-%m-%dT%H:%M:%SZ}",
                "forked_at": copy.forked_at or None,
                "problem": copy.problem or None,
            }
            for copy in copies
        ],
        "problem": store.others_problem or None,
        "ways": [
            {"name": row.name, "way": row.way, "problem": row.problem or None, "refused": row.refused or None}
            for row in ways
        ],
    }


def _forget(context: Context, said: str) -> int:
    """Drop a copy, to take it anew: after a fork, or of a bastion that nobody needs."""
    with context.store(create=False) as store:
        names = {journal: name.rstrip(":") for journal, name in store.letters().items() if journal != store.journal}
        found = [one for one, name in names.items() if name == said or (len(said) > 1 and one.startswith(said))]
        if len(found) != 1:
            known = ", ".join(f"{name} ({one})" for one, name in names.items()) or "no copy"
            raise Failure(f"{sanitise(said, limit=40)!r}: there is {known} here", 2)
        copy = next(one for one in store.make_others().copies() if one.journal == found[0])
        words = f"the copy of {names[copy.journal]}: {counted(copy.seq)}. What no other bastion has of it is lost"
        if not context.call.flag("yes"):
            if not sys.stdin.isatty():
                raise Failure(f"that drops {words}: say --yes", 2)
            if input(f"Drop {words}. (yes/no) ").strip().casefold() not in ("yes", "y"):
                print("nothing was dropped")
                return 1
        try:
            count = store.make_others().forget(copy.journal)
            clean_caches(store)
        except JournalError as error:
            raise Failure(error.sentence) from error
        notify.ring(store.place.directory)
        print(f"{counted(count)} dropped; they come again from whoever has them")
    return 0
