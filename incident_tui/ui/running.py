"""Commands on hosts of one screen: `/run web3` opens the host's own prompt, what runs goes on while notes are written.

One command at a time. Its output is shown over the timeline, Ctrl+C stops it there, one line says how it ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from incident_tui.desk.step_command import StepCommand, hosts_left, in_hand, next_line
from incident_tui.hosts.second_peer import at_risk
from incident_tui.incident.entry import Ref
from incident_tui.incident.said import same
from incident_tui.incident.views import Incident
from incident_tui.text import sanitise
from incident_tui.ui.conversation import Conversation
from incident_tui.ui.lines import Line, fit, wrap
from incident_tui.ui.session import CONFINED, Session
from incident_tui.ui.sheets import Opened
from incident_tui.ui.step_lines import step_lines
from incident_tui.ui.view import View

if TYPE_CHECKING:
    from incident_tui.desk.host_command import HostCommands, Ran, Wish
    from incident_tui.fleet.output import Lines
    from incident_tui.ui.host_prompt import Go

PASSED: Final = frozenset(
    {"up", "down", "page_up", "page_down", "to_start", "to_end", "repaint", "suspend", "yank", "leave"}
)
"""Actions of keys that mean the same while a host's prompt is open; others wait until it is left."""
ABOUT: Final = (
    "What you enter runs here, as you, with your own SSH keys, under /bin/sh and without a terminal.",
    "It gets no input: what asks for some finds its end. Ctrl+C stops it on the host, Esc leaves this prompt.",
    "Before it runs it stands in the journal, and afterwards how it ended. What looks like a secret is left out.",
)


class Running:
    """`open_sheet` shows something over the timeline and `close_sheet` takes it away; `changed` is called when there is
    more output or something to say."""

    def __init__(
        self,
        session: Session,
        talk: Conversation,
        *,
        open_sheet: Callable[[Opened], None],
        close_sheet: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self.session = session
        self.talk = talk
        self.output: Lines | None = None
        """Of the command that runs, or ran last."""
        self._open_sheet = open_sheet
        self._close_sheet = close_sheet
        self._changed = changed
        self._made: HostCommands | None = None
        self._wish: Wish | None = None
        self._step: StepCommand | None = None
        """The playbook's command that ran last, until what comes of it was suggested."""
        self._ran: Ran | None = None
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._verifying: set[asyncio.Task[None]] = set()
        self._history: list[str] = []

    @property
    def runs(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def commands(self) -> HostCommands:
        """Made when first needed: this imports the SSH library."""
        if self._made is None:
            from incident_tui.desk.host_command import HostCommands

            session = self.session
            self._made = HostCommands(
                session.desk,
                session.settings.commands,
                session.settings.hosts,
                session.settings.fleet,
                catch_up=self._catch_up,
                at_risk=lambda host: at_risk(session.machines().cluster, host),
                present=lambda: [one.name for one in session.presence.people() if one.alive],
            )
        return self._made

    def _catch_up(self) -> None:
        while self.session.read_journal():
            pass

    def open(self, argument: str) -> None:
        """`/run web3`, with or without a command, which is not run yet. Without one, that of the playbook's step which
        one has begun stands in the prompt; without a host, the next one for that step does."""
        host, _, command = argument.strip().partition(" ")
        known = {one.name.casefold(): one.name for one in self.session.settings.hosts}
        if self.session.confined:
            self.talk.said = (f"No commands on hosts: {CONFINED}", "warn")
        elif host.casefold() not in known:
            named = f"There is no host {sanitise(host, limit=40)}: Tab completes their names." if host else ""
            self.talk.editor.set(f"/run {argument}".rstrip() + ("" if argument else " "))
            self.talk.said = (named, "crit") if named else self._which_host()
        else:
            from incident_tui.ui.host_prompt import HostPrompt

            offered = self._in_hand()
            words = [one.word for one in reversed(offered)]
            self._history = [line for line in self._history if line not in words] + words
            self.talk.open_host(HostPrompt(known[host.casefold()], self.commands.judge, offered), self._history)
            self.talk.editor.set(command.strip())
            if offered and not command.strip():
                self.talk.editor.older()
            if offered and not self.runs:
                self._wish = None  # its output makes room for what is offered
            self._show()

    def _in_hand(self) -> tuple[StepCommand, ...]:
        session = self.session
        return in_hand(session.incident, session.playbooks, session.author.name)

    def _left(self, step: StepCommand) -> list[str]:
        incident = self.session.incident
        return hosts_left(step, self.session.settings.hosts, incident.remotes if incident is not None else ())

    def _which_host(self) -> tuple[str, str]:
        """What to say when no host was named; the prompt then has one that the step in hand is for."""
        offered = self._in_hand()
        left = self._left(offered[0]) if offered else []
        if not offered:
            return "On which host? /run web3", "crit"
        step = offered[0]
        if not left:
            return (
                f"Step {step.number} has ended well wherever it belongs: /tick {step.number}. Else: on which host?",
                "",
            )
        if step.host in left:
            self.talk.editor.set(f"/run {step.host}")
            others = ", ".join(name for name in left if name != step.host)
            words = f"Step {step.number} ({step.title}) is for {step.host}, where it was seen"
            return f"{words}; {others} if you mean another." if others else f"{words}.", ""
        if step.target != "host":
            self.talk.editor.set(f"/run {left[0]}")
        which = "any one of " if step.target == "any" and len(left) > 1 else ""
        return f"Step {step.number} ({step.title}) is for {which}{', '.join(left)}.", ""

    def takes(self, action: str, pane: str) -> bool:
        """Whether this action of a key is for us; then it is done."""
        if action == "leave" and self.runs:
            self._stop.set()
            self._say(f"{self._wish.host if self._wish else ''}: it is being stopped.", "warn")
            return True
        if self.talk.host is None:
            return False
        if action == "enter" and pane in ("prompt", "sheet"):
            self.enter()
        elif action in ("back", "leave"):
            self.leave()
        elif action in PASSED:
            return False
        else:
            self._say(f"This is the prompt of {self.talk.host.host}: Esc leaves it, then that key works.", "warn")
        return True

    def enter(self) -> None:
        prompt, editor = self.talk.host, self.talk.editor
        if prompt is None:
            return
        if self.runs:
            self._say("A command still runs: wait for its end, or Ctrl+C stops it.", "warn")
            return
        line = editor.text
        if prompt.step == "command":
            editor.remember(line)
        go = prompt.enter(line)
        editor.set(prompt.line)
        self._say(prompt.said, "crit" if prompt.said else "")
        if go is not None:
            self._begin(go)

    def leave(self) -> None:
        """Esc: one step back, and from the first one out."""
        prompt = self.talk.host
        if prompt is None:
            return
        if prompt.back():
            self.talk.editor.set(prompt.line)
            self._say(prompt.said, "")
            return
        self._history = self.talk.close_host()
        self._close_sheet()
        if not self.runs and self._step is not None:
            self._suggest(self._step)
        if self.runs and self._wish is not None:
            on = self._wish.host
            self._say(f"The command on {on} goes on; Ctrl+C stops it, /run {on} shows it.", "")

    def _begin(self, go: Go) -> None:
        from incident_tui.fleet.output import Lines

        self.output, self._wish, self._ran, self._stop = Lines(), go.wish, None, asyncio.Event()
        self._step = go.wish.step
        self._task = asyncio.get_running_loop().create_task(self._run(go))
        self._show()

    async def _run(self, go: Go) -> None:
        try:
            ran = self._ran = await self.commands.run(go.wish, go.verdict, stop=self._stop, output=self._came)
        except Exception as error:
            logging.getLogger(__name__).exception("a command on a host")
            self._say(f"This should not have happened ({sanitise(str(error), limit=120)}); see the log.", "crit")
            return
        done = ran.finished
        verified = ""
        if go.wish.verify and done is not None and done.started:
            when = f"in {go.wish.minutes} min, while this screen is open" if go.wish.minutes else "now"
            verified = f" It is verified {when}."
            task = asyncio.get_running_loop().create_task(self._verify(go.wish, ran))
            self._verifying.add(task)
            task.add_done_callback(self._verifying.discard)
        well = done is not None and done.exit == 0 and not done.problem and ran.held is not False
        if (done is None or not done.started) and self.talk.host is not None and not self.talk.editor.text:
            self.talk.editor.set(go.wish.step.word if go.wish.step is not None else go.wish.command)
        # Who had to confirm was reminded then.
        reminder = "" if go.verdict.confirm else go.verdict.reminder
        said = f"{ran.sentence}{verified} {reminder}".rstrip()
        self._say(said, "ok" if well else "crit" if done is None or not done.started else "warn")

    async def _verify(self, wish: Wish, ran: Ran) -> None:
        said = await self.commands.verify(wish, ran)
        self._say(said, "ok" if said.startswith(f"{wish.host} held") else "crit")
        if wish.step is not None and self.talk.host is None:
            self._suggest(wish.step)

    def _suggest(self, step: StepCommand) -> None:
        """Put what comes next of this step into an empty prompt: that it is done, or failed, or the next host."""
        self._catch_up()
        incident = self.session.incident
        run = next((one for one in incident.runs if one.run == step.run), None) if incident is not None else None
        said = run.step(step.number) if run is not None else None
        mine = said is not None and said.step == "begun" and same(said.by.name, self.session.author.name)
        if incident is None or not mine or self.talk.host is not None or self.talk.ask is not None:
            return
        of_it = [one for one in incident.remotes if (one.run, one.number) == (step.run, step.number)]
        line = next_line(step, of_it[-1] if of_it else None, self._left(step))
        if line and not self.talk.editor.text:
            self._step = None
            self.talk.editor.set(line)
            before, style = self.talk.said
            self._say(f"{before} Enter saves that, or change it.".lstrip(), style)

    def left_over(self) -> str:
        """What is to be said of earlier commands when a screen is opened; empty when nothing is."""
        session = self.session
        return left_over(session.incident, session.author.name, session.clock(), session.store.handle)

    def _came(self, data: bytes, is_error: bool) -> None:
        if self.output is not None:
            self.output.feed(data)
        self._changed()

    def _say(self, sentence: str, style: str) -> None:
        self.talk.said = (sentence, style)
        self._changed()

    def _show(self) -> None:
        host = self.talk.host.host if self.talk.host is not None else ""
        self._open_sheet(Opened(f"{host}# as {self.session.author.name}", self._lines, wide=True, begin=self._from))

    def _from(self, lines: Sequence[Line]) -> int:
        """Output is read from its end, what is offered from its beginning."""
        return 0 if self._wish is None else len(lines)

    def offered_lines(self) -> list[tuple[str, str]]:
        """The commands of the step in hand, as they would run."""
        return list(step_lines(self.talk.host.offered)) if self.talk.host is not None else []

    def _lines(self, view: View, width: int) -> list[Line]:
        room = max(10, width - 1)
        if self._wish is None or self.output is None:
            said = [*self.offered_lines(), *((one, "") for one in ABOUT)]
        else:
            said = [(f"{self._wish.host}# {line}", "strong") for line in self._wish.command.split("\n")]
            if self.output.dropped:
                said.append((f"[{self.output.dropped} lines before these are not shown]", "unknown"))
            said += [(one, "") for one in self.output.now()]
            if self._ran is not None:
                said.append((self._ran.sentence, "strong"))
        return [
            fit([(f" {part}", style)], width, view.look)
            for line, style in said
            for part in (wrap(view.look.text(line), room, room) or [""])
        ]


def left_over(incident: Incident | None, name: str, now: datetime, handle: Callable[[Ref], str]) -> str:
    """What a person's earlier screens left of their commands: those without an end, and those never verified."""
    said: list[str] = []
    for one in incident.remotes if incident is not None else ():
        if not same(one.by.name, name):
            continue
        if one.ended_at is None:
            said.append(f"{handle(one.ref)} on {one.host} runs, or nobody knows how it ended: {one.command}.")
        elif one.unverified(now):
            said.append(f"{handle(one.ref)} on {one.host} was never verified: {one.expected}.")
    return " ".join(said)
