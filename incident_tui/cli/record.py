"""Commands that write to the journal: declare, log, purge. They import neither the screen nor asyncio."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.desk.desk import Desk
from incident_tui.desk.outcome import OfferLines, OpenPlaybook, Outcome, Resend, WriteReport
from incident_tui.incident.contested import CONTESTED
from incident_tui.incident.entry import ON_CARD, Entry, Kind
from incident_tui.journal import everything
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import Cursor
from incident_tui.journal.in_force import remember
from incident_tui.journal.store import Store
from incident_tui.text import TEXT_LIMIT, decode

_MEANWHILE = 200
"""Entries that others may have saved while one line was carried out."""
_SIGN_SECONDS = 30.0
"""Lines wait so long for others that one signature covers."""


def declare(context: Context) -> int:
    call = context.call
    severity = call.number("severity")
    if severity is not None and (severity != int(severity) or severity < 1):
        raise UsageError(f"--severity {call.options['severity']}: write a whole number; 1 is worst")
    words = ["/declare"]
    if severity is not None:
        words.append(f"/sev {int(severity)}")
    if call.flag("drill"):
        words.append("drill")
    return _record(context, [" ".join([*words, *call.words])])


def _leave_card(context: Context, store: Store, saved: Sequence[Entry]) -> None:
    """The break-glass card beside the journal, after an entry that changes it: on declare, and where no watch runs,
    which keeps it current by itself. What was saved is saved whether or not the card can be written."""
    declared = any(entry.kind is Kind.DECLARE for entry in saved)
    if not declared and (
        not any(entry.kind in ON_CARD and entry.incident for entry in saved) or _watched(context, store)
    ):
        return
    from incident_tui.cli.briefing import standing
    from incident_tui.report.card import leave

    try:
        incident = context.fold(store).incident(saved[-1].incident)
        path = leave(context.directory, standing(context, store, incident))
    except (OSError, Failure) as error:
        why = error.sentence if isinstance(error, Failure) else error.strerror
        print(f"incident-tui: no break-glass card was written ({why})", file=sys.stderr)
        return
    if declared:
        print(f"break-glass card: {path}", file=sys.stderr)


def _watched(context: Context, store: Store) -> bool:
    from incident_tui.journal.lease import Lease

    try:
        holder = Lease(context.directory, store, context.clock).holder()
    except JournalError:
        return False
    return holder is not None and holder.fresh


def log(context: Context) -> int:
    words = context.call.words
    lines = _standard_input() if words == ["-"] else [" ".join(words)]
    return _record(context, lines)


def purge(context: Context) -> int:
    handle, *reason = context.call.words
    return _record(context, [f"/purge {handle} {' '.join(reason)}"])


def _standard_input() -> Iterable[str]:
    """Lines as they come, so that `tail -f notes | incident-tui log -` works."""
    for raw in sys.stdin.buffer:
        yield decode(raw).rstrip("\r\n")[:TEXT_LIMIT]


def _record(context: Context, lines: Iterable[str]) -> int:
    """Carries out each line and prints its handles after the commit. 1 when any line was not saved."""
    worst = 0
    signed = time.monotonic()
    with context.store() as store:
        desk = context.desk(store)
        wanted = context.call.options.get("incident")
        if wanted:
            _choose(desk, wanted)
        for line in lines:
            if line.strip():
                worst = max(worst, _one(desk, store, line, context))
                if time.monotonic() - signed > _SIGN_SECONDS:  # `tail -f notes | incident-tui log -` may not end today
                    context.sign_saved()
                    signed = time.monotonic()
        _remember(desk, store)
    return worst


def _remember(desk: Desk, store: Store) -> None:
    """Spare the next command a fold, when this one made one and nobody else has written since."""
    if not desk.folded:
        return
    here, count = everything.end(store)
    if len(desk.fold) == count:
        remember(store, here, desk.fold)


def _choose(desk: Desk, wanted: str) -> None:
    outcome = desk.carry_out(f"/incident {wanted}")
    if outcome.refusal:
        raise Failure(outcome.refusal, 2)


def _one(desk: Desk, store: Store, line: str, context: Context) -> int:
    # A command line is written with intent and often by a script: what a screen would ask about is taken as meant.
    try:
        outcome = desk.carry_out(line, confirmed=True)
    except JournalError as error:
        raise Failure(f"NOT SAVED: {error.sentence} The line was: {line}") from error
    if outcome.refusal:
        print(f"incident-tui: not saved: {outcome.refusal}", file=sys.stderr)
        print(line, file=sys.stderr)
        return 1
    entries: list[Entry] = []
    if outcome.saving is not None:
        try:
            entries = outcome.saving.result()
        except JournalError as error:
            raise Failure(f"NOT SAVED: {error.sentence} The line was: {line}") from error
        for entry in entries:
            declared = f" {entry.incident}" if entry.kind is Kind.DECLARE else ""
            print(store.handle(entry) + declared, flush=True)
        if crossed := _crossed(desk, store, entries):
            print(f"incident-tui: saved, but {crossed}", file=sys.stderr)
    status = _effect(outcome, context)
    _leave_card(context, store, entries)
    return status


def _crossed(desk: Desk, store: Store, entries: list[Entry]) -> str:
    """What somebody is told who came second: others may have saved between our reading and our saving."""
    if not any(entry.kind in CONTESTED for entry in entries):
        return ""
    here, _ = everything.end(store)
    since = [max(0, desk.folded * (one - _MEANWHILE)) for one in (entries[0].seq, here.others)]
    for entry in store.read_all(Cursor(*since))[0]:
        desk.fold.apply(entry)
    return desk.crossed(entries)


def _effect(outcome: Outcome, context: Context) -> int:
    if outcome.notice:
        print(outcome.notice, file=sys.stderr)
    if isinstance(outcome.effect, WriteReport):
        print("incident-tui: use `incident-tui export` for the report", file=sys.stderr)
        return 1
    if isinstance(outcome.effect, OfferLines):
        print("\n".join(outcome.effect.lines))
        print("incident-tui: a draft, nothing was saved; log it in your words", file=sys.stderr)
        return 1
    if isinstance(outcome.effect, Resend):
        from incident_tui.watch.asks import resend

        resend(context.directory, outcome.effect.ref)
        print("asked for; incident-tui chat shows what becomes of it", file=sys.stderr)
        return 0
    if outcome.effect is not None and not isinstance(outcome.effect, OpenPlaybook) and outcome.saving is None:
        print("incident-tui: that verb acts on the screen; nothing was saved", file=sys.stderr)
        return 1
    return 0
