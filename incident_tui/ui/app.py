"""The screen. It wires: session -> view -> lines -> widgets, and keys -> actions. Nothing is decided here.

One widget has the focus, the prompt, so that a printable key is text whatever is in view; which pane answers to arrows
and Enter is a plain variable.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from typing import ClassVar, Final, Literal

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from incident_tui.desk import outcome as o
from incident_tui.incident.views import TimelineRow
from incident_tui.ui import detail
from incident_tui.ui.commands import BY_KEY, footer, help_lines
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.editor import EDITING
from incident_tui.ui.lines import Line, Look, fit, wrap
from incident_tui.ui.present import header, notices
from incident_tui.ui.session import Session
from incident_tui.ui.status import StatusRow, status_rows
from incident_tui.ui.timeline import Context, pending_lines
from incident_tui.ui.view import View
from incident_tui.ui.widgets.header import Header
from incident_tui.ui.widgets.prompt import Prompt
from incident_tui.ui.widgets.rows import Rows
from incident_tui.ui.widgets.sheet import Content, Sheet
from incident_tui.ui.widgets.status import StatusPane
from incident_tui.ui.widgets.timeline import Timeline

BATCH: Final = 0.25
"""Seconds between two paints that machines cause."""
WATCH_EVERY: Final = 5.0
LEAVE_WITHIN: Final = 5.0
PEOPLE_EVERY: Final = 5
BEAT_EVERY: Final = 20
PASTE_GAP: Final = 0.05
"""Enter and more keys within this are a paste of a terminal that does not mark pastes."""
_TYPED_AT_ONCE: Final = 0.005

Pane = Literal["prompt", "status", "timeline", "sheet"]


class IncidentApp(App[int]):
    """Runs until left. The return value is the exit status."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = "Screen { layout: vertical; overflow: hidden; } #body { height: 1fr; } #notices { height: 1; } "
    CSS += "#hint { height: 1; }"

    def __init__(
        self,
        session: Session,
        *,
        start_watch: Callable[[], None],
        ask_reading: Callable[[str], None],
        colours: bool = True,
        paste_gap: float = PASTE_GAP,
        tick: float = 1.0,
    ) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.session = session
        self.crash: Exception | None = None
        self._start_watch = start_watch
        self._ask_reading = ask_reading
        self._paste_gap = paste_gap
        self._tick_seconds = tick
        self.head = Header(id="header", colours=colours)
        self.status = StatusPane(id="status", colours=colours)
        self.timeline = Timeline(id="timeline", colours=colours)
        self.sheet = Sheet(id="sheet", colours=colours)
        self.notices = Rows(id="notices", colours=colours)
        self.prompt = Prompt(id="prompt", colours=colours)
        self.hint = Rows(id="hint", colours=colours)
        self.talk = Conversation(session, self.prompt.editor)
        self.pane: Pane = "prompt"
        self._view: View | None = None
        self._painting = False
        self._dirty_board = True
        self._last_paint = 0.0
        self._last_key = 0.0
        self._burst: list[str] | None = None
        self._burst_end = 0.0
        self._leave_at = -LEAVE_WITHIN
        self._watch_at = -WATCH_EVERY
        self._ticks = 0

    def compose(self) -> ComposeResult:
        yield self.head
        with Horizontal(id="body"):
            yield self.status
            yield self.timeline
            yield self.sheet
        yield self.notices
        yield self.prompt
        yield self.hint

    async def on_mount(self) -> None:
        self.prompt.focus()
        loop = asyncio.get_running_loop()
        self.session.on_status = lambda: self._from_thread(loop)
        if self.session.listener is not None:
            loop.add_reader(self.session.listener.fileno(), self._rung)
        if not self.is_headless:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._ended_by, number)
        self.session.read_people()
        self.session.read_board()
        self.paint()
        self.call_later(self._load)
        self.set_interval(self._tick_seconds, self.tick)

    def _from_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._saved)

    async def _load(self) -> None:
        """Read the journal in pieces; keys and paints get their turn between them."""
        while self.session.read_journal():
            self.paint()
            await asyncio.sleep(0)
        self.session.poll()
        if self.session.left_behind():
            self.talk.offer()
        self._check_watch()
        self.paint()

    # What happens outside

    def _rung(self) -> None:
        if self.session.listener is not None:
            self.session.listener.drain()
        self._later()

    def _later(self) -> None:
        """Read and paint soon: at once after a quiet while, else with the next batch."""
        if self._painting:
            return
        self._painting = True
        wait = max(0.0, BATCH - (time.monotonic() - self._last_paint))
        self.set_timer(max(wait, 0.001), self._changed)

    def _changed(self) -> None:
        self._painting = False
        if not self.is_running:
            return
        journal, board = self.session.poll()
        if board:
            self.session.read_board()
        if journal and self.session.loaded:
            while self.session.read_journal():
                pass
        if journal or board:
            self.paint()

    def _saved(self) -> None:
        """The writer has something to say: a line was saved, or is not being saved."""
        if not self.is_running:
            return
        self.talk.settled(self.session.settle())
        self.paint()

    def tick(self) -> None:
        """Once a second: the clock, and the net below the bell."""
        self._ticks += 1
        if self._ticks % PEOPLE_EVERY == 0:
            self.session.read_people()
        if self._ticks % BEAT_EVERY == 0:
            self.session.presence.beat()
        if self.session.loaded:
            self._check_watch()
        journal, board = self.session.poll()
        if board:
            self.session.read_board()
        if journal and self.session.loaded:
            self.session.read_journal()
        self.paint()

    def _check_watch(self) -> None:
        now = time.monotonic()
        if now - self._watch_at >= WATCH_EVERY and self.session.watch_needed():
            self._watch_at = now
            self._start_watch()

    def _ended_by(self, number: int) -> None:
        """The line was cut, or somebody ends us: leave in order, with the draft kept."""
        self.exit(128 + number)

    def _handle_exception(self, error: Exception) -> None:
        """Leave the screen; whoever runs us says one sentence and writes the traceback to the log."""
        self.crash = self.crash or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    # Painting

    def on_resize(self) -> None:
        self.paint()

    @property
    def _look(self) -> Look:
        return self._view.look if self._view is not None else Look(self.session.settings.screen.ascii)

    def paint(self) -> None:
        """Make the view of now and show it. Each widget redraws only the cells that differ."""
        self._last_paint = time.monotonic()
        view = self._view = self.session.view()
        width, height = self.size
        if width < 10 or height < 6 or not self.head.is_attached:
            return
        look = view.look
        head = header(view, width)[: max(2, height - 6)]
        self.head.show(head)
        hint = self._hint_lines(width)
        body = max(1, height - len(head) - 2 - len(hint))
        left = 0 if self.sheet.display and self.sheet.wide else left_width(width)
        self.status.display = bool(left)
        if left:
            rows = status_rows(view, left - 1)
            self.status.draw(rows, left, body, active=self.pane == "status", look=look)
        self.timeline.display = not self.sheet.display
        right = width - left
        self._feed(view, right)
        if self.sheet.display:
            self.sheet.draw(view, right, body, look)
        else:
            empty = view.loading or "Nothing yet. Type, and Enter saves it."
            self.timeline.draw(right, body, active=self.pane == "timeline", look=look, empty=empty)
        chosen = self.status.row() if self.pane == "status" else None
        self.notices.show([self._notice(view, chosen, width)])
        self._show_prompt(hint)

    def _feed(self, view: View, width: int) -> None:
        last = max((row.entry.seq for row in view.rows[-1:]), default=1)
        context = Context(width, view.look, view.letter, view.journal, max(3, len(str(last)) + 1))
        extra = [line for one in view.pending for line in pending_lines(one.at, one.text, context)]
        self.timeline.window.feed(view.rows, self.session.marks(view), context, extra)

    def _notice(self, view: View, chosen: StatusRow | None, width: int) -> Line:
        """The chosen row's sentence while the left pane is active, else what is running."""
        if chosen is not None:
            if not chosen.findings:
                return fit([(" Enter: more of this row", "")], width, view.look)
            return fit([(f" {view.look.text(chosen.findings[0].sentence)}", "strong")], width, view.look)
        return notices(view, width)

    def _hint_lines(self, width: int) -> list[Line]:
        text, style = self.talk.hint()
        if not text:
            return [footer(width, self._look)]
        most = 4 if self.talk.ask is not None or style else 1
        parts = wrap(self._look.text(text), width - 2, width - 2)
        lines = [fit([(f" {part}", style)], width, self._look) for part in parts[:most]]
        if len(parts) > most:
            lines[-1] = fit([(f" {parts[most - 1]} {self._look.cut}", style)], width, self._look)
        return lines

    def _show_prompt(self, hint: list[Line]) -> None:
        width = self.size.width
        self.prompt.draw(self.talk.label(), width, active=self.pane == "prompt", look=self._look)
        if self.hint.styles.height is None or self.hint.styles.height.value != len(hint):
            self.hint.styles.height = len(hint)
        self.hint.show(hint)

    def _typed(self) -> None:
        """The line changed: only the last lines are drawn, unless they need more or less room."""
        self.talk.changed()
        hint = self._hint_lines(self.size.width)
        if self.hint.styles.height is not None and self.hint.styles.height.value != len(hint):
            self.paint()
        else:
            self._show_prompt(hint)

    # Keys

    def on_prompt_key_pressed(self, message: Prompt.KeyPressed) -> None:
        gap, self._last_key = message.at - self._last_key, message.at
        if self._burst is not None:
            self._burst.append("\n" if message.key == "enter" else message.character)
            self._burst_end = time.monotonic() + self._paste_gap
            return
        if message.character:
            self._to_prompt()
            self.prompt.editor.insert(message.character)
            self._typed()
        elif message.key == "enter" and self.pane == "prompt" and gap < _TYPED_AT_ONCE and self._paste_gap:
            self._burst = [self.prompt.editor.text, "\n"]
            self._burst_end = time.monotonic() + self._paste_gap
            self.set_timer(self._paste_gap, self._burst_over)
        elif message.key in BY_KEY:
            self.act(BY_KEY[message.key].action)
        elif message.key in EDITING:
            self._to_prompt()
            self.prompt.editor.key(message.key)
            self._typed()

    def _burst_over(self) -> None:
        """Enter came right behind other keys: alone it was a line, with more behind it a paste."""
        left = self._burst_end - time.monotonic()
        if left > 0:
            self.set_timer(left, self._burst_over)
            return
        text, self._burst = "".join(self._burst or ()), None
        if text.count("\n") == 1 and text.endswith("\n"):
            self.act("enter")
        else:
            self.prompt.editor.set("")
            self._paste(text)

    def on_prompt_pasted(self, message: Prompt.Pasted) -> None:
        self._to_prompt()
        self._paste(message.text)

    def _paste(self, text: str) -> None:
        if self.talk.pasted(text):
            lines = text.splitlines()
            self.open_sheet("paste, not saved yet", lambda view, width: _text_lines(lines, width, view.look))
        self.paint()

    def _to_prompt(self) -> None:
        if self.pane != "prompt":
            self.pane = "prompt"
            self.paint()

    def act(self, action: str) -> None:
        """Carry out the action of a key."""
        getattr(self, f"do_{action}")()
        self.paint()

    def do_enter(self) -> None:
        if self.pane == "status":
            row = self.status.row()
            if row is not None:
                self._open_row(row)
        elif self.pane == "timeline":
            chosen = self.timeline.window.chosen()
            if chosen is not None:
                self._open_entry(chosen)
        else:
            self.pane = "prompt"
            asked = self.talk.ask
            outcome = self.talk.submit()
            if asked is not None and asked.paste and self.talk.ask is None:
                self.close_sheet()
            if outcome is not None and outcome.effect is not None:
                self._effect(outcome.effect)

    def do_tab(self) -> None:
        if self.pane == "prompt" and self.prompt.editor.text:
            view = self._view or self.session.view()
            self.talk.complete(self.session.words(view))
        else:
            self._next_pane(1)

    def do_pane_back(self) -> None:
        self._next_pane(-1)

    def _next_pane(self, step: int) -> None:
        panes: list[Pane] = ["prompt", "status", "sheet" if self.sheet.display else "timeline"]
        if self.sheet.display and self.sheet.wide:
            panes.remove("status")
        at = panes.index(self.pane) if self.pane in panes else 0
        self.pane = panes[(at + step) % len(panes)]
        if self.pane == "timeline":
            self.timeline.window.select(0)
        else:
            self.timeline.window.selected = None

    def do_back(self) -> None:
        if self.talk.ask is not None:
            paste = self.talk.ask.paste
            self.talk.cancel()
            if paste:
                self.close_sheet()
        elif self.sheet.display:
            self.close_sheet()
        self.pane = "prompt"
        self.timeline.window.selected = None

    def do_up(self) -> None:
        self._vertical(-1)

    def do_down(self) -> None:
        self._vertical(1)

    def _vertical(self, step: int) -> None:
        editor = self.prompt.editor
        if self.pane == "status":
            self.status.move(step)
        elif self.pane == "timeline":
            self.timeline.window.select(step)
        elif self.pane == "prompt" and self.talk.ask is None and (editor.older() if step < 0 else editor.newer()):
            self.talk.changed()
        else:
            self._scroll(step)

    def _scroll(self, lines: int) -> None:
        if self.sheet.display:
            self.sheet.scroll_lines(lines)
        else:
            self.timeline.window.scroll(lines)

    def _page(self) -> int:
        return max(1, self.size.height - 8)

    def do_page_up(self) -> None:
        if self.pane == "status":
            self.status.move(-self._page())
        else:
            self._scroll(-self._page())

    def do_page_down(self) -> None:
        if self.pane == "status":
            self.status.move(self._page())
        else:
            self._scroll(self._page())

    def do_to_start(self) -> None:
        if self.sheet.display:
            self.sheet.scroll_lines(-1_000_000)
        else:
            self.timeline.window.to_start()

    def do_to_end(self) -> None:
        if self.sheet.display:
            self.sheet.scroll_lines(1_000_000)
        else:
            self.timeline.window.to_end()

    def do_help(self) -> None:
        if self.sheet.display and self.sheet.title.startswith("help"):
            self.close_sheet()
        else:
            self._effect(o.ShowHelp())

    def do_read(self) -> None:
        self._effect(o.ReadFresh())

    def do_repaint(self) -> None:
        self.refresh(repaint=True, layout=True)

    def do_leave(self) -> None:
        now = time.monotonic()
        if now - self._leave_at < LEAVE_WITHIN:
            self.exit(0)
            return
        self._leave_at = now
        self.talk.said = ("Ctrl+C again leaves. Watching goes on; your line is kept.", "warn")

    # What is opened

    def open_sheet(self, title: str, content: Content, *, wide: bool = False) -> None:
        self.sheet.open(title, content, wide=wide)
        if self.pane == "timeline":
            self.pane = "sheet"

    def close_sheet(self) -> None:
        self.sheet.shut()
        if self.pane == "sheet":
            self.pane = "prompt"

    def _open_row(self, row: StatusRow) -> None:
        key, section = row.key, row.section

        def content(view: View, width: int) -> list[Line]:
            rows = status_rows(view, left_width(self.size.width) - 1)
            now = next((one for one in rows if one.key == key), None)
            gone = StatusRow(section, key, None, ())
            return detail.status_detail(now or gone, view, width)

        self.open_sheet(row.key.partition("/")[2].split("/")[0] or section, content)

    def _open_entry(self, row: TimelineRow) -> None:
        ref = row.ref

        def content(view: View, width: int) -> list[Line]:
            return detail.entry_detail(self.session.fold.row(ref) or row, view, width)

        self.open_sheet("entry", content)

    def _effect(self, effect: o.Effect) -> None:
        session = self.session
        match effect:
            case o.ShowHelp(verb=verb):
                title = f"help /{verb}" if verb else "help"
                self.open_sheet(title, lambda view, width: help_lines(verb, width, view.look), wide=True)
            case o.ListIncidents():
                self.open_sheet(
                    "incidents",
                    lambda view, width: detail.list_lines(
                        "/incident ID chooses one", detail.incident_rows(session.fold.incidents()), width, view.look
                    ),
                )
            case o.ListPlaybooks():
                rows = [(f"/play {name}", book.title) for name, book in session.playbooks.items()]
                self.open_sheet("playbooks", lambda view, width: detail.list_lines("", rows, width, view.look))
            case o.OpenPlaybook(name=name):
                self._open_playbook(name)
            case o.ReadFresh(host=host):
                self._ask_reading(host)
                self.talk.said = (f"A fresh reading of {host or 'all hosts'} is asked for.", "")
            case o.WriteReport(incident=incident, file=file):
                self.talk.said = session.export(incident, file)
            case o.Leave():
                self.exit(0)
            case o.Switched():
                self.timeline.window.to_end()

    def _open_playbook(self, name: str) -> None:
        book = self.session.playbook(name)
        if book is None:
            return

        def content(view: View, width: int) -> list[Line]:
            runs = view.incident.runs if view.incident is not None else ()
            run = next((one for one in reversed(runs) if one.name == name), None)
            return detail.playbook_lines(book, run, width, view.look)

        self.open_sheet(f"playbook {name}", content)


def left_width(width: int) -> int:
    """Columns of the left pane with its bar."""
    if width < 70:
        return max(20, width * 2 // 5)
    return 32 if width < 110 else 44 if width < 160 else 60


def _text_lines(lines: list[str], width: int, look: Look) -> list[Line]:
    return [fit([(f" {look.text(line)}", "")], width, look) for line in lines]
