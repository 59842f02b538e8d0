"""Commands that read the journal: list, show, verify, version. They never import the screen or asyncio."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import msgspec

from incident_tui import __version__
from incident_tui.cli.context import Context, Failure
from incident_tui.incident.entry import Ref
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.journal.chain import Head, Verdict
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.journal.verify import verify_copies
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from incident_tui.journal.others import Copy
    from incident_tui.journal.sign_verify import Signed


class Handles(Protocol):
    """Whoever knows how entries are called: a journal, or an archive file."""

    def handle(self, entry: Ref) -> str: ...


def choose(fold: Fold, words: list[str]) -> Incident:
    """The incident named by (part of) its id, or the newest one that is open, or the newest."""
    incidents = fold.incidents()
    if not incidents:
        raise Failure("there is no incident in this journal; incident-tui declare TITLE opens one")
    if not words:
        return fold.newest_open() or incidents[0]
    wanted = words[0].casefold()
    found = [one for one in incidents if one.id.casefold() == wanted] or [
        one for one in incidents if wanted in one.id.casefold()
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(one.id for one in (found or incidents)[:5])
    raise Failure(f"{words[0]!r} is {'more than one' if found else 'no'} incident here; there is {known}", 2)


def _time(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"


def summary(incident: Incident) -> dict[str, object]:
    """The fields of `list --json` and the head of `show --json`."""
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "peak_severity": incident.peak_severity,
        "status": incident.status,
        "open": incident.open,
        "drill": incident.drill,
        "commander": incident.commander or None,
        "commander_since": _time(incident.commander_since),
        "declared_at": _time(incident.declared_at),
        "closed_at": _time(incident.closed_at),
        "next_update": {audience: _time(due) for audience, due in incident.next_update.items()},
        "entries": len(incident.rows),
    }


def list_incidents(context: Context) -> int:
    with context.store(create=False) as store:
        fold = context.fold(store)
    if context.call.flag("json"):
        return _json([summary(incident) for incident in fold.incidents()])
    for incident in fold.incidents():
        state = incident.status if incident.open else "closed"
        drill = "DRILL " if incident.drill else ""
        print(f"{incident.id}  SEV{incident.severity or '?'}  {state:<14} {drill}{incident.title}")
    return 0


def show(context: Context) -> int:
    if "archive" in context.call.options:
        from incident_tui.cli.archive import opened

        fold, handles = opened(context)
        return _show(context, fold, handles)
    with context.store(create=False) as store:
        return _show(context, context.fold(store), store)


def _show(context: Context, fold: Fold, handles: Handles) -> int:
    incident = choose(fold, context.call.words)
    if context.call.flag("json"):
        seconds = {one.second: handles.handle(one.first) for one in incident.contested}
        rows = [row_fields(row, handles) | {"second_to": seconds.get(row.ref)} for row in incident.rows]
        return _json(summary(incident) | {"timeline": rows})
    _print(incident, handles, "DEMO " if context.demo else "")
    return 0


def row_fields(row: TimelineRow, store: Handles) -> dict[str, object]:
    """The fields of a row of `show --json`."""
    return {
        "handle": store.handle(row.ref),
        "at": _time(row.at),
        "recorded_at": _time(row.entry.recorded_at),
        "kind": row.entry.kind.value,
        "word": row.word,
        "text": row.text,
        "said": row.said,
        "author": row.entry.author.name,
        "claimed": row.claimed,
        "late_seconds": None if row.late is None else int(row.late.total_seconds()),
        "amended": bool(row.amended),
        "struck": row.struck,
        "pinned": row.pinned,
        "purged": row.purged,
        "origin": row.origin,
        "data": row.entry.data,
    }


def _print(incident: Incident, store: Handles, mark: str) -> None:
    drill = "DRILL " if incident.drill else ""
    print(f"{mark}{drill}{incident.id}  SEV{incident.severity or '?'}  {incident.status}  {incident.title}")
    since = f" since {incident.commander_since:%H:%MZ}" if incident.commander_since else ""
    print(f"incident commander: {incident.commander or 'nobody'}{since}")
    day = None
    seconds = {one.second: one for one in incident.contested}
    for row in incident.rows:
        if row.at.date() != day:
            day = row.at.date()
            print(f"-- {day} UTC")
        two = seconds.get(row.ref)
        marks = "".join(
            (
                f" (+{int(row.late.total_seconds() // 60)}m)" if row.late else "",
                " (amended)" if row.amended else "",
                " (struck)" if row.struck else "",
                " (pinned)" if row.pinned else "",
                f" (from {row.origin})" if row.origin else "",
                f" (second: {two.first_by} was first, {store.handle(two.first)})" if two is not None else "",
            )
        )
        who = row.entry.author.name + ("?" if row.claimed else "")
        word = "" if row.word == "NOTE" else row.word + " "
        print(f"{store.handle(row.ref):>5} {row.at:%H:%M:%S}{marks} {who}  {word}{row.text}")


def verify(context: Context) -> int:
    if handle := context.call.options.get("signature"):
        from incident_tui.cli.signing import write_out

        with context.store(create=False) as store:
            return write_out(context, store, handle)
    heads = []
    for word in context.call.words:
        try:
            heads.append(Head.parse(word))
        except ValueError as error:
            raise Failure(str(error), 2) from error
    with context.store(create=False) as store:
        try:
            known = [copy.journal for copy in store.others.copies()] if store.others is not None else []
            verdict = store.verify([head for head in heads if head.journal not in known])
            copies = verify_copies(store, heads)
            signed, *others = _signed(context, store, [verdict, *(one for _, one in copies)])
        except JournalError as error:
            raise Failure(error.sentence) from error
        right = verdict.ok and all(one.ok for _, one in copies) and not store.others_problem
        right = right and not any(one.wrong for one in (signed, *others))
        if context.call.flag("json"):
            told = [verdict_fields(one) | its.fields() for (_, one), its in zip(copies, others, strict=True)]
            fields = {"copies": [{"letter": copy.letter, **one} for (copy, _), one in zip(copies, told, strict=True)]}
            return _json(verdict_fields(verdict) | signed.fields() | fields) or (0 if right else 1)
        for problem in verdict.problems:
            print(f"{store.letter}{problem.seq}: {problem.sentence}")
        purged = f", {len(verdict.purged)} of them purged" if verdict.purged else ""
        purged += f", {len(verdict.archived)} in archive files" if verdict.archived else ""
        print(f"{verdict.entries} entries{purged}; {'the chain holds' if verdict.ok else 'THE CHAIN DOES NOT HOLD'}")
        print(f"head {verdict.head}")
        for sentence in signed.sentences(store.letter):
            print(sanitise(sentence))
        for (copy, one), its in zip(copies, others, strict=True):
            letter = store.letters()[copy.journal]
            _print_copy(letter.rstrip(":"), copy, one)
            for sentence in its.sentences(letter):
                print(sanitise(f"copy of {letter.rstrip(':')}: {sentence}"))
        if store.others_problem:
            print(f"the copies of other journals were not checked: {store.others_problem}")
        print(verdict.promise)
    return 0 if right else 1


def _print_copy(name: str, copy: Copy, verdict: Verdict) -> None:
    for problem in verdict.problems:
        print(f"copy of {name}, {problem.seq}: {problem.sentence}")
    if copy.problem:
        print(sanitise(f"copy of {name}: {copy.problem}"))
    purged = f", {len(verdict.purged)} of them purged" if verdict.purged else ""
    missing = f", {copy.behind} more have not arrived" if copy.behind else ""
    state = "the chain holds" if verdict.ok else "THE CHAIN DOES NOT HOLD"
    print(f"copy of {name}: {verdict.entries} entries{purged}{missing}; {state}; head {verdict.head}")


def _signed(context: Context, store: Store, verdicts: list[Verdict]) -> list[Signed]:
    """What the signatures say of each of these journals."""
    from incident_tui.journal.sign_verify import NOTHING, signing_journals

    having = signing_journals(store)
    if not having:
        return [NOTHING for _ in verdicts]
    from incident_tui.cli.signing import signatures

    return [signatures(context, store, one) if one.head.journal in having else NOTHING for one in verdicts]


def verdict_fields(verdict: Verdict) -> dict[str, object]:
    """The fields of `verify --json`."""
    return {
        "ok": verdict.ok,
        "entries": verdict.entries,
        "head": str(verdict.head),
        "problems": [{"seq": problem.seq, "sentence": problem.sentence} for problem in verdict.problems],
        "purged": list(verdict.purged),
        "archived": list(verdict.archived),
        "heads_checked": verdict.heads_checked,
        "promise": verdict.promise,
    }


def version(context: Context) -> int:
    print(f"incident-tui {__version__}")
    return 0


def _json(value: object) -> int:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    return 0
