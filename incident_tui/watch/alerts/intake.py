"""Takes alerts into the journal: once each, together where they are many; declares an incident where a rule says so."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Draft, Entry, Kind
from incident_tui.incident.related import named, subjects
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident
from incident_tui.watch.alerts.alert import Alert, digest, identity
from incident_tui.watch.alerts.firing import FiringTable
from incident_tui.watch.alerts.judging import Judge, Judged
from incident_tui.watch.alerts.rows import Firings
from incident_tui.watch.alerts.storm import Budget, Cluster, Storms, author_of
from incident_tui.watch.inbound.taking import Saving

SOURCE: Final = "alert"
"""`Entry.source` of what comes from alerts."""
_SEEN: Final = 30_000
_HOMES: Final = 5_000
_ROWS: Final = 500
_TURN: Final = 200


class Intake:
    """All alerts of one journal. `fold` is the watch's own, and gets at once what is saved here."""

    def __init__(
        self,
        saving: Saving,
        fold: Fold,
        judge: Judge,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._saving = saving
        self._fold = fold
        self._judge = judge
        self._clock = clock
        self._new_id = new_id
        self.firing = FiringTable()
        self._budget = Budget(clock())
        self._storms = Storms()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._homes: OrderedDict[Cluster, str] = OrderedDict()
        self._turn = asyncio.Lock()

    def remember(self, entries: Iterable[Entry], kept: Firings | None) -> None:
        """What the journal, and the last watch's board, have of alerts."""
        entries = list(entries)
        self.firing.remember(entries, kept)
        for entry in entries:
            if entry.kind is not Kind.ALERT or entry.purged:
                continue
            told = [str(entry.data.get(name, "")) for name in ("from", "key", "episode", "status")]
            self._note(identity(*told))
            if entry.incident:
                self._home((told[0], str(entry.data.get("group", ""))), entry.incident)
        for one in kept.alerts if kept is not None else ():
            self._note(identity(one.source, one.key, one.episode, "firing"))  # it was counted in a storm

    async def take(self, alerts: Sequence[Alert]) -> None:
        """Takes alerts, in order. Returns when what is an entry of its own is saved; what is only counted is written
        soon. Raises JournalError when that can never be; while the disk cannot take it, it waits."""
        await self.save(await self.see(alerts))

    async def see(self, alerts: Sequence[Alert]) -> list[Judged]:
        """What fires now, at once, whether or not the disk takes it; the rest is for `save`."""
        found: list[Judged] = []
        for number, alert in enumerate(alerts):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)  # a body may hold thousands: the others have a turn
            judged = self._judge.judge(alert)
            if judged is not None:
                judged = self._with_episode(judged)
                self.firing.take(judged)
                found.append(judged)
        return found

    async def save(self, told: Sequence[Judged]) -> None:
        """The second half of `take`. One after the other: who tells again what is being saved waits for it, too."""
        async with self._turn:
            drafts: list[tuple[Draft, str]] = []
            fresh: list[str] = []
            for judged in told:
                name = judged.alert.identity
                if name in self._seen or judged.alert.silenced:
                    continue
                self._note(name)
                fresh.append(name)
                if self._budget.spend(judged.cluster, judged.alert.seen_at):
                    drafts += self._drafts(judged)
                else:
                    if judged.declares:
                        drafts += self._declared(judged)[1]
                    self._storms.add(judged)
            if not drafts:
                return
            try:
                await self._saved(self._saving.each(drafts))
            except Exception:
                self._forget(fresh)
                raise

    def _forget(self, names: Iterable[str]) -> None:
        """They were not saved: told again, they are new."""
        for name in names:
            self._seen.pop(name, None)
        for cluster, incident in list(self._homes.items()):
            if not self._fold.incident(incident).rows:
                del self._homes[cluster]

    def flush(self, *, all_of_them: bool = False) -> None:
        """Submits the counts that are due; nobody waits for them."""
        if not self._storms:
            return
        for cluster, draft in self._storms.due(self._clock(), all_of_them=all_of_them):
            incident = self._homes.get(cluster) or self._in_force(draft.at)
            self._saving.each([(msgspec.structs.replace(draft, incident=incident), f"storm:{self._new_id()}")])

    def _with_episode(self, judged: Judged) -> Judged:
        if judged.alert.episode:
            return judged
        alert = msgspec.structs.replace(judged.alert, episode=self.firing.episode(judged))
        return msgspec.structs.replace(judged, alert=alert)

    def _note(self, name: str) -> None:
        self._seen[name] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)

    def _home(self, cluster: Cluster, incident: str) -> None:
        self._homes.pop(cluster, None)
        self._homes[cluster] = incident
        if len(self._homes) > _HOMES:
            self._homes.popitem(last=False)

    async def _saved(self, future: Future[list[Entry]]) -> None:
        for entry in await asyncio.wrap_future(future):
            self._fold.apply(entry)

    # ------------------------------------------------------------------ entries

    def _drafts(self, judged: Judged) -> list[tuple[Draft, str]]:
        incident, before = self._declared(judged) if judged.declares else (self._place(judged), [])
        if incident:
            self._home(judged.cluster, incident)
        return [*before, (_draft(judged, incident), judged.alert.identity)]

    def _place(self, judged: Judged) -> str:
        """Which incident it belongs to: that of its group while it is open, else the one in force, else by time."""
        home = self._homes.get(judged.cluster)
        if home is not None and _running(self._fold.incident(home)):
            return home
        return self._in_force(judged.alert.at)

    def _in_force(self, at: datetime) -> str:
        newest = self._fold.newest_open()
        if newest is None or newest.drill or newest.declared_at is None or at < newest.declared_at:
            return ""
        return newest.id

    def _declared(self, judged: Judged) -> tuple[str, list[tuple[Draft, str]]]:
        """The incident about what fires, and what declares it when none is open about the same."""
        alert, rule = judged.alert, judged.rule
        assert rule is not None
        running = self._about_the_same(judged)
        if running:
            self._home(judged.cluster, running)
            return running, []
        key = f"alert-declare:{digest(alert.source, judged.group, alert.key, alert.episode)}"
        # Made of nothing but the alert: told again after a restart it names the same one, closed or not.
        incident = f"INC-{alert.at:%Y%m%d}-{digest(key)[:4]}"
        title = alert.sentence[:200]
        data: dict[str, Any] = {
            "title": title,
            "severity": rule.severity,
            "attach_minutes": 60,
            "by": [alert.source, judged.group],
        }

        def draft(kind: Kind, text: str, at: datetime, data: dict[str, Any]) -> Draft:
            return Draft(
                kind=kind,
                text=text,
                at=at,
                author=author_of(alert.source),
                incident=incident,
                source=SOURCE,
                data=data,
            )

        self._home(judged.cluster, incident)
        return incident, [
            (draft(Kind.DECLARE, title, alert.seen_at, data), key),
            (draft(Kind.MILESTONE, "", alert.at, {"name": "detected"}), f"{key}:detected"),
        ]

    def _about_the_same(self, judged: Judged) -> str:
        """An incident that is running about this group or this machine. An exercise is about nothing real."""
        home = self._homes.get(judged.cluster)
        if home is not None and (not self._fold.incident(home).rows or _running(self._fold.incident(home))):
            return home  # without rows: it is being declared
        running = [one for one in self._fold.incidents() if _running(one)]
        return next((one.id for one in running if _about(one, judged)), "")


def _running(one: Incident) -> bool:
    return one.declared_at is not None and one.open and one.stood_down_at is None and not one.drill


def _about(one: Incident, judged: Judged) -> bool:
    """Whether it has an alert of the same group or name, be it of another source, or one of both names what the other
    is about."""
    rows = [row for row in one.rows[-_ROWS:] if not row.struck]
    alert = judged.alert
    if any(_of(row.entry, judged) for row in rows):
        return True
    if named([alert.title, alert.text, *alert.labels.values()], subjects(rows)):
        return True
    return bool(judged.host) and bool(named([one.title, *(row.said for row in rows)], [judged.host]))


def _of(entry: Entry, judged: Judged) -> bool:
    data = entry.data
    if entry.kind is not Kind.ALERT:
        return False
    return (data.get("from"), data.get("group")) == judged.cluster or data.get("title") == judged.alert.title


def _draft(judged: Judged, incident: str) -> Draft:
    alert = judged.alert
    data: dict[str, Any] = {
        "from": alert.source,
        "key": alert.key,
        "episode": alert.episode,
        "status": alert.status,
        "level": "ok" if alert.status == "resolved" else judged.level,
        "severity": alert.severity,
        "title": alert.title,
        "group": judged.group,
        "labels": alert.labels,
        "link": alert.link,
        "host": judged.host,
    }
    return Draft(
        kind=Kind.ALERT,
        text=alert.sentence,
        at=alert.at,
        author=author_of(alert.source),
        incident=incident,
        source=SOURCE,
        data={name: value for name, value in data.items() if value},
    )
