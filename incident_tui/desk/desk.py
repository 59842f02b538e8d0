"""The desk: a typed line -> saved entries, a refusal, a question or an effect. The same for screen and command line.

It never waits: what is saved is in `Outcome.saving`. It decides nothing by itself about the past: the fold does. Lines
come from one thread. Nothing typed is lost: a refusal and a question return the line, and nothing was saved then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from incident_tui.desk import drafts as d
from incident_tui.desk import outcome as o
from incident_tui.desk.outcome import Outcome, Question
from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref, Seen
from incident_tui.incident.grammar import parse
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.people import zone_of

YES = ("yes", "y")

if TYPE_CHECKING:
    from incident_tui.hosts.changes import Change
    from incident_tui.incident.paste import Backfill, Evidence
    from incident_tui.incident.playbook import Playbook
    from incident_tui.incident.state import Fold
    from incident_tui.incident.views import Incident


class _Asked(msgspec.Struct, frozen=True):
    line: str
    parsed: Parsed
    question: Question
    key: str


class Desk:
    """One author's desk, for one session.

    `clock` gives aware UTC, `new_id` a fresh id of at least 8 letters and digits. `fold` is kept up to date by the
    caller; the desk adds what it saved itself. In its place may stand what makes it, called when a line first needs
    more of the past than which incident is in force; until then `in_force` tells that one's id, or "". `seen` gives
    what the screen shows now. `playbooks` gives those that can be opened, by name, `proposed` what the board knows of
    one's variables. `purge` destroys an entry; without it `/purge` is refused.
    """

    def __init__(
        self,
        settings: o.DeskSettings,
        append: o.Appender,
        handles: o.Handles,
        fold: Fold | Callable[[], Fold],
        *,
        author: Author,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        source: str = "tui",
        seen: Callable[[], Seen | None] = lambda: None,
        playbooks: Callable[[], Mapping[str, Playbook]] = dict,
        proposed: Callable[[Playbook], Mapping[str, str]] = lambda book: {},
        purge: o.Purger | None = None,
        in_force: Callable[[], str] | None = None,
    ) -> None:
        self.settings = settings
        self.append = append
        self.handles = handles
        self._make_fold = fold if callable(fold) else None
        self._fold = None if callable(fold) else fold
        self.author = author
        self.clock = clock
        self.new_id = new_id
        self.source = source
        self.seen = seen
        self.playbooks = playbooks
        self.proposed = proposed
        self.purge = purge
        self._in_force = in_force
        self._chosen = ""
        self._playing = ""
        self._waiting: list[o.Saving] = []
        self._mine: list[Ref] = []
        self._asked: dict[str, _Asked] = {}

    @property
    def fold(self) -> Fold:
        if self._fold is None:
            assert self._make_fold is not None
            self._fold = self._make_fold()
        return self._fold

    def renew(self, fold: Fold) -> None:
        """The journals were read anew: something left them."""
        self._fold = fold

    @property
    def folded(self) -> bool:
        """Whether there is a fold, so that asking for it costs nothing."""
        return self._fold is not None

    @property
    def working(self) -> str:
        """The id of the incident in force: the chosen one, else the newest open one; "" when there is none."""
        self.settle()
        if self._chosen:
            return self._chosen
        if self._fold is None and self._in_force is not None:
            return self._in_force()
        newest = self.fold.newest_open()
        return newest.id if newest is not None else ""

    @property
    def incident(self) -> Incident | None:
        """The incident in force, as it stands."""
        working = self.working
        return self.fold.incident(working) if working else None

    def choose(self, incident: str) -> None:
        """Work in this incident from now on; "" for the newest open one."""
        self._chosen = incident

    def meaning(self, line: str) -> Parsed:
        """What the line means now, with this desk's people and the author's zone."""
        people, roles = self.settings.people, self.settings.command.roles
        return parse(line, now=self.clock(), people=people, zone=zone_of(self.author.name, people), roles=roles)

    def echo(self, line: str) -> str:
        """What the prompt shows before Enter."""
        from incident_tui.incident.echo import echo

        return echo(self.meaning(line), self.clock())

    def settle(self) -> None:
        """Take what has been committed into the fold. What failed is dropped here: its `saving` raises."""
        waiting: list[o.Saving] = []
        for saving in self._waiting:
            if not saving.done():
                waiting.append(saving)
                continue
            try:
                entries = saving.result()
            except Exception:  # the caller has the same `saving` and is told why
                if self._chosen and not self.fold.incident(self._chosen).rows:
                    self._chosen = ""  # its declare was never stored
                continue
            for entry in entries:
                if self._fold is not None:
                    self._fold.apply(entry)
                if entry.author == self.author:
                    self._mine.append(entry.id)
        self._waiting = waiting

    def carry_out(self, line: str, *, key: str = "", confirmed: bool = False) -> Outcome:
        """Carry out one line. `key` makes a repeat harmless (default: a fresh id). `confirmed`: ask nothing."""
        return self._carry_out(line, self.meaning(line), key or self.new_id(), confirmed)

    def answer(self, token: str, reply: str) -> Outcome:
        """The reply to a question. Anything but what it wants saves nothing and returns the line."""
        asked = self._asked.pop(token, None)
        if asked is None:
            return Outcome(line=reply, refusal="That question is no longer open: enter the line again.")
        said = reply.strip().casefold()
        if said != asked.question.wants and not (asked.question.wants == "yes" and said in YES):
            return Outcome(line=asked.line, refusal="Not saved. The line is in the prompt.")
        return self._carry_out(asked.line, asked.parsed, asked.key, confirmed=True)

    def keep_paste(self, text: str, *, backfill: bool = False, key: str = "") -> Outcome:
        """Save a paste: as evidence, or by choice as notes at the times its lines start with."""
        from incident_tui.incident.paste import paste

        now = self.clock()
        pasted = paste(text, now, zone_of(self.author.name, self.settings.people))
        writes = self._pasted(pasted, backfill)
        if isinstance(writes, str):
            return Outcome(line=text, refusal=writes)
        if not writes:
            return Outcome(line=text)
        scene = self._scene()
        return self._save(text, [d.write(one, scene) for one in writes], key or self.new_id())

    def keep_change(self, change: Change) -> Outcome:
        """Save what a host told of itself as a change entry at its own time. The same one again is saved once."""
        scene = self._scene()
        key = f"change:{scene.working}:{change.host}:{change.at.isoformat()}:{change.what}"
        return self._save(f"/change {change.host}: {change.what}", [d.change(change, scene)], key)

    def keep_command(self, data: dict[str, Any], text: str = "", *, of: Entry | None = None) -> o.Saving:
        """Save a step of a command on a host (`entry.DATA[Kind.COMMAND]`); `of` is the intent that it answers."""
        scene = self._scene()
        incident, ref = (of.incident, of.id) if of is not None else (None, None)
        draft = scene.draft(Kind.COMMAND, text, scene.now, data, ref=ref, incident=incident)
        saving = self.append.submit([draft], self.new_id())
        self._waiting.append(saving)
        return saving

    def crossed(self, saved: Sequence[Entry]) -> str:
        """What an author is told who came second: with a hold after a command on what is held, with what only one can
        have done; empty when nobody did. The fold must have what the journal has."""
        from incident_tui.incident.contested import came_second
        from incident_tui.incident.policy import running_before

        holds = [entry for entry in saved if entry.kind is Kind.HOLD and entry.incident]
        running = [one for entry in holds for one in running_before(entry, self.fold.incident(entry.incident))]
        said = [f"{one.by.name}'s command on {one.host} was first and still runs: {one.command}" for one in running]
        said += [came_second(entry, self.fold.incident(entry.incident)) for entry in saved if entry.incident]
        return "; ".join(one for one in said if one)

    def _pasted(self, pasted: Evidence | Backfill, backfill: bool) -> Sequence[m.Write] | str:
        from incident_tui.incident.paste import Backfill, Evidence

        if not backfill:
            return (pasted.evidence if isinstance(pasted, Backfill) else pasted).entries
        if isinstance(pasted, Evidence):
            return "The first line does not start with a time such as 14:05: it can only be kept as evidence."
        return pasted.entries

    def _scene(self) -> Scene:
        return Scene(
            working=self.working,
            past=lambda: self.fold,
            author=self.author,
            now=self.clock(),
            source=self.source,
            seen=self.seen(),
            mine=tuple(self._mine),
            unsaved=bool(self._waiting),
            handles=self.handles,
            settings=self.settings,
            new_id=self.new_id,
            playbooks=self.playbooks,
            proposed=self.proposed,
            playing=self._playing,
        )

    def _carry_out(self, line: str, parsed: Parsed, key: str, confirmed: bool) -> Outcome:
        match parsed:
            case m.Nothing():
                return Outcome(line=line)
            case m.Refused(sentence=sentence):
                return Outcome(line=line, refusal=sentence)
            case m.ShowHelp(verb=verb):
                return Outcome(line=line, effect=o.ShowHelp(verb))
            case m.Quit():
                return Outcome(line=line, effect=o.Leave())
            case m.OnScreen(verb=verb, argument=argument):
                return Outcome(line=line, effect=o.OnScreen(verb, argument))
            case m.Resend(handle=handle):
                return self._resend(line, handle)
            case m.ReadNow(host=host):
                return Outcome(line=line, effect=o.ReadFresh(host))
            case _:
                pass
        scene = self._scene()
        try:
            order = self._order(parsed, scene)
        except No as no:
            return Outcome(line=line, refusal=no.sentence)
        sentence = " ".join(part for part in (parsed.question, order.question) if part)
        if sentence and not confirmed:
            question = Question(self.new_id(), sentence, parsed.wants)
            self._asked = {question.token: _Asked(line, parsed, question, key)}
            return Outcome(line=line, question=question)
        if isinstance(parsed, m.Purge):
            return self._purge(line, parsed, scene)
        if order.choose is not None:
            self._chosen = order.choose
        if isinstance(order.effect, o.OpenPlaybook):
            self._playing = order.effect.name
        if not order.drafts:
            return Outcome(line=line, effect=order.effect, notice=order.notice)
        outcome = self._save(line, order.drafts, order.key or key, order.told)
        return msgspec.structs.replace(outcome, effect=order.effect, notice=order.notice)

    def _order(self, parsed: Parsed, scene: Scene) -> Order:
        match parsed:
            case m.Switch(incident=wanted):
                return self._switch(wanted, scene)
            case m.Export(file=file):
                if scene.incident is None:
                    newest = next(iter(self.fold.incidents()), None)
                    if newest is None:
                        raise No("There is no incident to export: /declare TITLE opens one.")
                    return Order(effect=o.WriteReport(newest.id, file))
                return Order(effect=o.WriteReport(scene.incident.id, file))
            case m.Purge(handle=handle):
                scene.find(handle)
                return Order()
            case _:
                return d.order(parsed, scene)

    def _switch(self, wanted: str, scene: Scene) -> Order:
        if not wanted:
            return Order(effect=o.ListIncidents(tuple(one.id for one in self.fold.incidents())))
        found = scene.which(wanted)
        return Order(effect=o.Switched(found), choose=found, notice=f"Working in {found}.")

    def _resend(self, line: str, handle: str) -> Outcome:
        entry = self.handles.find(handle) if handle else None
        if handle and entry is None:
            return Outcome(line=line, refusal=f"There is no entry {handle}.")
        return Outcome(line=line, effect=o.Resend(entry.id if entry is not None else None))

    def _purge(self, line: str, parsed: m.Purge, scene: Scene) -> Outcome:
        if self.purge is None:
            return Outcome(line=line, refusal="Nothing can be purged from here: use `incident-tui purge`.")
        target = scene.find(parsed.handle)
        more = (
            f" {target.archive} has it, too: incident-tui archive FILE --purge {parsed.handle}."
            if target.archive
            else ""
        )
        try:
            entry = self.purge(target.id, self.author, parsed.reason)
        except Exception as error:
            sentence = getattr(error, "sentence", "")  # JournalError; anything else is a defect and goes up
            if not sentence:
                raise
            return Outcome(line=line, refusal=str(sentence))
        if not isinstance(entry, Entry):
            self._waiting.append(entry)
            notice = f"The text of {parsed.handle} is gone when this is saved; its number stays.{more}"
            return Outcome(line=line, saving=entry, notice=notice)
        self.fold.apply(entry)
        return Outcome(
            line=line,
            saving=Saved([entry]),
            notice=f"The text of {parsed.handle} is destroyed; its number stays.{more}",
        )

    def _save(
        self, line: str, drafts: Sequence[Draft], key: str, told: Callable[[Entry], str] | None = None
    ) -> Outcome:
        saving = self.append.submit(drafts, key)
        if told is not None:
            from incident_tui.desk.playing import Claim

            saving = Claim(saving, drafts[0], told)
        self._waiting.append(saving)
        self.settle()
        return Outcome(line=line, saving=saving, drafts=tuple(drafts))


class Saved:
    """A Saving that is over: the entries, or why not."""

    def __init__(self, entries: list[Entry], error: Exception | None = None) -> None:
        self._entries = entries
        self._error = error

    def done(self) -> bool:
        return True

    def result(self) -> list[Entry]:
        if self._error is not None:
            raise self._error
        return self._entries

    def add_done_callback(self, call: Callable[[Any], object]) -> None:
        call(self)
