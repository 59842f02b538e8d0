"""Everything one picture of the screen is made from, at one moment. Pure: the board's rows, the fold, settings and now.

Findings are derived here, with the clock of this moment, so that a watch that died leaves nothing green behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import msgspec

from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.cluster import ClusterView
from incident_tui.hosts.cluster import view as cluster_view
from incident_tui.hosts.health import Judge
from incident_tui.hosts.health import findings as host_findings
from incident_tui.hosts.readings import HostReading
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.entry import Author, Ref, Seen
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.playbook import Playbook
from incident_tui.incident.proposed import proposed
from incident_tui.incident.settings import Command, Commands, Person, Roster, Severity
from incident_tui.incident.views import Incident, TimelineRow
from incident_tui.incident.work import Contested
from incident_tui.journal.board import Row
from incident_tui.journal.everything import handle
from incident_tui.journal.others import Copy
from incident_tui.journal.presence import Present
from incident_tui.journal.writer import WriterStatus
from incident_tui.replica.rows import ReplicaRow, replica_findings, ways
from incident_tui.replica.settings import Replica
from incident_tui.replica.sync_settings import Sync
from incident_tui.report.settings import Report
from incident_tui.ui.lines import SYMBOL, Look
from incident_tui.ui.settings import Screen
from incident_tui.watch.alerts.rows import AlertsRow, alert_findings
from incident_tui.watch.alerts.settings import AlertSource, Listener
from incident_tui.watch.rooms.rows import RoomRow, room_findings
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.rows import BastionsRow, ChatRow, SiteRow, WatchRow, site_findings
from incident_tui.watch.settings import ChatSink, Site

WATCH_STALE: Final = 15.0
"""Seconds of the boot clock after which a watch that has put nothing on the board is called stale."""

T = TypeVar("T")


class Parts(Protocol):
    """What the screen reads of the configuration. `config.Settings` is one."""

    @property
    def people(self) -> Sequence[Person]: ...
    @property
    def severities(self) -> Sequence[Severity]: ...
    @property
    def command(self) -> Command: ...
    @property
    def rosters(self) -> Sequence[Roster]: ...
    @property
    def hosts(self) -> Sequence[Host]: ...
    @property
    def sites(self) -> Sequence[Site]: ...
    @property
    def chat(self) -> Sequence[ChatSink]: ...
    @property
    def report(self) -> Report: ...
    @property
    def alerts(self) -> Sequence[AlertSource]: ...
    @property
    def rooms(self) -> Sequence[Room]: ...
    @property
    def sync(self) -> Sequence[Sync]: ...
    @property
    def replica(self) -> Replica: ...
    @property
    def listener(self) -> Listener: ...
    @property
    def thresholds(self) -> Thresholds: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def commands(self) -> Commands: ...
    @property
    def screen(self) -> Screen: ...


class Readings(msgspec.Struct, frozen=True):
    """The board, decoded. `broken` has one sentence for each row that could not be read."""

    hosts: dict[str, HostReading] = {}
    sites: dict[str, SiteRow] = {}
    chats: dict[str, ChatRow] = {}
    rooms: dict[str, RoomRow] = {}
    replicas: dict[str, ReplicaRow] = {}
    bastions: BastionsRow | None = None
    alerts: AlertsRow | None = None
    watch: WatchRow | None = None
    watch_boot: float = 0.0
    """Boot time of the watch's row: its heartbeat."""
    broken: tuple[str, ...] = ()


class Decoder:
    """Decodes the board's rows; a row that did not change is not decoded again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, object]] = {}

    def read(self, rows: Mapping[str, Row]) -> Readings:
        broken: list[str] = []
        hosts = self._all(rows, "host/", HostReading, broken)
        sites = self._all(rows, "site/", SiteRow, broken)
        chats = self._all(rows, "chat/", ChatRow, broken)
        rooms = self._all(rows, "room/", RoomRow, broken)
        replicas = self._all(rows, "replica/", ReplicaRow, broken)
        bastions = self._all(rows, "bastions", BastionsRow, broken).get("")
        alerts = self._all(rows, "alerts", AlertsRow, broken).get("")
        watch = self._all(rows, "watch", WatchRow, broken).get("")
        self._known = {key: value for key, value in self._known.items() if key in rows}
        boot = rows["watch"].boot if "watch" in rows else 0.0
        return Readings(hosts, sites, chats, rooms, replicas, bastions, alerts, watch, boot, tuple(broken))

    def _all(self, rows: Mapping[str, Row], prefix: str, kind: type[T], broken: list[str]) -> dict[str, T]:
        found: dict[str, T] = {}
        for key, row in rows.items():
            if not key.startswith(prefix):
                continue
            known = self._known.get(key)
            if known is not None and known[0] == row.body and isinstance(known[1], kind):
                found[key[len(prefix) :]] = known[1]
                continue
            try:
                value = msgspec.json.decode(row.body, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError):
                broken.append(f"the reading of {key} is damaged or of another version")
                continue
            self._known[key] = (row.body, value)
            found[key[len(prefix) :]] = value
        return found


class WatchState(msgspec.Struct, frozen=True):
    """Whether somebody watches. `age` None: nobody ever did on this board."""

    age: float | None = None
    pid: int = 0
    node: str = ""

    @property
    def fresh(self) -> bool:
        return self.age is not None and self.age <= WATCH_STALE


class Pending(msgspec.Struct, frozen=True):
    """A line that was entered and is not yet saved."""

    at: datetime
    text: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One moment. `rows` is the timeline: the incident's, or what was recorded outside any."""

    now: datetime
    me: Author
    look: Look = Look()
    incident: Incident | None = None
    other_open: int = 0
    """Incidents that are open besides the one shown."""
    rows: Sequence[TimelineRow] = ()
    letters: Mapping[str, str] = {}
    """How handles begin, by journal: `Store.letters`."""
    copies: Sequence[Copy] = ()
    """How far the copies of other bastions' journals are."""
    came: Mapping[Ref, datetime] = {}
    """When entries of other bastions arrived that came late."""
    conflicts: Sequence[Contested] = ()
    """What this person and another both did, as it became known lately."""
    host_names: tuple[str, ...] = ()
    hosts: dict[str, HostReading] = {}
    sites: tuple[Site, ...] = ()
    site_rows: dict[str, SiteRow] = {}
    sinks: tuple[str, ...] = ()
    chats: dict[str, ChatRow] = {}
    rooms: tuple[RoomRow, ...] = ()
    replicas: tuple[ReplicaRow, ...] = ()
    bastions: BastionsRow | None = None
    """How this watch stands to those of other bastions over a cluster; None: there is none."""
    alerts: AlertsRow | None = None
    """What fires; None: nothing was ever heard."""
    alert_sources: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    cluster: ClusterView = ClusterView(peers=(), volumes=())
    thresholds: Thresholds = Thresholds()
    command: Command = Command()
    severities: Sequence[Severity] = ()
    watch: WatchState = WatchState()
    people: tuple[Present, ...] = ()
    writer: WriterStatus = WriterStatus()
    pending: tuple[Pending, ...] = ()
    loading: str = ""
    """While the journal is still being read: how far."""
    problems: tuple[str, ...] = ()
    """Sentences about the board or the journal's reading side."""
    suggested: tuple[str, ...] = ()
    """Playbooks that the findings suggest."""
    when: Mapping[str, Sequence[str]] = {}
    """For each playbook, the rules that suggest it."""
    demo: bool = False

    def handle(self, ref: Ref) -> str:
        """The short name of an entry, as `Store.handle` gives it."""
        return handle(self.letters, ref)


class Machines(msgspec.Struct, frozen=True):
    """What the readings mean at one moment: the costly part of a view, shared by the views of a few seconds."""

    readings: Readings
    findings: tuple[Finding, ...]
    cluster: ClusterView
    when: Mapping[str, Sequence[str]] = {}
    """For each playbook, the rules that suggest it."""

    @property
    def suggested(self) -> tuple[str, ...]:
        return suggested(self.findings, self.when)

    def proposed(self, book: Playbook, sites: Sequence[Site]) -> dict[str, str]:
        """What the findings that suggest a playbook say of its variables, and as "host" where it is."""
        return proposed([*book.variables, "host"], book.when, self.findings, {one.name: one.url for one in sites})


def machines(
    readings: Readings,
    parts: Parts,
    now: datetime,
    when: Mapping[str, Sequence[str]],
    judge: Judge | None = None,
) -> Machines:
    """Findings and the cluster, from readings. `when` is, for each playbook, the rules that suggest it."""
    known = [readings.hosts[host.name] for host in parts.hosts if host.name in readings.hosts]
    cluster = cluster_view(known, parts.thresholds, now)
    found = host_findings(known, parts.thresholds, now, judge=judge, joined=cluster)
    found += site_findings(parts.sites, readings.sites, now)
    found += room_findings(parts.rooms, readings.rooms, now)
    found += replica_findings(ways(parts.sync, parts.replica), readings.replicas, now)
    found += alert_findings(parts.alerts, parts.listener, readings.alerts, now)
    for host in parts.hosts:
        if host.name not in readings.hosts:
            sentence, evidence = f"{host.name}: not read yet", "no reading on the board"
            found.append(Finding("host.stale", Level.UNKNOWN, host.name, sentence, now, host.name, evidence))
    found.sort(key=lambda one: (-one.level.rank, one.subject, one.rule))
    return Machines(readings, tuple(found), cluster, when)


def suggested(
    found: Sequence[Finding],
    when: Mapping[str, Sequence[str]],
    levels: Sequence[Level] = (Level.WARN, Level.CRIT),
) -> tuple[str, ...]:
    """Playbooks for those of the findings (worst first) that have one of the levels, the one for the worst first."""
    ranks: dict[str, int] = {}
    bad: set[str] = set()
    for rank, one in enumerate(found):
        ranks.setdefault(one.rule, rank)
        if one.level in levels:
            bad.add(one.rule)
    named = [
        (min(ranks[rule] for rule in rules if rule in ranks), name)
        for name, rules in when.items()
        if not bad.isdisjoint(rules)
    ]
    return tuple(name for _, name in sorted(named))


def assemble(
    made: Machines,
    parts: Parts,
    *,
    now: datetime,
    boot_now: float,
    me: Author,
    incident: Incident | None,
    other_open: int = 0,
    rows: Sequence[TimelineRow] = (),
    letters: Mapping[str, str] = {},
    copies: Sequence[Copy] = (),
    came: Mapping[Ref, datetime] = {},
    conflicts: Sequence[Contested] = (),
    people: Iterable[Present] = (),
    writer: WriterStatus = WriterStatus(),  # noqa: B008
    pending: tuple[Pending, ...] = (),
    loading: str = "",
    problems: Iterable[str] = (),
    demo: bool = False,
) -> View:
    """The view of this moment. `boot_now` is the boot clock, by which the watch's age is told."""
    readings = made.readings
    watch = WatchState()
    if readings.watch is not None:
        age = max(0.0, boot_now - readings.watch_boot)
        watch = WatchState(age, readings.watch.pid, readings.watch.node)
    return View(
        now=now,
        me=me,
        look=Look(parts.screen.plain),
        incident=incident,
        other_open=other_open,
        rows=rows,
        letters=letters,
        copies=copies,
        came=came,
        conflicts=conflicts,
        host_names=tuple(host.name for host in parts.hosts),
        hosts=readings.hosts,
        sites=tuple(parts.sites),
        site_rows=readings.sites,
        sinks=tuple(sink.name for sink in parts.chat),
        chats=readings.chats,
        rooms=tuple(readings.rooms[room.name] for room in parts.rooms if room.name in readings.rooms),
        bastions=readings.bastions if parts.replica.servers else None,
        replicas=tuple(
            readings.replicas[name] for name in ways(parts.sync, parts.replica) if name in readings.replicas
        ),
        alerts=readings.alerts,
        alert_sources=tuple(source.name for source in parts.alerts),
        findings=made.findings,
        cluster=made.cluster,
        thresholds=parts.thresholds,
        command=parts.command,
        severities=tuple(parts.severities),
        watch=watch,
        people=tuple(people),
        writer=writer,
        pending=pending,
        loading=loading,
        problems=(*problems, *readings.broken),
        suggested=made.suggested,
        when=made.when,
        demo=demo,
    )


def seen(found: Sequence[Finding], now: datetime) -> Seen | None:
    """What the screen shows, for an entry made now: the worst findings in at most 512 encoded bytes."""
    parts: list[str] = []
    oldest = timedelta(0)
    size = 0
    for one in found:
        text = f"{SYMBOL[one.level]} {one.sentence}"
        size += len(text.encode()) + 2
        if size > 440:
            text = f"and {len(found) - len(parts)} more"
            parts.append(text)
            break
        parts.append(text)
        oldest = max(oldest, now - one.at)
    return Seen("; ".join(parts), int(oldest.total_seconds())) if parts else None
