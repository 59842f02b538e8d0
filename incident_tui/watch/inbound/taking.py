"""Takes what is said in chat into the journal. Every platform and hook hands it in here, at the lease's holder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from incident_tui.desk.desk import Desk
from incident_tui.desk.outcome import DeskSettings, Handles
from incident_tui.incident.entry import Draft, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.watch.inbound import messages, verbs
from incident_tui.watch.inbound.messages import SOURCE, Memory, Message, Written
from incident_tui.watch.inbound.said import Answer, Rules, Said, Taken

_LINES = 4_000
"""So many `/inc` lines are known as carried out; one that comes again later still saves nothing twice."""


class Saving(Protocol):
    """Saves drafts, each under its own key, fenced by the lease. `watch.saving.Fenced` is one."""

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]:
        """`Writer.submit_each`."""

    def together(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
        """`Writer.submit`."""


Threads = Callable[[str, str, str], str]
"""(source, room, id of the message that began a thread) -> id of the incident whose thread it is, or ""."""


class Inbound:
    """All chat of one journal.

    `fold` is the watch's own, and gets at once what is saved here. `threads` tells the threads that our own messages
    began; those that are seen passing here are known without it.
    """

    def __init__(
        self,
        saving: Saving,
        fold: Fold,
        handles: Handles,
        settings: DeskSettings,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        threads: Threads = lambda source, room, thread: "",
        memory: Memory | None = None,
    ) -> None:
        self._saving = saving
        self._fold = fold
        self._handles = handles
        self._settings = settings
        self._clock = clock
        self._new_id = new_id
        self._threads = threads
        self._memory = Memory() if memory is None else memory
        self._written: dict[str, Written] = {}
        self._roots: dict[tuple[str, str, str], str] = {}
        self._carried_out: dict[str, None] = {}
        """Keys of the lines that were, newest last."""
        self._turn = asyncio.Lock()

    def remember(self, entries: Iterable[Entry]) -> None:
        """What the journal has of chat, oldest first: a later edit of it finds its entry after a restart, too."""
        keys: dict[Ref, str] = {}
        for entry in entries:
            if entry.kind is Kind.CHAT and not entry.purged and entry.data.get("remote"):
                data = {name: str(entry.data.get(name, "")) for name in ("from", "room", "remote", "thread")}
                source, room, remote, thread = data.values()
                key = messages.key_of(Said(source=source, room=room, id=remote, at=entry.at))
                keys[entry.id] = key
                self._written[key] = Written(entry.id)
                self._roots[source, room, thread or remote] = entry.incident
            elif entry.source == SOURCE and entry.ref in keys and not entry.purged:
                written = self._written[keys[entry.ref]]
                if entry.kind is Kind.AMEND:
                    written.edited = max(entry.at, written.edited or entry.at)
                elif entry.kind is Kind.STRIKE:
                    written.struck = True

    async def take(self, rules: Rules, batch: Sequence[Said]) -> Taken:
        """Takes what was told, in any order. Returns when all that it makes is saved. Raises JournalError when that can
        never be; while the disk cannot take it, it waits."""
        async with self._turn:
            touched: dict[str, Message] = {}
            commands: dict[str, tuple[Said, str]] = {}
            missing: list[Said] = []
            for each in batch:
                said = messages.bounded(each)
                key = messages.key_of(said)
                incident = messages.echoed(said, rules)
                if incident is not None:
                    if incident:
                        self._roots[said.source, said.room, said.thread or said.id] = incident
                    continue
                line = verbs.line_of(said.text) if said.text is not None else None
                if line is not None:
                    # An edit of such a line is no new one, and no entry of chat.
                    if said.edited is None and not said.deleted:
                        commands.setdefault(key, (said, line))
                    continue
                touched[key] = self._memory.merge(key, said, rules)
            await self._save(rules, list(touched.values()))
            for message in touched.values():
                told = message.original or message.edit
                if message.reacted and told is None and message.key not in self._written:
                    missing += [one for one in batch if messages.key_of(messages.bounded(one)) == message.key][:1]
            answers = [
                await self._command(rules, key, *command)
                for key, command in commands.items()
                if key not in self._carried_out
            ]
            return Taken(tuple(answers), tuple(missing))

    # ------------------------------------------------------------------ entries

    async def _save(self, rules: Rules, touched: Sequence[Message]) -> None:
        now = self._clock()
        fresh: list[tuple[Draft, str]] = []
        for message in touched:
            said = message.original
            if said is None or message.key in self._written:
                continue
            if messages.taken(message, rules, self._thread(said) is not None):
                draft = messages.entry_draft(said, rules, self._incident(said), now)
                if draft.text:
                    fresh.append((draft, message.key))
        if fresh:
            for entry, (_, key) in zip(await self._saved(self._saving.each(fresh)), fresh, strict=True):
                self._written[key] = Written(entry.id)
                if not entry.purged:
                    thread = str(entry.data.get("thread") or entry.data.get("remote", ""))
                    self._roots[str(entry.data.get("from", "")), str(entry.data.get("room", "")), thread] = (
                        entry.incident
                    )
        later: list[tuple[Draft, str]] = []
        for message in touched:
            written = self._written.get(message.key)
            entry_of = self._fold.get(written.ref) if written is not None else None
            if written is None or entry_of is None or entry_of.kind is not Kind.CHAT:
                continue
            later += messages.corrections(message, written, entry_of, rules, now)
        if later:
            await self._saved(self._saving.each(later))
            for message in touched:
                if message.key in self._written:
                    written = self._written[message.key]
                    written.struck = written.struck or message.deleted is not None
                    if message.edit is not None and message.edit.edited is not None:
                        written.edited = max(message.edit.edited, written.edited or message.edit.edited)

    async def _saved(self, future: Future[list[Entry]]) -> list[Entry]:
        entries = await asyncio.wrap_future(future)
        for entry in entries:
            self._fold.apply(entry)
        return entries

    def _thread(self, said: Said) -> str | None:
        """The incident of its thread, "" when that began with an entry outside any; None: it is in none of ours."""
        if not said.thread:
            return None
        known = self._roots.get((said.source, said.room, said.thread))
        if known is None:
            # A topic is named after its incident.
            known = self._threads(said.source, said.room, said.thread) or messages.incident_named(said.thread)
            known = known if known and self._fold.incident(known).rows else None
        return known

    def _incident(self, said: Said) -> str:
        """That of its thread, else the one in force; "" for what was said before: the fold places it by its time."""
        known = self._thread(said)
        if known:
            return known
        newest = self._fold.newest_open()
        if newest is None or newest.declared_at is None or said.at < newest.declared_at:
            return ""
        return newest.id

    # ------------------------------------------------------------------ verbs

    async def _command(self, rules: Rules, key: str, said: Said, line: str) -> Answer:
        if said.author_id not in rules.allow:
            message = self._memory.merge(key, said, rules)
            await self._save(rules, [message])
            return Answer(said, verbs.NOT_ALLOWED)
        at = min(said.at, self._clock())
        appender = _Appender(self._saving)
        desk = Desk(
            self._settings,
            appender,
            self._handles,
            self._fold,
            author=messages.author_of(said, rules),
            clock=lambda: at,
            new_id=self._new_id,
            source=SOURCE,
        )
        desk.choose(self._thread(said) or "")
        sentence, outcome = verbs.carry_out(desk, line, f"{key}:line")
        if outcome is not None and appender.future is not None:
            entries = await self._saved(appender.future)
            names = ", ".join(self._handles.handle(entry) for entry in entries)
            row = self._fold.row(entries[0].id)
            sentence = f"{names}: {row.word} {row.text}. {sentence}".strip() if row is not None else sentence
        self._carried_out[key] = None
        if len(self._carried_out) > _LINES:
            del self._carried_out[next(iter(self._carried_out))]
        return Answer(said, sentence)


class _Appender:
    """What the desk saves with, and what it gave."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self.future: Future[list[Entry]] | None = None

    def submit(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
        self.future = self._saving.together(drafts, key)
        return self.future
