"""The linear screen: the same session, conversation and verbs as the other, told in lines."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from incident_tui.desk import outcome as o
from incident_tui.incident.entry import Entry
from incident_tui.journal.errors import JournalError
from incident_tui.journal.everything import START
from incident_tui.journal.last_seen import LastSeen
from incident_tui.ui.alarm import Alarm, causes
from incident_tui.ui.aside import Anew, from_thread, read_in
from incident_tui.ui.away import LONG, Away, news
from incident_tui.ui.burst import Burst
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.editor import EDITING, Editor
from incident_tui.ui.linear.asked import AskedInLines
from incident_tui.ui.linear.effects import Effects
from incident_tui.ui.linear.keys import Key
from incident_tui.ui.linear.prompt_line import MARK
from incident_tui.ui.linear.running import RunningInLines
from incident_tui.ui.linear.spoken import Announcer, overview
from incident_tui.ui.linear.tty import Tty
from incident_tui.ui.lines import Look
from incident_tui.ui.session import Session
from incident_tui.ui.since import since_rows, since_words
from incident_tui.ui.words import refusal
from incident_tui.ui.written import Writing

BATCH: Final = 1.0
"""Seconds between two announcements at least; machines speak together."""
TYPING: Final = 1.5
"""Seconds without a key before something is announced over a half-typed line."""
PATIENCE: Final = 10.0
"""Seconds after which it is announced all the same."""
WATCH_EVERY: Final = 5.0
BEAT_EVERY: Final = 20
LEAVE_WITHIN: Final = 5.0
PASTE_GAP: Final = 0.05
_WELCOME: Final = "Incident screen in lines. Enter alone tells how things are, /help all else; Ctrl+C twice leaves."


class LinearScreen:
    """Runs until left, as `ui.app.IncidentApp` does; it has the same parameters."""

    def __init__(
        self,
        session: Session,
        *,
        start_watch: Callable[[], None],
        ask: Callable[[str, str], None],
        paste_gap: float = PASTE_GAP,
    ) -> None:
        self.session = session
        self.crash: Exception | None = None
        self.look = Look(session.settings.screen.plain)
        self.talk = Conversation(session, Editor())
        self.away: Away = Away(self)
        self.writing: Writing = Writing(self)
        self.seen_at = session.clock()
        self.is_running = False
        self.stoppable = True
        self.tty = Tty(self.talk.editor, self.look, self._key, lambda: self.exit(128 + signal.SIGHUP))
        self._start_watch, self.ask = start_watch, ask
        self.asked = AskedInLines(session, ask)
        self.effects: Effects = Effects(self)
        self.running = RunningInLines(self)
        self._anew = Anew(session, lambda: None)
        self._announcer = Announcer()
        self._alarm = Alarm()
        self._burst = Burst(paste_gap)
        self._waiting: list[str] = []
        self._waiting_since = self._said_at = self._typed_at = self._leave_at = -LEAVE_WITHIN
        self._watch_at = -WATCH_EVERY
        self._ticks = 0
        self._after = START
        self._last_seen = LastSeen(session.directory, session.author.name)
        self.left: datetime | None = None
        """Since then entries are unread."""
        self._mine: set[tuple[str, int]] = set()
        self._trouble = ""
        self._ended: asyncio.Future[int] | None = None

    def run(self, *, mouse: bool = False) -> int:
        """The exit status."""
        return asyncio.run(self._run())

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self.is_running = True
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended_by, number)
        loop.add_signal_handler(signal.SIGWINCH, self.tty.draw)
        self.away.listen(loop)
        self.session.on_status = lambda: from_thread(loop, self._saved)
        if self.session.listener is not None:
            loop.add_reader(self.session.listener.fileno(), self._rung)
        self.session.read_people()
        self.session.read_board()
        self.tty.claim()
        going = loop.create_task(self._begin())
        try:
            self.tty.say([_WELCOME])
            return await self._ended
        except Exception as error:
            self.crash = error
            return 1
        finally:
            self.is_running = False
            going.cancel()
            if self.session.listener is not None:
                loop.remove_reader(self.session.listener.fileno())
            self.tty.release()
            if self.session.loaded:
                self._last_seen.mark(self.session.clock())

    def exit(self, status: int) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(status)

    def _ended_by(self, number: int) -> None:
        if number == signal.SIGINT and self.away.since is not None:
            return
        if not self.writing.end(lambda: self.exit(128 + number)):
            self.exit(128 + number)

    async def _begin(self) -> None:
        try:
            await read_in(self.session, lambda: self.tty.say([self.session.view().loading]))
            self._after = self.session.read_to
            self._guarded(self._opened)
            while True:
                self._guarded(self._tick)
                await asyncio.sleep(1.0)
        except Exception as error:
            if self._ended is not None and not self._ended.done():
                self._ended.set_exception(error)

    def _opened(self) -> None:
        if self.session.left_behind():
            self.talk.offer()
        self._changes()
        self.tty.say([*overview(self.session.view()), self._since_left(), *self._spoken(), self.running.left_over()])

    def _guarded(self, act: Callable[[], None]) -> None:
        """A journal that cannot be read now is said once, and tried again."""
        trouble, self._trouble = self._trouble, ""
        try:
            act()
        except JournalError as error:
            self._trouble = error.sentence
            if trouble != error.sentence:
                self.tell([error.sentence])

    def _since_left(self) -> str:
        """What came since this person's last screen was there, if that was a while ago; "" else."""
        self.left, view = self._last_seen.read(), self.session.view()
        if self.left is None or view.now - self.left < LONG:
            return ""
        return since_words(since_rows(view.rows, self.left, view.came), view, self.left, "/go unread tells them.")

    # What changes

    def _rung(self) -> None:
        if self.session.listener is not None:
            self.session.listener.drain()
        if self.session.loaded:
            self._guarded(self._look)

    def _tick(self) -> None:
        self._ticks += 1
        self.session.read_people()
        if self._ticks % BEAT_EVERY == 0:
            self.session.presence.beat()
            self._last_seen.mark(self.session.clock())
        now = time.monotonic()
        if now - self._watch_at >= WATCH_EVERY and self.session.watch_needed():
            self._watch_at = now
            self.attempt(self._start_watch, "the watch could not be started")
        self._look()

    def _look(self) -> None:
        journal, board = self.session.poll()
        if board:
            self.session.read_board()
            self._queue(self.asked.came(self.session.view(), self.tty.columns - 1))
        if journal:
            while self.session.read_journal():
                pass
        self._anew.look()
        self._changes()
        if self.away.since is None:
            self.seen_at = self.session.clock()
            self._ring()
            self._announce()

    def _changes(self) -> None:
        """Everything worth a line since the last call."""
        view = self.session.view()
        said = self._announcer.states(view) + self._announcer.machines(view)
        said += self._announcer.entries(self._new(), view, self.session.fold)
        self._queue(said)

    def _queue(self, said: list[str]) -> None:
        if said and not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting += said

    def _new(self) -> list[Entry]:
        """What the fold has taken in since; what was appended only now is told with the next call."""
        if self._after == self.session.read_to:
            return []
        new, _ = self.session.store.read_all(self._after)
        self._after = self.session.read_to
        known = (entry for entry in new if self.session.fold.get(entry.id) is not None)
        return [entry for entry in known if (entry.journal, entry.seq) not in self._mine]

    def _announce(self) -> None:
        """Say what waits, but not into a line that is being typed just now, nor to a terminal that does not take it."""
        now = time.monotonic()
        typing = bool(self.talk.editor.text) and now - self._typed_at < TYPING
        patient = now - self._waiting_since < PATIENCE
        if self._waiting and not self.tty.behind and now - self._said_at >= BATCH and not (typing and patient):
            self._said_at = now
            said, self._waiting = self._waiting, []
            self.tty.say(said)

    def _ring(self) -> None:
        words = self._alarm.rings(causes(self.session.view()), self.session.clock())
        if words and self.session.settings.screen.bell is True:
            self.tty.ring()

    def _saved(self) -> None:
        if not self.is_running:
            return
        over = self.session.settle()
        for _, fate in over:
            self._mine |= set() if isinstance(fate, str) else {(entry.journal, entry.seq) for entry in fate}
        self.talk.settled(over)
        if over:
            self.tell(self._spoken())

    # Keys

    def _key(self, key: Key) -> None:
        self._typed_at = time.monotonic()
        text = "\n" if key.name == "enter" else key.text
        waits = self._burst.holding
        if key.name != "paste" and self._burst.key(text, self.talk.editor.text, self._typed_at):
            if not waits:
                asyncio.get_running_loop().call_later(self._burst.gap, self._burst_over)
            return
        try:
            self._act(key)
        except JournalError as error:
            self.tell([error.sentence])

    def _burst_over(self) -> None:
        left = self._burst.left(time.monotonic())
        if left > 0:
            asyncio.get_running_loop().call_later(left, self._burst_over)
            return
        text, paste = self._burst.take()
        if paste:
            self.talk.editor.set("")
            self._paste(text)
        else:
            self._enter()
        self.tty.draw()

    def _act(self, key: Key) -> None:
        editor = self.talk.editor
        if key.name == "":
            editor.insert(key.text)
            self.talk.changed()
        elif key.name == "paste":
            self._paste(key.text)
        elif key.name in _ACTIONS and self.running.takes(_ACTIONS[key.name]):
            return
        elif key.name == "ctrl+d" and not editor.text and self.talk.ask is None and self.talk.host is None:
            self.exit(0)
        elif key.name == "tab" and editor.text:
            self.talk.complete(self.session.words(self.session.view()))
            self.tell(self._spoken(answer_only=True))
        elif key.name in ("up", "down") and self.talk.ask is None:
            moved = editor.older() if key.name == "up" else editor.newer()
            if moved:
                self.talk.changed()
        elif key.name in _KEYS:
            _KEYS[key.name](self)
        elif key.name in EDITING:
            editor.key(key.name)
            self.talk.changed()

    def _paste(self, text: str) -> None:
        if self.talk.pasted(text):
            self.tell(self._spoken())

    def open_paste(self, text: str) -> None:
        self.tell(text.split("\n"))

    def _escape(self) -> None:
        if self.talk.ask is not None:
            self.talk.cancel()
            self.tell(self._spoken())

    def _leave(self) -> None:
        now = time.monotonic()
        if now - self._leave_at < LEAVE_WITHIN:
            self.exit(0)
            return
        self._leave_at = now
        self.tell(["Ctrl+C again leaves. Watching goes on; your line is kept."])

    def _enter(self) -> None:
        if self.talk.host is not None:
            self.tty.end_line()
            self.running.takes("enter")
            return
        meant = self.talk.label() if self.talk.ask is None else ""
        self.tty.end_line()
        if not self.talk.editor.text.strip() and self.talk.ask is None and not self.session.offered:
            self.tell(overview(self.session.view()))
            return
        outcome = self.talk.submit()
        said = self._spoken()
        self.tell([f"{meant}. {said[0]}" if meant and said else meant, *said[1:]] if meant else said)
        if outcome is not None and outcome.effect is not None:
            self.effects.take(outcome.effect)

    def _spoken(self, *, answer_only: bool = False) -> list[str]:
        """The question that waits, or the last answer."""
        if self.talk.ask is not None and not answer_only:
            return [self.talk.hint()[0]]
        return [self.talk.said[0]] if self.talk.said[0] else []

    def tell(self, lines: Sequence[str]) -> None:
        host = self.talk.host
        self.tty.mark = f"{host.label}{host.mark} " if host else "answer > " if self.talk.ask is not None else MARK
        self.tty.say([line for line in lines if line])
        self.tty.draw()

    def attempt(self, act: Callable[[], None], failure: str) -> bool:
        try:
            act()
        except (OSError, JournalError) as error:
            self.tell([f"{failure}: {refusal(error)}"])
            return False
        return True

    # The terminal in other hands

    def lend(self, act: Callable[[], None]) -> None:
        """To the editor or the shell; why not, when that is refused."""
        before = self.talk.said
        act()
        if self.talk.said != before:
            self.tell(self._spoken(answer_only=True))

    def release_terminal(self) -> None:
        self.tty.release()

    def claim_terminal(self) -> None:
        self.tty.claim()

    def back(self, since: datetime) -> None:
        """The terminal is ours again, after others had it since then."""
        self.session.presence.beat()
        self.left = since
        self._look()
        self.tell(([news(self.session, since)] if self.session.clock() - since >= LONG else []) + self._spoken())


_ACTIONS: Final = {"escape": "back", "ctrl+c": "leave"} | dict.fromkeys(
    ("tab", "ctrl+e", "f1", "f2", "f5", "f8"), "other"
)
"""Keys that a command on a host, or the prompt of one, may take, and what they do on the other screen."""
_KEYS: Final[dict[str, Callable[[LinearScreen], None]]] = {
    "enter": LinearScreen._enter,
    "escape": LinearScreen._escape,
    "ctrl+c": LinearScreen._leave,
    "ctrl+e": lambda screen: screen.lend(screen.writing.start),
    "ctrl+z": lambda screen: screen.lend(screen.away.suspend),
    "ctrl+l": lambda screen: screen.tell(overview(screen.session.view())),
    "f1": lambda screen: screen.effects.take(o.ShowHelp()),
    "f2": lambda screen: screen.effects.on_screen("state", ""),
    "f5": lambda screen: screen.effects.take(o.ReadFresh()),
    "f8": lambda screen: screen.effects.on_screen("changes", ""),
    "f9": lambda screen: screen.effects.take(o.Resend()),
}
