"""The command import: what was written elsewhere becomes entries, and `import --undo`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timezone, tzinfo

import msgspec

from incident_tui.cli.archive import begins_an_archive, bring_back
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.cli.searching import time_of
from incident_tui.desk.desk import Desk
from incident_tui.desk.importing import keep
from incident_tui.desk.importing.days import times
from incident_tui.desk.importing.found import ImportProblem, Timed, Transcript
from incident_tui.desk.importing.plain import offset
from incident_tui.desk.importing.read import read
from incident_tui.desk.open import new_id
from incident_tui.incident.entry import Draft, Entry
from incident_tui.journal import stick
from incident_tui.journal.errors import JournalError
from incident_tui.journal.in_force import in_force
from incident_tui.journal.store import Store
from incident_tui.text import sanitise

_SQLITE = b"SQLite format 3\0"
"""How a backup begins."""


def bring_in(context: Context) -> int:
    """`import FILE`, `import --undo ID`."""
    words, undone = context.call.words, context.call.options.get("undo")
    if undone is not None:
        if words:
            raise UsageError("import --undo ID takes no file")
        return _undo(context, undone)
    if not words:
        raise UsageError("import what? incident-tui import FILE, or import --undo ID")
    return import_from(context, words[0], zone=context.call.options.get("zone", ""))


def import_from(context: Context, path: str, *, zone: str) -> int:
    """Import the file, or standard input for "-"; `zone` is that of times without one, empty when not said."""
    name = sanitise(path, limit=300)
    now = context.clock()
    try:
        raw = sys.stdin.buffer.read() if path == "-" else None
        begin = first_bytes(path, raw)
        if begins_an_archive(begin):
            return bring_back(context, path, raw)
        if begin.startswith(stick.START.encode()):
            from incident_tui.cli.carrying import import_records

            return import_records(context, path, raw)
        if begin.startswith(_SQLITE) and raw is None:
            from incident_tui.cli.carrying import import_backup

            return import_backup(context, path)
        if begins_a_journal(begin):
            from incident_tui.cli.archiving import import_journal

            return import_journal(context, path, raw)
        if "head" in context.call.options:
            raise UsageError(f"--head is of a whole journal, and {name} is none")
        found = read(os.path.expanduser(path), raw, context.call.options.get("room", ""))
        timed = _between(context, times(found, now, _zone(zone), _date(context)))
    except ImportProblem as error:
        raise Failure(f"{name}: {error.sentence}", 2) from error
    except OSError as error:
        raise Failure(f"{name}: cannot be read ({error.strerror})", 2) from error
    if not timed:
        raise Failure(f"{name}: there is no line to import", 2)
    dry = context.call.flag("dry-run")
    with context.store() as store:
        try:
            if dry:
                return _preview(context, store, found, timed, now)
            with keep.alone(store.place.directory):
                return _Import(context, store, found, name, now).run(timed, now)
        except JournalError as error:
            raise Failure(
                f"NOT SAVED: {error.sentence} Import the file again: what is saved is not saved twice."
            ) from error


class _Import:
    """One import under way."""

    def __init__(self, context: Context, store: Store, found: Transcript, path: str, now: datetime) -> None:
        self.context, self.store, self.found = context, store, found
        self.ident = new_id()[:6]
        self.name = "standard input" if path == "-" else os.path.basename(path.rstrip("/")) or path
        self.known = keep.Known(store.read_all()[0], now)
        self.once = keep.Once(store, self.known)
        self.desk = _desk(context, store, self.once, keep.source_of(self.ident, self.name))
        self.chosen = ""
        self.saved = 0

    def run(self, timed: Sequence[Timed], now: datetime) -> int:
        wanted = self.context.call.options.get("incident")
        if wanted:
            outcome = self.desk.carry_out(f"/incident {wanted}")
            if outcome.refusal:
                raise Failure(outcome.refusal, 2)
            self.chosen = self.desk.working
        made = keep.pieces(self.found, timed, now, self.context.author, self.context.essentials.people)
        plan = keep.plan(made, self.known)
        waiting: list[Draft] = []
        problems = list(plan.problems)
        for number, piece in enumerate(plan.pieces):
            if piece.draft is not None:
                waiting.append(piece.draft)
                continue
            self._flush(waiting, number)
            problem = self._verb(piece)
            if problem:
                problems.append(msgspec.structs.replace(piece, problem=problem))
        self._flush(waiting, len(plan.pieces))
        return self._tell(problems, plan.here + self.once.here)

    def _flush(self, waiting: list[Draft], number: int) -> None:
        if waiting:
            saved = keep.save(self.store, waiting, self.desk.working, self.ident, self.name, number - len(waiting))
            waiting.clear()
            self._show(saved)
            if self.desk.folded:
                for entry in saved:
                    self.desk.fold.apply(entry)

    def _verb(self, piece: keep.Piece) -> str:
        """Carry it out; "" or why it was not saved."""
        outcome = self.desk.carry_out(piece.line, confirmed=True)
        if outcome.refusal or outcome.saving is None:
            return outcome.refusal or "it is no entry"
        entries = outcome.saving.result()
        self.desk.settle()
        if entries:
            self._show(entries)
        else:
            self.desk.choose(self.chosen)
        return ""

    def _show(self, saved: Sequence[Entry]) -> None:
        self.saved += len(saved)
        for entry in saved:
            print(f"{self.store.handle(entry)} {_line(entry)}")

    def _tell(self, problems: Sequence[keep.Piece], here: int) -> int:
        for piece in problems:
            print(f"incident-tui: not saved: line {piece.number}: {piece.problem}\n{piece.line}", file=sys.stderr)
        undo = f"; undo: incident-tui import --undo {self.ident}" if self.saved else ""
        print(f"import {self.ident}: {_counted(self.found, self.saved, 'saved', here)}{undo}", file=sys.stderr)
        return 1 if problems else 0


def _preview(context: Context, store: Store, found: Transcript, timed: Sequence[Timed], now: datetime) -> int:
    made = keep.pieces(found, timed, now, context.author, context.essentials.people)
    plan = keep.plan(made, keep.Known(store.read_all()[0], now))
    for piece in plan.pieces:
        shown = _line(piece.draft) if piece.draft is not None else sanitise(piece.line, limit=160)
        print(shown + (f"   ({piece.doubt})" if piece.doubt else ""))
    for piece in plan.problems:
        print(f"incident-tui: line {piece.number} cannot be saved: {piece.problem}\n{piece.line}", file=sys.stderr)
    print(f"nothing was saved: {_counted(found, len(plan.pieces), 'would be', plan.here)}", file=sys.stderr)
    return 1 if plan.problems else 0


def _counted(found: Transcript, new: int, word: str, here: int) -> str:
    parts = [f"{found.form}{', ' + found.room if found.room else ''}: {new} {word}"]
    if here:
        parts.append(f"{here} here already")
    parts += [f"{count} {what} left out" for what, count in sorted(found.skipped.items())]
    return ", ".join(parts)


def _line(one: Draft | Entry) -> str:
    return f"{one.at:%Y-%m-%d %H:%MZ} {one.author.name} {one.kind.value}: {sanitise(one.text, limit=80)}"


def first_bytes(path: str, raw: bytes | None) -> bytes:
    """Raises OSError."""
    if raw is None and os.path.isfile(os.path.expanduser(path)):
        with open(os.path.expanduser(path), "rb") as file:
            raw = file.read(400)
    return b"" if raw is None else raw[:400]


def begins_a_journal(begin: bytes) -> bool:
    """Whether it is a document of `export --all`, also when another program wrote it anew, with other spaces."""
    return b'"incident-tui journal' in begin and begin.lstrip()[:1] == b"{"


def _undo(context: Context, ident: str) -> int:
    with context.store(create=False) as store:
        try:
            with keep.alone(store.place.directory):
                count = keep.undo(store, ident, context.author, context.clock(), new_id)
        except ImportProblem as error:
            raise Failure(error.sentence) from error
        except JournalError as error:
            raise Failure(f"NOT SAVED: {error.sentence} Undo it again.") from error
    print(f"import {sanitise(ident, limit=40)}: {count} struck" if count else "all of it was struck already")
    return 0


def _desk(context: Context, store: Store, once: keep.Once, source: str) -> Desk:
    desk = Desk(
        context.essentials,
        once,
        store,
        lambda: context.fold(store),
        author=context.author,
        clock=context.clock,
        new_id=new_id,
        source=source,
        playbooks=lambda: context.playbooks()[0],
        in_force=lambda: in_force(store, lambda: desk.fold),
    )
    return desk


def _between(context: Context, timed: list[Timed]) -> list[Timed]:
    since, until = time_of(context, "since"), time_of(context, "until")
    return [
        one
        for one in timed
        if (since is None or (one.at is not None and one.at >= since))
        and (until is None or (one.at is not None and one.at <= until))
    ]


def _zone(said: str) -> tzinfo | None:
    if not said:
        return None
    if said.casefold() in ("utc", "z"):
        return UTC
    try:
        if said[0] in "+-":
            ahead = offset(said)
            return timezone(ahead) if ahead is not None else None
        from zoneinfo import ZoneInfo

        return ZoneInfo(said)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"--zone {sanitise(said, limit=40)}: write UTC, a zone such as Europe/Paris, or +01:00"
        ) from None


def _date(context: Context) -> date | None:
    said = context.call.options.get("date")
    try:
        return None if said is None else date.fromisoformat(said)
    except ValueError:
        raise UsageError(f"--date {sanitise(said or '', limit=40)}: write a day such as 2026-11-23") from None
