"""The screen. It wires: session -> view -> lines -> widgets, and keys -> actions. Nothing is decided here.

One widget has the focus, the prompt, so that a printable key is text whatever is in view; which pane answers to arrows
and Enter is a plain variable. What keys and verbs do is in `ui.actions`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import ClassVar, Final

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer

from incident_tui.journal.errors import JournalError
from incident_tui.journal.last_seen import LastSeen
from incident_tui.ui import mouse, sheets
from incident_tui.ui.actions import Actions
from incident_tui.ui.alarm import Alarm, causes, notification
from incident_tui.ui.aside import Anew, from_thread, read_in
from incident_tui.ui.away import LONG, Away, news
from incident_tui.ui.burst import Burst
from incident_tui.ui.commands import BY_KEY
from incident_tui.ui.driver import driver_class
from incident_tui.ui.editor import EDITING
from incident_tui.ui.looking import AFTER_KEY
from incident_tui.ui.pace import Pace
from incident_tui.ui.painter import Painter, Pane
from incident_tui.ui.session import Session
from incident_tui.ui.since import since_rows, since_words, unread_line
from incident_tui.ui.widgets.prompt import Prompt
from incident_tui.ui.widgets.rows import Rows
from incident_tui.ui.words import refusal
from incident_tui.ui.written import Writing

TURN: Final = 0.015
"""Seconds between two steps of work, in which a key that came meanwhile passes all its stations to the terminal."""
WATCH_EVERY: Final = 5.0
PEOPLE_EVERY: Final = 5
BEAT_EVERY: Final = 20
PASTE_GAP: Final = 0.05
"""Enter and more keys within this are a paste of a terminal that does not mark pastes."""


class IncidentApp(App[int], inherit_bindings=False):
    """Runs until left. The return value is the exit status. Textual's own keys (Ctrl+Q quits at once) are off."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = "Screen { layout: vertical; overflow: hidden; } #body { height: 1fr; } #notices { height: 1; } "
    CSS += "#hint { height: 1; }"

    def __init__(
        self,
        session: Session,
        *,
        start_watch: Callable[[], None],
        ask: Callable[[str, str], None],
        colours: bool = True,
        paste_gap: float = PASTE_GAP,
        tick: float = 1.0,
    ) -> None:
        super().__init__(ansi_color=True, driver_class=driver_class(session.settings.screen.changed_cells))
        self.theme = "ansi-dark"
        self.session = session
        self.crash: Exception | None = None
        self._start_watch = start_watch
        self._tick_seconds = tick
        self.painter = Painter(session, colours=colours)
        self.talk = self.painter.talk
        self.prompt = self.painter.prompt
        self.status = self.painter.status
        self.window = self.painter.timeline.window
        self.sheet = self.painter.sheet
        self.actions = Actions(self, ask)
        self._painting = False
        self._pace = Pace()
        self._burst = Burst(paste_gap)
        self._alarm = Alarm()
        self._anew = Anew(session, self.paint)
        self._lent = ExitStack()
        self.away = Away(self)
        self.writing = Writing(self)
        self.seen_at = session.clock()
        """When the screen was last painted."""
        self._watch_at = -WATCH_EVERY
        self._ticks = 0
        self._last_seen = LastSeen(session.directory, session.author.name)
        self._told = False
        self._looks: Timer | None = None

    def compose(self) -> ComposeResult:
        painter = self.painter
        yield painter.head
        with Horizontal(id="body"):
            yield painter.status
            yield painter.timeline
            yield painter.sheet
        yield painter.notices
        yield painter.prompt
        yield painter.hint

    async def on_mount(self) -> None:
        self.prompt.focus()
        loop = asyncio.get_running_loop()
        self.session.on_status = lambda: from_thread(loop, self._saved)
        if self.session.listener is not None:
            loop.add_reader(self.session.listener.fileno(), self._rung)
        if not self.is_headless:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._ended_by, number)
            self.away.listen(loop)
        self.session.read_people()
        self.session.read_board()
        self.paint()
        self.call_later(self._load)
        self.set_interval(self._tick_seconds, self.tick)

    async def _load(self) -> None:
        await read_in(self.session, self.paint)
        self._look()
        if self.session.left_behind():
            self.talk.offer()
        self._since_left()
        self.talk.also(self.actions.running.left_over())
        self._check_watch()
        self.paint()
        self.call_later(self.fold_on)

    def fold_on(self) -> None:
        """Fold what is older a slice at a time, so that keys and paints get their turn."""
        if self.painter.listing.folds.step():
            self.set_timer(0.001, self.fold_on)

    def _since_left(self) -> None:
        """What came since this person's last screen was there, if that was a while ago."""
        left = self._last_seen.read()
        if left is not None and self.session.clock() - left >= LONG:
            self.talk.also(self.unread_since(left))
        self._told = True

    def unread_since(self, left: datetime) -> str:
        """Draw the line "since you left" and return the sentence to it, "" when nothing is new."""
        view = self.session.view()
        new = since_rows(view.rows, left, view.came)
        self.painter.unread = unread_line(new, left, view.now)
        return since_words(new, view, left)

    def on_unmount(self) -> None:
        self._here()

    def _here(self) -> None:
        """This person is here; noted once it was said what had come before."""
        if self._told:
            self._last_seen.mark(self.session.clock())

    def _rung(self) -> None:
        if self.session.listener is not None:
            self.session.listener.drain()
        self.later()

    def later(self) -> None:
        """Read and paint soon: at once after a quiet while, else with the next batch."""
        if not self._painting:
            self._painting = True
            self.set_timer(max(self._pace.wait(), 0.001), self._changed)

    def _changed(self) -> None:
        self._painting = False
        if not self.is_running:
            return
        with self._pace.work(first=True):
            new = self._look()
        self.set_timer(TURN, self._judge) if new else self.paint()

    def _judge(self) -> None:
        """Of many hosts what was read takes a while to judge: keys that came meanwhile have their turn before and
        after it."""
        with self._pace.work():
            self.session.machines()
        self.set_timer(TURN, self._show)

    def _show(self) -> None:
        with self._pace.work():
            self.paint()

    def _look(self) -> bool:
        """Read what is new in the journal and on the board; whether there was anything."""
        journal, board = self.session.poll()
        if board:
            self.session.read_board()
            if self.session.loaded:
                self.actions.closer.settle()
        if journal and self.session.loaded:
            while self.session.read_journal():
                pass
        self._anew.look()
        return journal or board

    def _saved(self) -> None:
        """The writer has something to say: a line was saved, or is not being saved."""
        if not self.is_running:
            return
        over = self.session.settle()
        self.talk.settled(over)
        if self.painter.hides([entry for _, fate in over if not isinstance(fate, str) for entry in fate]):
            self.talk.also("The filter hides it.")
        self.paint()

    def tick(self) -> None:
        """Once a second: the clock, and the net below the bell."""
        self._ticks += 1
        if self._ticks % PEOPLE_EVERY == 0:
            self.session.read_people()
        if self._ticks % BEAT_EVERY == 0:
            self.session.presence.beat()
            self._here()
        if self.session.loaded:
            self._check_watch()
        self._look()
        self._ring()
        self.paint()

    def _ring(self) -> None:
        """The bell, and the terminal's notification, when something calls for it; while an editor has the terminal,
        afterwards."""
        screen = self.session.settings.screen
        if self.away.since is not None or not self.session.loaded:
            return
        words = self._alarm.rings(causes(self.session.view()), self.session.clock())
        if words and screen.bell is True:
            self.bell()
        if words and screen.notify is True and self._driver is not None:
            self._driver.write(notification(words, os.environ))

    @property
    def stoppable(self) -> bool:
        return self._driver is not None and self._driver.can_suspend

    def release_terminal(self) -> None:
        """The terminal as it was before us; no frame is made until `claim_terminal`."""
        self._lent.enter_context(self.batch_update())
        if self._driver is not None and self._driver.can_suspend:
            self._lent.enter_context(self._driver.no_automatic_restart())
            self._driver.suspend_application_mode()

    def claim_terminal(self) -> None:
        """The screen again, drawn anew."""
        if self._driver is not None and self._driver.can_suspend:
            self._driver.resume_application_mode()
        self._lent.close()
        self.refresh(repaint=True, layout=True)

    def back(self, since: datetime) -> None:
        """The terminal is ours again, after others had it since then."""
        self.session.presence.beat()
        self._look()
        if self.session.clock() - since >= LONG:
            self.unread_since(since)
            self.talk.said = (news(self.session, since), "")
        self._ring()
        self.paint()

    def _check_watch(self) -> None:
        now = time.monotonic()
        if now - self._watch_at >= WATCH_EVERY and self.session.watch_needed():
            self._watch_at = now
            self.attempt(self._start_watch, "the watch could not be started")

    def attempt(self, act: Callable[[], None], failure: str) -> bool:
        """An act outside; when the system refuses it, that is said and the screen goes on."""
        try:
            act()
        except (OSError, JournalError) as error:
            self.talk.said = (f"{failure}: {refusal(error)}", "crit")
            return False
        return True

    def _ended_by(self, number: int) -> None:
        """The line was cut, or somebody ends us: leave in order, with the draft kept. Ctrl+C in an editor is for the
        editor."""
        if number == signal.SIGINT and self.away.since is not None:
            return
        if not self.writing.end(lambda: self.exit(128 + number)):
            self.exit(128 + number)

    def _handle_exception(self, error: Exception) -> None:
        """Leave the screen; whoever runs us says one sentence and writes the traceback to the log."""
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    def on_resize(self, event: events.Resize) -> None:
        # The event's size: this runs before the app has taken it over.
        self.painter.paint(event.size.width, event.size.height)

    def paint(self) -> None:
        """Show the view of now."""
        if self.away.since is not None:
            return
        self._pace.shown()
        self.seen_at = self.session.clock()
        self.painter.paint(self.size.width, self.size.height)

    def _typed(self) -> None:
        self.talk.changed()
        self.painter.paint_line(self.size.height)
        if self.talk.host is None and self.actions.looking.typed():
            if self._looks is not None:
                self._looks.stop()
            self._looks = self.set_timer(AFTER_KEY, self._show_looking)

    def _show_looking(self) -> None:
        self.actions.looking.show()
        self.paint()

    def send(self, sequence: str) -> None:
        """A sequence for the terminal itself, such as its clipboard, in order with the frames."""
        if self._driver is not None:
            self._driver.write(sequence)

    @property
    def pane(self) -> Pane:
        return self.painter.pane

    @pane.setter
    def pane(self, pane: Pane) -> None:
        self.painter.pane = pane

    def on_prompt_key_pressed(self, message: Prompt.KeyPressed) -> None:
        text = "\n" if message.key == "enter" and self.pane in ("prompt", "sheet") else message.character
        waits = self._burst.holding
        if self._burst.key(text, self.prompt.editor.text, message.at):
            if not waits:
                self.set_timer(self._burst.gap, self._burst_over)
        elif message.character:
            self._to_prompt()
            self.prompt.editor.insert(message.character)
            self._typed()
        elif message.key in BY_KEY:
            self.act(BY_KEY[message.key].action)
        elif message.key in EDITING:
            self._to_prompt()
            self.prompt.editor.key(message.key)
            self._typed()

    def _burst_over(self) -> None:
        left = self._burst.left(time.monotonic())
        if left > 0:
            self.set_timer(left, self._burst_over)
            return
        text, paste = self._burst.take()
        if not paste:
            self.act("enter")
            return
        self.prompt.editor.set("")
        self._paste(text)

    def on_prompt_pasted(self, message: Prompt.Pasted) -> None:
        self._to_prompt()
        self._paste(message.text)

    def _paste(self, text: str) -> None:
        if self.talk.pasted(text):
            self.open_paste(text)
        self.paint()

    def open_paste(self, text: str) -> None:
        """Show what is being asked about."""
        self.actions.open_sheet(sheets.of_paste(text))

    def on_rows_clicked(self, message: Rows.Clicked) -> None:
        mouse.clicked(self, message.id, message.y)

    def on_rows_wheeled(self, message: Rows.Wheeled) -> None:
        mouse.wheeled(self, message.id, message.step)

    def _to_prompt(self) -> None:
        if self.pane != "prompt":
            self.pane = "prompt"
            self.paint()

    def act(self, action: str) -> None:
        """Carry out the action of a key, by its name in `commands.Command.action`."""
        self.actions.do(action)
        self.paint()
