"""A made-up team, readings in each state, a story of entries, and a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.readings import (
    Brick,
    BrickHeal,
    BrickStatus,
    Clock,
    Container,
    Disks,
    Docker,
    Filesystem,
    Gap,
    GapKind,
    Gluster,
    Heals,
    HostReading,
    Link,
    LinkState,
    Load,
    LocalBrick,
    Memory,
    OomKills,
    Peer,
    Swapping,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Commands, Person, Roster, Severity
from incident_tui.journal.presence import Present
from incident_tui.replica.settings import Replica
from incident_tui.replica.sync_settings import Sync
from incident_tui.report.settings import Report
from incident_tui.ui.settings import Screen
from incident_tui.watch.alerts.settings import AlertSource, Listener
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.rows import ChatRow, SiteRow, WatchRow
from incident_tui.watch.settings import ChatSink, Site

NOW = datetime(2026, 11, 23, 14, 43, 12, tzinfo=UTC)
ANA = Author("ana", uid=1000, account="ana", proven=True)
BOB = Author("bob", uid=1001, account="bob", proven=True)
MACHINE = Author("watch", uid=1000)


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Stands in for config.Settings: the parts that the screen reads."""

    people: Sequence[Person] = (Person(name="ana"), Person(name="bob"), Person(name="dan"))
    severities: Sequence[Severity] = DEFAULT_SEVERITIES
    command: Command = Command()
    rosters: Sequence[Roster] = ()
    hosts: Sequence[Host] = (Host(name="web1"), Host(name="web2"), Host(name="web3"))
    sites: Sequence[Site] = (
        Site(name="reliefweb.example", url="https://reliefweb.example/"),
        Site(name="response.example", url="https://response.example/"),
    )
    chat: Sequence[ChatSink] = (ChatSink(name="chat", url_env="HOOK"),)
    alerts: Sequence[AlertSource] = ()
    report: Report = Report()
    rooms: Sequence[Room] = ()
    sync: Sequence[Sync] = ()
    replica: Replica = Replica()
    listener: Listener = Listener()
    thresholds: Thresholds = Thresholds()
    fleet: Fleet = Fleet()
    commands: Commands = Commands(keys="hosts")
    screen: Screen = Screen()


class Here:
    """Stands in for journal.presence.Presence."""

    def __init__(self, *people: Present) -> None:
        self._people = list(people) or [Present("ana", True, 720.0), Present("bob", True, 300.0)]
        self.beats = 0

    def people(self) -> list[Present]:
        return self._people

    def beat(self) -> None:
        self.beats += 1


class Hand:
    """A clock that is turned by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def boot(self) -> float:
        return 1_000_000 + (self.now - NOW).total_seconds()

    def turn(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


UUIDS = {"web1": "u1", "web2": "u2", "web3": "u3"}


def container(name: str, **fields: Any) -> Container:
    return Container(**{"id": f"{name:0<64}", "name": name, "state": "running", **fields})


def reading(host: str, at: datetime = NOW, **fields: Any) -> HostReading:
    """A healthy peer of three, with two containers and its bricks of gv0 and gv1."""
    volumes = tuple(
        Volume(
            name=name,
            id=f"id-{name}",
            status="started",
            kind="Replicate",
            replica=3,
            bricks=tuple(Brick(host=one, path=f"/b/{name}", uuid=UUIDS[one]) for one in UUIDS),
        )
        for name in ("gv0", "gv1")
    )
    values: dict[str, Any] = {
        "host": host,
        "at": at,
        "link": Link(state=LinkState.UP, sentence="", since=at - timedelta(hours=3), at=at),
        "roles": ("docker", "gluster"),
        "clock": Clock(at=at, skew_seconds=0.1, error_seconds=0.2),
        "load": Load(at=at, one=0.4, five=0.5, fifteen=0.6, cpus=4, uptime_seconds=864000.0),
        "memory": Memory(at=at, total=4 << 30, available=(4 << 30) * 38 // 100, estimated=True),
        "swapping": Swapping(at=at, pages_in=0.0, pages_out=0.0),
        "disks": Disks(
            at=at,
            filesystems=(Filesystem(mount="/", device="/dev/sda1", size=20 << 30, free=9 << 30, used_percent=55.0),),
        ),
        "ooms": OomKills(at=at, source="dmesg", kills=()),
        "docker": Docker(at=at, version="1.6.2", containers=(container("drupal-a"), container("solr"))),
        "gluster": Gluster(
            at=at,
            uuid=UUIDS.get(host, host),
            version="3.12",
            glusterd_alive=True,
            peers=tuple(
                Peer(uuid=uuid, hostname=name, connected=True, state=3) for name, uuid in UUIDS.items() if name != host
            ),
            volumes=volumes,
            bricks=tuple(LocalBrick(volume=v.name, path=f"/b/{v.name}", pid=77, alive=True) for v in volumes),
        ),
        "volume_status": {
            v.name: VolumeStatus(
                at=at,
                volume=v.name,
                bricks=tuple(BrickStatus(host=b.host, path=b.path, uuid=b.uuid, online=True, pid=77) for b in v.bricks),
            )
            for v in volumes
        },
        "heals": {v.name: heals(v.name, at) for v in volumes} if host == "web1" else {},
        "gaps": {"pressure": Gap(at=at, kind=GapKind.ABSENT, sentence="this kernel has no PSI")},
    }
    return HostReading(**{**values, **fields})


def heals(volume: str, at: datetime, pending: int = 0, split: int = 0) -> Heals:
    return Heals(
        at=at,
        volume=volume,
        bricks=tuple(
            BrickHeal(
                name=f"{host}:/b/{volume}",
                connected=True,
                pending=pending,
                split_brain=split,
                split_entries=("/files/a.pdf",) if split else (),
            )
            for host in UUIDS
        ),
    )


Rows = dict[str, msgspec.Struct]


def healthy(at: datetime = NOW) -> Rows:
    """The board when all is well."""
    rows: Rows = {f"host/{name}": reading(name, at) for name in UUIDS}
    for name in ("reliefweb.example", "response.example"):
        rows[f"site/{name}"] = SiteRow(name=name, at=at, status=200, latency_ms=120)
    rows["chat/chat"] = ChatRow(name="chat", at=at)
    rows["watch"] = WatchRow(at=at, pid=4242, node="bastion", epoch=1, started_at=at - timedelta(hours=1))
    return rows


def outage(at: datetime = NOW) -> Rows:
    """The picture of the design: a site down, web3 silent, web2 swapping, a split-brain."""
    rows = healthy(at)
    rows["site/reliefweb.example"] = SiteRow(name="reliefweb.example", at=at, status=502, latency_ms=90)
    web3 = reading("web3", at - timedelta(seconds=95))
    rows["host/web3"] = msgspec.structs.replace(
        web3,
        link=Link(
            state=LinkState.TIMEOUT,
            sentence="web3: no answer on port 22 within 10 s",
            since=at - timedelta(seconds=45),
            at=at,
        ),
    )
    rows["host/web1"] = reading(
        "web1", at, heals={"gv0": heals("gv0", at, pending=3, split=1), "gv1": heals("gv1", at)}
    )
    rows["host/web2"] = reading(
        "web2",
        at,
        memory=Memory(at=at, total=4 << 30, available=(4 << 30) * 7 // 100, estimated=True),
        swapping=Swapping(at=at, pages_in=300.0, pages_out=200.0),
        load=Load(at=at, one=4.1, five=3.0, fifteen=2.0, cpus=4, uptime_seconds=864000.0),
        docker=Docker(
            at=at,
            version="1.6.2",
            containers=(
                container(
                    "drupal-a",
                    state="exited",
                    exit_code=137,
                    oom_killed=True,
                    finished_at=at - timedelta(minutes=3),
                    restarts_recent=3,
                    restart_policy="always",
                ),
                container("solr", state="restarting", restarts_recent=1),
            ),
        ),
    )
    return rows


def story(now: datetime = NOW) -> list[Draft]:
    """The entries of one incident, declared 41 minutes before `now`."""
    start = now - timedelta(minutes=41)
    incident = "INC-20261123-k3f9"

    def draft(after: float, kind: Kind, text: str, author: Author = ANA, **data: Any) -> Draft:
        at = start + timedelta(minutes=after)
        return Draft(kind=kind, text=text, at=at, author=author, incident=incident, source="tui", data=data)

    return [
        draft(0, Kind.DECLARE, "gv0 split-brain, sites 502", title="gv0 split-brain, sites 502", severity=1),
        draft(0.2, Kind.ACTION, "restarted glusterd web3"),
        draft(
            0.5, Kind.OBSERVATION, "gv0: brick web3:/b/gv0 is down", MACHINE, finding="gluster.brick-down", level="crit"
        ),
        draft(1, Kind.DECISION, "serve gv0 from web1", BOB),
        draft(3, Kind.OBSERVATION, "drupal-a on web2", MACHINE, finding="docker.container-oom", level="crit"),
        draft(4, Kind.STATUS, "serving gv0 from web1", status="mitigating"),
        draft(
            5,
            Kind.UPDATE,
            "two sites are slow, we repair the storage",
            step="posted",
            audience="public",
            next=(now + timedelta(seconds=252)).isoformat(),
        ),
        draft(6, Kind.RESULT, "heal finished on gv1", BOB),
        draft(21, Kind.GAP, "no entry for 15 min", MACHINE, what="silence", since=start.isoformat()),
        draft(21.5, Kind.TASK, "choose source for /files/a.pdf", step="assigned", who="bob", minutes=17),
        draft(30, Kind.OBSERVATION, "web3 answers again", MACHINE, finding="host.unreachable", level="ok"),
        draft(33, Kind.HOLD, "", BOB, target="web2", step="hold", minutes=30),
    ]
