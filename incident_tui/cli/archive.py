"""`archive`: closed incidents into a file; `import FILE` brings them back, `show` and `export --archive` read it."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.cli.show import choose
from incident_tui.incident.age import days_of
from incident_tui.incident.entry import Entry, Ref
from incident_tui.incident.retention import hint, leaves, reviewed
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident
from incident_tui.journal import retention, retention_file
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.report.facts import entries_of
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from incident_tui.journal.store import Store


class Opened:
    """An archive file, as a journal is asked for handles and for its head."""

    def __init__(self, file: retention_file.File, entries: list[Entry]) -> None:
        self.entries = entries
        self.letter = file.letter if len(file.letter) == 1 and "a" <= file.letter <= "z" else "?"
        last = file.entries[-1] if file.entries else None
        self.head = Head(file.journal, last.seq, last.link) if last else Head(file.journal, 0, "")

    def handle(self, entry: Ref) -> str:
        return f"{self.letter}{entry.seq}"


def opened(context: Context) -> tuple[Fold, Opened]:
    """What `--archive FILE` names. Raises Failure."""
    path = context.call.options["archive"]
    try:
        file = retention_file.read(os.path.expanduser(path))
        entries = file.decoded()
    except JournalError as error:
        raise Failure(sanitise(error.sentence, limit=300)) from error
    fold = Fold()
    for entry in entries:
        fold.apply(entry)
    return fold, Opened(file, entries)


def archive(context: Context) -> int:
    """`archive FILE [INCIDENT...] [--closed-before AGE]`, `archive FILE --purge HANDLE`."""
    call = context.call
    target, *words = call.words
    path = os.path.abspath(os.path.expanduser(target))
    if "purge" in call.options:
        if words or call.options.keys() & {"closed-before", "unreviewed"}:
            raise UsageError("archive FILE --purge HANDLE takes nothing else")
        return _purge(context, path, call.options["purge"])
    with context.store(create=False) as store:
        try:
            return _put_away(context, store, path, words)
        except JournalError as error:
            raise Failure(sanitise(error.sentence, limit=300)) from error


def _put_away(context: Context, store: Store, path: str, words: list[str]) -> int:
    fold = context.fold(store)
    found = _chosen(context, fold, words)
    for one in found:
        count = sum(leaves(row.entry) and row.entry.incident == one.id for row in one.rows)
        print(f"{one.id}  closed {one.closed_at:%Y-%m-%d}  {count} entries leave  {sanitise(one.title, limit=60)}")
    if context.call.flag("dry-run") or not found:
        print("nothing was archived")
        return 0
    wanted = {
        retention_file.Put(one.id, one.title, one.declared_at, one.closed_at): [
            entry.seq for entry in entries_of(fold, one) if entry.journal == store.journal
        ]
        for one in found
    }
    quiet = fold.newest_open() is None
    done = retention.put_away(store, wanted, path, context.author, shrink=quiet)
    context.saved.extend(done.orders)
    if done.entries:
        print(f"{done.entries} entries are in {sanitise(path)}; keep it: it is the only one that has their texts")
    else:
        print("their entries were archived before")
    print(f"the journal has {_mb(done.after)}, before {_mb(done.before)}")
    if done.problem:
        print(f"incident-tui: no room was given back: {done.problem} Archive again later for that.", file=sys.stderr)
    return 0


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _chosen(context: Context, fold: Fold, words: list[str]) -> list[Incident]:
    """The closed incidents that the command names, or those that were closed long enough ago. Raises Failure."""
    age = context.call.options.get("closed-before")
    if bool(words) == (age is not None):
        raise UsageError("archive which? incident-tui archive FILE INCIDENT..., or FILE --closed-before 365d")
    also = context.call.flag("unreviewed")
    if age is None:
        found = list({one.id: one for word in words for one in [choose(fold, [word])]}.values())
        for one in found:
            if one.open:
                raise Failure(f"{one.id} is open; only closed incidents are archived (/close)")
            if not also and not reviewed(one):
                raise Failure(f"the review of {one.id} is not done; --unreviewed archives it all the same")
        return found
    days = days_of(age)
    if days is None:
        raise UsageError(f"--closed-before {sanitise(age, limit=40)}: write days, weeks or years, like 365d")
    limit = context.clock() - timedelta(days=days)
    old = [one for one in reversed(fold.incidents()) if one.closed_at is not None and one.closed_at < limit]
    ready = [one for one in old if also or reviewed(one)]
    if len(ready) < len(old):
        print(f"incident-tui: {len(old) - len(ready)} left, whose review is not done (--unreviewed)", file=sys.stderr)
    return ready


def begins_an_archive(begin: bytes) -> bool:
    """Whether a file that begins so is an archive of incidents, also when another program wrote it anew."""
    return b'"incident-tui incidents' in begin and begin.lstrip()[:1] == b"{"


def bring_back(context: Context, path: str, raw: bytes | None) -> int:
    """`import FILE` of an archive: its texts into the journal that they left."""
    name = sanitise(path, limit=300)
    try:
        file = retention_file.read(os.path.expanduser(path)) if raw is None else retention_file.decoded(raw, "it")
        if context.call.flag("dry-run"):
            print(f"nothing was imported: {len(file.entries)} entries of {len(file.incidents)} incidents; they fit")
            return 0
        with context.store(create=False) as store:
            base = "standard input" if path == "-" else os.path.basename(path)
            done = retention.bring_back(store, file, base, context.author)
    except JournalError as error:
        raise Failure(f"{name}: {sanitise(error.sentence, limit=300)}") from error
    context.saved.extend(done.orders)
    print(f"{done.entries} entries brought back, {len(file.entries) - done.entries} here already")
    return 0


def _purge(context: Context, path: str, handle: str) -> int:
    """Take the text of an entry out of an archive file, after the journal has the order to destroy it."""
    try:
        with context.store(create=False) as store:
            file = retention_file.read(path)
            entry = store.find(handle)
            if entry is None or file.journal != store.journal or entry.seq not in {row.seq for row in file.entries}:
                raise Failure(f"{sanitise(handle, limit=40)} is not in {sanitise(path)}", 2)
            if not _ordered(context.fold(store), entry.id):
                raise Failure(f"order it first: incident-tui purge {store.handle(entry)} REASON")
            retention.purge_file(path, file, entry.seq)
    except JournalError as error:
        raise Failure(sanitise(error.sentence, limit=300)) from error
    print(f"the text of {sanitise(handle, limit=40)} is destroyed in {sanitise(path)}, not in copies of that file")
    return 0


def _ordered(fold: Fold, ref: Ref) -> bool:
    found = fold.get(ref)
    return found is not None and found.purged and not found.archive


def hinted(context: Context) -> str:
    """For `check` and the digest: what could be archived, by `[journal] keep`. Raises Failure."""
    keep = context.essentials.journal.keep
    if not keep:
        return ""
    with context.store(create=False) as store:
        return hint(context.fold(store).incidents(), context.clock(), keep)
