"""`export --format journal` and its way in: entries carried to another bastion in a file, on a stick or by mail."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.cli.searching import time_of
from incident_tui.incident.entry import Ref
from incident_tui.journal import everything, stick
from incident_tui.journal.backup import open_copy
from incident_tui.journal.errors import JournalError
from incident_tui.journal.place import Place
from incident_tui.journal.record import Record, own_records
from incident_tui.journal.recover import recover
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from incident_tui.report.export import ExportError, write_new
from incident_tui.text import sanitise

_CHUNK = 2_000


def export_records(context: Context, target: str | None) -> int:
    """`export --format journal [--since TIME|HANDLE|all] [-o FILE]`."""
    if context.call.words:
        raise UsageError("export --format journal is of all incidents: say from when with --since")
    if (target is None or target == "-") and sys.stdout.isatty():
        raise UsageError("these are bytes, not lines: name a file with -o")
    with context.store(create=False) as store:
        try:
            _, data = stick.write(store, _since(context, store), context.clock())
            if store.others_problem:
                raise JournalError(store.others_problem)
            if target is None or target == "-":
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
                return 0
            path = write_new(Path(target), data)
        except (JournalError, ExportError) as error:
            raise Failure(sanitise(error.sentence)) from error
        _, records = stick.read(data)
        ranges = _ranges(store.letters(), records) or "no entry"
        print(f"wrote {sanitise(str(path))}: {ranges}; nothing in it is redacted")
    return 0


def _since(context: Context, store: Store) -> datetime | Ref | None:
    said = context.call.options.get("since", "all")
    if said == "all":
        return None
    ref = everything.find(store, said)
    return ref if ref is not None else time_of(context, "since")


def import_records(context: Context, path: str, raw: bytes | None) -> int:
    """Take in a file of `export --format journal`. Exit status 1 when any of it was refused."""
    name = sanitise(path, limit=300)
    try:
        head, records = stick.read(Path(os.path.expanduser(path)).read_bytes() if raw is None else raw)
        if context.call.flag("dry-run"):
            return _preview(context, name, records)
        with context.store() as store:
            return _take(context, store, head.told, records)
    except JournalError as error:
        raise Failure(f"{name}: {error.sentence}") from error


def import_backup(context: Context, path: str) -> int:
    """Take in a backup of the journal of another bastion, such as a lost one, as a copy. Its chain is checked first."""
    name = sanitise(path, limit=300)
    dry = context.call.flag("dry-run")
    try:
        with open_copy(path, context.clock) as copy, context.store(create=not dry) as store:
            verdict = copy.verify()
            if not verdict.ok:
                raise JournalError(f"it does not pass its check, so nothing was taken: {verdict.problems[0].sentence}")
            if copy.journal == store.journal:
                raise JournalError(
                    "it is a backup of this very journal: incident-tui restore FILE adds what is not here."
                )
            told = stick.Told(copy.journal, copy.letter, verdict.head.seq)
            records = own_records(copy, 1, told.seq)
            if dry:
                return _preview(context, name, records)
            return _take(context, store, (told,), records)
    except JournalError as error:
        raise Failure(f"{name}: {error.sentence}") from error


def _preview(context: Context, name: str, records: list[Record]) -> int:
    known: Mapping[str, str] = {}
    new = len(records)
    if os.path.exists(Place(context.place).journal):
        with context.store(create=False) as store:
            known = store.letters()
            new = sum(store.get(Ref(one.journal, one.seq)) is None for one in records)
    print(f"nothing was imported: {name} has {_ranges(known, records) or 'no entry'}; {new} of {len(records)} are new")
    return 0


def _take(context: Context, store: Store, numbers: Sequence[stick.Told], records: list[Record]) -> int:
    now, others, refused = context.clock(), store.make_others(), []
    came: dict[str, int] = {}
    ends = {copy.journal: copy.seq for copy in others.copies()} | {store.journal: store.head().seq}
    already = sum(one.seq <= ends.get(one.journal, 0) for one in records)
    for begin in range(0, len(records), _CHUNK):
        taken = take_in(store, records[begin : begin + _CHUNK], now)
        for entry in taken.entries:
            came[entry.journal] = came.get(entry.journal, 0) + 1
        refused += [*taken.refused, *taken.problems]
    for told in numbers:
        others.tell(told.journal, told.letter, told.seq, now)
    names = {journal: letter.rstrip(":") for journal, letter in store.letters().items()}
    parts = [f"{count} of {names[journal]}" for journal, count in sorted(came.items(), key=lambda one: names[one[0]])]
    waiting = sum(copy.waiting for copy in others.copies())
    wait = f", {waiting} wait for what is before them" if waiting else ""
    print(f"{', '.join(parts) or 'nothing'} came; {already} were here already{wait}")
    refused += _own(context, store, [one for one in records if one.journal == store.journal])
    for copy in others.copies():
        for first, last in others.missing(copy.journal):
            print(missing(store, copy.journal, first, last))
    for sentence in dict.fromkeys(refused):
        print(f"incident-tui: {sanitise(sentence, limit=600)}", file=sys.stderr)
    return 1 if refused else 0


def _own(context: Context, store: Store, records: list[Record]) -> list[str]:
    """What the file has of this very journal: nothing new, unless this one was restored from an older copy."""
    last = store.head().seq
    more = [one for one in records if one.seq > last]
    if not more:
        return []
    if context.call.flag("recover"):
        print(f"{counted(recover(store, more))} of this journal itself came back")
        return []
    return [
        f"the file has {span(store, store.journal, last + 1, more[-1].seq)} of this very journal, which ends at "
        f"{store.letter}{last}: was it restored from an older copy? import --recover FILE brings them back."
    ]


def missing(store: Store, journal: str, first: int, last: int) -> str:
    """One sentence about entries that are known to exist and are not here, and how to get them by file."""
    begin = store.handle(Ref(journal, first))
    be = "is" if first == last else "are"
    return (
        f"{span(store, journal, first, last)} {be} missing: on a bastion that has them, incident-tui export "
        f"--format journal --since {begin} -o FILE; then import FILE here"
    )


def span(store: Store, journal: str, first: int, last: int) -> str:
    begin, end = (store.handle(Ref(journal, one)) for one in (first, last))
    return begin if first == last else f"{begin} to {end}"


def _ranges(known: Mapping[str, str], records: list[Record]) -> str:
    """As "a1 to a17, b3"; the numbers of each journal have no hole in a file."""
    found: dict[str, tuple[str, int, int]] = {}
    for one in records:
        name = known.get(one.journal, one.letter)
        _, first, last = found.get(one.journal, (name, one.seq, one.seq))
        found[one.journal] = name, min(first, one.seq), max(last, one.seq)
    return ", ".join(
        f"{name}{first}" if first == last else f"{name}{first} to {name}{last}"
        for name, first, last in sorted(found.values())
    )


def counted(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
