"""What one screen works on: journal, fold, board, desk, the kept line. No widget; the app asks and shows.

Reads happen on the thread that made it; saving happens on the writer's. Nothing here waits for a disk but to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import msgspec

from incident_tui.desk.desk import Desk
from incident_tui.desk.open import new_id as random_id
from incident_tui.desk.open import read_playbooks
from incident_tui.desk.outcome import Outcome
from incident_tui.hosts.changes import Change
from incident_tui.hosts.health import Judge
from incident_tui.hosts.raw import RawText
from incident_tui.incident.entry import ON_CARD, Author, Entry
from incident_tui.incident.meanings import Write
from incident_tui.incident.playbook import Playbook
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.journal.board import Board
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import Cursor
from incident_tui.journal.lease import Lease, boot_clock
from incident_tui.journal.notify import Listener
from incident_tui.journal.presence import Present
from incident_tui.journal.search import Found, Search
from incident_tui.journal.snapshot import load as load_snapshot
from incident_tui.journal.snapshot import save as save_snapshot
from incident_tui.journal.store import Store, system_clock
from incident_tui.journal.writer import Unsaved, Writer, WriterStatus
from incident_tui.report.standing import Standing
from incident_tui.ui import times
from incident_tui.ui.answered import Answered
from incident_tui.ui.aside import Aside, no_garbage
from incident_tui.ui.complete import Words, words_of
from incident_tui.ui.conflicts import Conflicts
from incident_tui.ui.kept import Kept, Sent, saved_by
from incident_tui.ui.past import CHUNK, Past
from incident_tui.ui.standing import standing
from incident_tui.ui.view import Decoder, Machines, Parts, Pending, Readings, View, assemble, machines, seen
from incident_tui.watch.answers import Answer
from incident_tui.watch.history import History

REJUDGE: Final = timedelta(seconds=5)
"""Findings are derived anew so often even when no reading came: readings grow old."""
CONFINED: Final = "this login has the screen and nothing beside it."
PENDING_SHOWN: Final = timedelta(milliseconds=500)


class Presence(Protocol):
    """Who has a screen open. `journal.presence.Presence` is one."""

    def people(self) -> list[Present]: ...

    def beat(self) -> None: ...


class Session:
    """Raises JournalError when the journal cannot be opened at all."""

    def __init__(
        self,
        *,
        settings: Parts,
        directory: Path,
        author: Author,
        presence: Presence,
        demo: bool,
        playbooks: Sequence[Path],
        letter: str = "a",
        confined: bool = False,
        clock: Callable[[], datetime] = system_clock,
        boot: Callable[[], float] = boot_clock,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self.settings = settings
        self.directory = directory
        self.author = author
        self.presence = presence
        self.demo = demo
        self.confined = confined
        """Joined by a key on a shared account: no editor, no shell, no file of the writer's choice."""
        self.clock = clock
        self._boot = boot
        self.store = Store.open(directory, letter=letter, clock=clock)
        self.board = Board.open(directory, clock=clock, boot_clock=boot)
        self._lease = Lease(directory, self.store, clock, boot)
        self.listener = self._listen()
        self.on_status: Callable[[], None] = lambda: None
        """Called on the writer's thread when it has something to say."""
        self.writer = Writer(
            lambda: Store.open(directory, letter=letter, clock=clock), clock=clock, on_status=lambda _: self.on_status()
        )
        self.aside = Aside(directory, letter, clock, demo, settings.report)
        self._past = Past()
        self.playbooks, self.broken_playbooks = read_playbooks(*playbooks)
        self.desk = Desk(
            settings,
            self.writer,
            self.store,
            self.fold,
            author=author,
            clock=clock,
            new_id=new_id,
            seen=lambda: seen(self.machines().findings, clock()),
            playbooks=lambda: self.playbooks,
            proposed=lambda book: self.machines().proposed(book, settings.sites),
            purge=self.aside.purge,
        )
        self.beside: Callable[[], str] = lambda: ""
        """What is wrong with what goes on beside: a sentence, or empty."""
        self.sent: list[Sent] = []
        self.offered: list[str] = []
        """Lines that an earlier screen left, still to be offered in the prompt."""
        self.loaded = False
        self._before = load_snapshot(self.store)
        """What an earlier screen knew, shown until the journal is read."""
        self._kept = Kept(directory, author.name)
        self._conflicts = Conflicts()
        self._decoder = Decoder()
        self._readings = Readings()
        self._answers = Answered(self.board)
        self._judge = Judge(REJUDGE)
        self._machines: Machines | None = None
        self._judged_at: datetime | None = None
        self._versions = (-1, -1)
        self._people: list[Present] = []
        self._read_problem = ""
        self._when: Mapping[str, tuple[str, ...]] = {name: book.when for name, book in self.playbooks.items()}

    def _listen(self) -> Listener | None:
        try:
            return Listener(self.directory)
        except JournalError:
            return None  # it lives by its poll then

    # Reading

    @property
    def fold(self) -> Fold:
        return self._past.fold

    def load(self) -> None:
        """Read and fold the whole journal, which may be on a thread of its own: until `loaded`, nothing else reads it.
        When it cannot be read, `view` says why, and calling again goes on."""
        try:
            with self.aside.open() as store, no_garbage():
                self._past.read_all(store)
                self._keep_snapshot(store)
        except JournalError as error:
            self._read_problem = error.sentence
            return
        self._read_problem, self.loaded = "", True

    def _keep_snapshot(self, store: Store) -> None:
        """For the next screen, when this journal is long."""
        incident = self.fold.newest_open()
        save_snapshot(store, self._past.here, incident, self._past.rows.of(incident))

    def read_journal(self) -> bool:
        """Take up to CHUNK new entries. True when there may be more at once."""
        try:
            more = self._past.read(self.store, CHUNK) == CHUNK
        except JournalError as error:
            self._read_problem = error.sentence
            return False
        self._read_problem = ""
        self.loaded = self.loaded or not more
        return more

    @property
    def read_to(self) -> Cursor:
        """How far the fold is."""
        return self._past.here

    @property
    def outdated(self) -> bool:
        """Something left the journals: they are to be read anew (`aside.Anew`)."""
        return self.loaded and self._past.outdated

    def take(self, past: Past) -> None:
        """Go on with what was read anew."""
        self._past = past
        self.desk.renew(past.fold)
        while self.read_journal():
            pass

    def read_board(self) -> None:
        self._readings = self._decoder.read(self.board.read())
        self._machines = None
        self._answers.renew()

    def poll(self) -> tuple[bool, bool]:
        """Whether the journal and the board have changed since the last call."""
        try:
            journal = self.store.data_version()
        except JournalError as error:
            self._read_problem = error.sentence
            journal = self._versions[0]
        versions = (journal, self.board.data_version())
        changed = (versions[0] != self._versions[0], versions[1] != self._versions[1])
        self._versions = versions
        return changed

    def read_people(self) -> None:
        self._people = self.presence.people()

    def watch_needed(self) -> bool:
        """Nobody holds the watch, or its holder hangs."""
        try:
            holder = self._lease.holder()
        except JournalError:
            return False  # the journal cannot be read: a watch could not write either
        return holder is None or not holder.fresh

    # What is shown

    def raw(self, host: str) -> RawText | None:
        """What the host's commands printed last, as the watch kept it."""
        return self.board.detail(f"raw/{host}", RawText)

    def history(self, key: str) -> History | None:
        """Of a row of the left pane ("host/web1", "site/…", "volume/…"): how its numbers went."""
        return self.board.detail(f"history/{key}", History)

    def answers(self, word: str) -> Mapping[str, Answer]:
        """What hosts answered to `word` when somebody asked, by host."""
        return self._answers.of(word)

    def machines(self) -> Machines:
        now = self.clock()
        if self._machines is None or self._judged_at is None or not timedelta(0) <= now - self._judged_at < REJUDGE:
            self._machines = machines(self._readings, self.settings, now, self._when, self._judge)
            self._judged_at = now
        return self._machines

    @property
    def incident(self) -> Incident | None:
        return self.desk.incident

    def view(self) -> View:
        now = self.clock()
        incident = self.desk.incident if self.loaded else None
        rows: Sequence[TimelineRow] = ()
        loading = "" if self.loaded else f"reading the journal: {sum(msgspec.structs.astuple(self.read_to))} entries"
        if not self.loaded and self._before is not None:
            incident, rows = self._before.incident, self._before.rows
            loading += f"; this was known at {times.clock(self._before.made_at)}Z"
        if self.loaded:
            rows = self._past.rows.of(incident)
        incidents = self.fold.incidents() if self.loaded else []
        opened = [one for one in incidents if one.open and one.declared_at is not None]
        others = sum(one.id != incident.id for one in opened) if incident is not None else len(opened)
        found = [self._read_problem, self.store.others_problem, *(one.problem for one in self._past.copies)]
        found += [self.board.problem, self.beside()]
        return assemble(
            self.machines(),
            self.settings,
            now=now,
            boot_now=self._boot(),
            me=self.author,
            incident=incident,
            other_open=others,
            rows=rows,
            letters=self.store.letters(),
            copies=self._past.copies,
            came=self._past.came,
            conflicts=self._conflicts.of(incident if self.loaded else None, self.author.name, now),
            people=self._people,
            writer=self.writer_status,
            pending=self.pending,
            loading=loading,
            problems=[one for one in [*found, *self.broken_playbooks[:1]] if one],
            demo=self.demo,
        )

    @property
    def writer_status(self) -> WriterStatus:
        return self.writer.status

    @property
    def pending(self) -> tuple[Pending, ...]:
        """Lines that have waited long enough to be worth a word."""
        now = self.clock()
        return tuple(Pending(one.at, one.line) for one in self.sent if now - one.at >= PENDING_SHOWN)

    def words(self, view: View) -> Words:
        """What Tab completes to."""
        incidents = tuple(one.id for one in self.fold.incidents()) if self.loaded else ()
        return words_of(view, self.settings, self.playbooks, incidents)

    def playbook(self, name: str) -> Playbook | None:
        return self.playbooks.get(name)

    # Writing

    def enter(self, line: str) -> Outcome:
        """Carry out a line. What is being saved is in `sent` until `settle`."""
        return self._sent(self.desk.carry_out(line))

    def answer(self, token: str, reply: str) -> Outcome:
        return self._sent(self.desk.answer(token, reply))

    def paste(self, text: str, *, backfill: bool) -> Outcome:
        return self._sent(self.desk.keep_paste(text, backfill=backfill))

    def keep_change(self, change: Change) -> Outcome:
        """Make a change entry of what a host told."""
        return self._sent(self.desk.keep_change(change))

    def _sent(self, outcome: Outcome) -> Outcome:
        if outcome.saving is not None:
            self.sent.append(Sent(self.clock(), outcome.line, outcome.saving))
            outcome.saving.add_done_callback(lambda _: self.on_status())
        return outcome

    def settle(self) -> list[tuple[Sent, list[Entry] | str]]:
        """Lines whose fate is known since the last call: their entries, or the sentence why they cannot be stored."""
        over: list[tuple[Sent, list[Entry] | str]] = []
        for one in [one for one in self.sent if one.saving.done()]:
            self.sent.remove(one)
            try:
                over.append((one, one.saving.result()))
            except JournalError as error:
                over.append((one, error.sentence))
        if over:
            self.desk.settle()
            self.read_journal()
        for _, entries in over:
            for entry in entries if isinstance(entries, list) else ():
                if entry.kind in ON_CARD and entry.incident:
                    self.aside.leave_card(self._standing(entry.incident))
        return over

    def search(self, asked: Search) -> Future[Found | JournalError]:
        """Look for entries in all incidents."""
        return self.aside.search(asked)

    def export(self, incident: str, file: str) -> Future[tuple[str, str]]:
        """Write the report; the future has what to say about it."""
        if self.confined and file:
            refused: Future[tuple[str, str]] = Future()
            refused.set_result(
                (f"Not to a file of your choice: {CONFINED} /export alone writes beside the journal.", "warn")
            )
            return refused
        return self.aside.export(incident, file)

    def hand_over(self, incident: str, to: str) -> Future[tuple[str, str]]:
        """Write the briefing for who takes command; the future has what to say about it."""
        return self.aside.hand_over(self._standing(incident), to)

    def _standing(self, incident: str) -> Standing:
        return standing(self.view(), self.settings, self.fold.incident(incident), self.store)

    # The kept line

    def keep(self, draft: str, *asked: str) -> bool:
        """Keep what is not in the journal: what waits to be saved or offered, what a question is about, the draft."""
        pieces = [*(one.line for one in self.sent), *self.offered, *asked]
        return self._kept.save([one for one in pieces if one], draft)

    def left_behind(self) -> list[str]:
        """The lines that earlier screens of this person left, oldest first, without those that were saved after all.
        They are in this screen's keeping from now on. Call it once the journal is read."""
        self.offered = self._kept.left_behind(self._was_saved)
        if self.keep(""):
            self._kept.forget_left()
        return self.offered

    def _was_saved(self, line: str, at: datetime) -> bool:
        """Whether an entry of this author says just this, recorded about then: the screen died before it knew."""
        meaning = self.desk.meaning(line)
        after = max(0, self.read_to.own - CHUNK)
        return isinstance(meaning, Write) and saved_by(self.store, after, meaning.text, self.author.name, at)

    def close(self, draft: str, *asked: str) -> list[Unsaved]:
        """Save what waits, keep what cannot be saved and the draft, and let go of everything."""
        self.keep(draft, *asked)
        if self.loaded:
            self._keep_snapshot(self.store)
        self.on_status = lambda: None
        unsaved = self.writer.close()
        self.aside.close()
        self.sent = [one for one in self.sent if not one.saving.done() or one.failed]
        self.keep(draft, *asked)
        self._kept.close(keep=bool(draft or any(asked) or self.sent or self.offered))
        if self.listener is not None:
            self.listener.close()
        self.board.close()
        self.store.close()
        return unsaved
