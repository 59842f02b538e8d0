"""`status`: the board on standard output. Reads files only; asks no host, and needs no running screen."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec

from incident_tui.cli.context import Context, Failure
from incident_tui.config import Settings
from incident_tui.hosts.cluster import ClusterView
from incident_tui.hosts.readings import Filesystem, GapKind, HostReading, Link, LinkState, is_stale
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level
from incident_tui.journal.board import Board
from incident_tui.journal.errors import JournalError
from incident_tui.journal.lease import boot_clock
from incident_tui.replica.rows import ReplicaRow, unsaid, ways
from incident_tui.ui.view import WATCH_STALE, Decoder, Machines, machines
from incident_tui.watch.alerts.rows import AlertsRow, FiringGroup
from incident_tui.watch.rooms.rows import RoomRow
from incident_tui.watch.rows import BastionsRow, ChatRow, SiteRow

_SYMBOL = {Level.OK: "+", Level.UNKNOWN: "?", Level.WARN: "!", Level.CRIT: "X"}


def status(context: Context) -> int:
    """Exit status 1 when anything is wrong, not known, or nobody is watching."""
    now = context.clock()
    made, age = board_now(context, now)
    if context.call.flag("json"):
        fields = as_fields(made, context.settings, now, age) | {"demo": context.demo}
        print(json.dumps(fields, indent=2))
    else:
        for line in as_lines(made, context.settings, now, age, "DEMO " if context.demo else ""):
            print(line)
    watched = age is not None and age <= WATCH_STALE
    return 0 if watched and not made.findings else 1


def board_now(context: Context, now: datetime) -> tuple[Machines, float | None]:
    """What the board says now, and the age of its watch in seconds; None when nobody ever watched."""
    directory = context.directory
    if not directory.exists():
        raise Failure(f"there is no journal at {directory}; start incident-tui, or name its directory with --journal")
    try:
        board = Board.open(directory)
    except JournalError as error:
        raise Failure(error.sentence) from error
    rows = board.read()
    board.close()
    made = machines(Decoder().read(rows), context.settings, now, {})
    age = None if made.readings.watch is None else max(0.0, boot_clock() - made.readings.watch_boot)
    return made, age


def as_lines(made: Machines, settings: Settings, now: datetime, watch_age: float | None, mark: str = "") -> list[str]:
    """The findings, worst first, and what they are out of. Counted as well is only what a fresh reading says."""
    if watch_age is None:
        head = "nobody is watching: start incident-tui or incident-tui watch"
    elif watch_age > WATCH_STALE:
        head = f"NOT WATCHED for {watch_age:.0f}s: what follows is old"
    else:
        head = f"watched {watch_age:.0f}s ago"
    lines = [f"{mark}{head}"]
    lines += [f"{_SYMBOL[finding.level]} {finding.sentence}" for finding in made.findings]
    lines += [_chat_line(row) for row in made.readings.chats.values() if row.problem or row.dead or row.maybe]
    hosts = [made.readings.hosts[host.name] for host in settings.hosts if host.name in made.readings.hosts]
    limits = settings.thresholds
    up = sum(host.link.state is LinkState.UP and not is_stale("load", host.at, now, limits) for host in hosts)
    known = sum(len(host.docker.containers) for host in hosts if host.docker)
    fresh = [c for host in hosts if host.docker and docker_is_fresh(host, limits, now) for c in host.docker.containers]
    running = sum(container.state == "running" for container in fresh)
    silent = f" ({known - len(fresh)} not known)" if len(fresh) < known else ""
    lines.append(
        f"{len(made.findings)} findings; hosts {up}/{len(settings.hosts)} connected, "
        f"containers {running}/{known} running{silent}, volumes {len(made.cluster.volumes)}"
    )
    return lines


def _chat_line(row: ChatRow) -> str:
    counts = ((row.waiting, "waiting"), (row.maybe, "maybe sent"), (row.dead, "refused"))
    said = [f"{count} {words}" for count, words in counts if count]
    if row.problem and row.since is not None:
        said.insert(0, f"not delivered since {row.since:%H:%M:%SZ}: {row.problem}")
    return f"{_SYMBOL[Level.CRIT if row.problem else Level.WARN]} chat {row.name}: {', '.join(said) or row.problem}"


def docker_is_fresh(reading: HostReading, thresholds: Thresholds, now: datetime) -> bool:
    """Whether the containers read last are those of now: young enough, and no later attempt has failed for good."""
    docker, gap = reading.docker, reading.gaps.get("docker")
    if docker is None or is_stale("docker", docker.at, now, thresholds):
        return False
    return gap is None or gap.at < docker.at or gap.kind not in (GapKind.DOWN, GapKind.HUNG)


def _iso(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _age(value: datetime | None, now: datetime) -> float | None:
    return None if value is None else round((now - value).total_seconds(), 1)


def as_fields(made: Machines, settings: Settings, now: datetime, watch_age: float | None) -> dict[str, Any]:
    """The fields of `status --json`. Ages are seconds; what is not known is null."""
    readings = made.readings
    order = {name: number for number, name in enumerate([*readings.chats, *(sink.name for sink in settings.chat)])}
    return {
        "at": _iso(now),
        "watch": {
            "age": None if watch_age is None else round(watch_age, 1),
            "fresh": watch_age is not None and watch_age <= WATCH_STALE,
            "pid": readings.watch.pid if readings.watch else None,
            "node": readings.watch.node if readings.watch else None,
        },
        "findings": [_finding(finding, now) for finding in made.findings],
        "hosts": [_host(host.name, readings.hosts.get(host.name), now) for host in settings.hosts],
        "sites": [_site(site.name, site.url, readings.sites.get(site.name), now) for site in settings.sites],
        "containers": [
            _container(reading, number, now)
            for host in settings.hosts
            if (reading := readings.hosts.get(host.name)) is not None and reading.docker is not None
            for number in range(len(reading.docker.containers))
        ],
        "peers": _peers(made.cluster, now),
        "volumes": _volumes(made.cluster, now),
        "alerts": _alerts(readings.alerts, now),
        "rooms": [_room(room.name, room.kind, readings.rooms.get(room.name), now) for room in settings.rooms],
        "replicas": [
            _replica(readings.replicas.get(name) or unsaid(name, now), now)
            for name in ways(settings.sync, settings.replica)
        ],
        "bastions": _bastions(readings.bastions if settings.replica.servers else None),
        "chat": [_chat(name, readings.chats[name], now) for name in sorted(readings.chats, key=order.__getitem__)],
    }


def _finding(finding: Finding, now: datetime) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "subject": finding.subject,
        "sentence": finding.sentence,
        "host": finding.host or None,
        "evidence": finding.evidence or None,
        "age": _age(finding.at, now),
    }


def _host(name: str, reading: HostReading | None, now: datetime) -> dict[str, Any]:
    """A host that was never read has the same fields, all of them null."""
    if reading is None:
        link = Link(state=LinkState.NEVER, sentence="not read yet", since=now, at=now)
        return _host(name, HostReading(host=name, at=now, link=link), now) | {"age": None}
    memory, load, swapping, disks = reading.memory, reading.load, reading.swapping, reading.disks
    return {
        "name": name,
        "state": reading.link.state.value,
        "sentence": reading.link.sentence or None,
        "age": _age(reading.at, now),
        "via": reading.via or None,
        "memory_used_percent": None if memory is None else round(memory.used_percent, 1),
        "memory_estimated": None if memory is None else memory.estimated,
        "memory_age": None if memory is None else _age(memory.at, now),
        "swap_pages_per_second": None if swapping is None else round(swapping.pages_in + swapping.pages_out, 1),
        "load": None if load is None else load.one,
        "uptime_seconds": None if load is None else load.uptime_seconds,
        "clock_skew_seconds": None if reading.clock is None else round(reading.clock.skew_seconds, 2),
        "docker_version": reading.docker.version if reading.docker else None,
        "docker_age": _age(reading.docker.at, now) if reading.docker else None,
        "gluster_version": reading.gluster.version if reading.gluster else None,
        "gluster_age": _age(reading.gluster.at, now) if reading.gluster else None,
        "filesystems": [] if disks is None else [_filesystem(disk, disks.at, now) for disk in disks.filesystems],
        "not_available": {name: gap.sentence for name, gap in reading.gaps.items()},
    }


def _filesystem(disk: Filesystem, at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "mount": disk.mount,
        "used_percent": disk.used_percent,
        "inodes_percent": disk.inodes_percent,
        "read_only": disk.read_only,
        "age": _age(at, now),
    }


def _site(name: str, url: str, row: SiteRow | None, now: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "url": url,
        "status": row.status if row else None,
        "latency_ms": row.latency_ms if row else None,
        "tls_until": _iso(row.tls_until) if row else None,
        "problem": (row.problem or None) if row else "not checked yet",
        "since": _iso(row.since) if row else None,
        "age": _age(row.at, now) if row else None,
        "via": (row.via or None) if row else None,
    }


def _container(reading: HostReading, number: int, now: datetime) -> dict[str, Any]:
    assert reading.docker is not None
    container = reading.docker.containers[number]
    return {
        "host": reading.host,
        "name": container.name,
        "id": container.id,
        "image": container.image,
        "state": container.state,
        "health": container.health or None,
        "exit_code": container.exit_code,
        "oom_killed": container.oom_killed,
        "restarts": container.restart_count,
        "restarts_recent": container.restarts_recent,
        "memory_working_set": container.memory.working_set if container.memory else None,
        "memory_limit": container.memory.limit if container.memory else None,
        "age": _age(reading.docker.at, now),
    }


def _peers(cluster: ClusterView, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "name": peer.name,
            "uuid": peer.uuid,
            "connected": peer.connected,
            "state": peer.state_text,
            "not_reached_by": list(peer.lost_by),
            "age": _age(peer.at, now),
        }
        for peer in cluster.peers
    ]


def _volumes(cluster: ClusterView, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "name": volume.name,
            "status": volume.status,
            "kind": volume.kind,
            "bricks_up": volume.up,
            "bricks": [
                {
                    "name": brick.name,
                    "host": brick.host,
                    "up": brick.up,
                    "why": brick.why or None,
                    "pending": brick.pending,
                    "age": _age(brick.at, now),
                }
                for brick in volume.bricks
            ],
            "heals_pending": volume.heals.pending if volume.heals else None,
            "split_brain": volume.heals.split_brain if volume.heals else None,
            "heals_age": _age(volume.heals.at, now) if volume.heals else None,
            "snapshots": volume.definition.snapshots,
            "snapshot_list": None
            if volume.snapshots is None
            else [{"name": one.name, "status": one.status, "created": one.created} for one in volume.snapshots.rows],
            "rebalance": volume.rebalance.status if volume.rebalance else None,
            "age": _age(volume.at, now),
        }
        for volume in cluster.volumes
    ]


def _chat(name: str, row: ChatRow, now: datetime) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(row)
    return {
        "name": name,
        "well": not row.problem,
        "problem": row.problem or None,
        "since": _iso(row.since),
        "waiting": fields["waiting"],
        "maybe_sent": fields["maybe"],
        "refused": fields["dead"],
        "accepted": fields["accepted"],
        "oldest_waiting": _iso(row.oldest),
        "last_sent": _iso(row.last_sent),
        "age": _age(row.at, now),
    }


def _alerts(row: AlertsRow | None, now: datetime) -> dict[str, Any]:
    """What fires, in groups, worst first; `firing` counts alerts."""
    row = row or AlertsRow(at=now)
    return {
        "firing": row.firing,
        "silenced": row.silenced,
        "more_groups": row.more,
        "listener_problem": row.listener or None,
        "groups": [_alert_group(one, now) for one in row.groups],
        "sources": [
            {
                "name": one.name,
                "problem": one.problem or None,
                "since": _iso(one.since),
                "heard_age": _age(one.heard_at, now),
            }
            for one in row.sources
        ],
        "age": _age(row.at, now),
    }


def _alert_group(one: FiringGroup, now: datetime) -> dict[str, Any]:
    return {
        "source": one.source,
        "group": one.group,
        "level": one.level,
        "title": one.title,
        "count": one.count,
        "hosts": list(one.hosts),
        "acknowledged": one.acknowledged,
        "since": _iso(one.since),
        "heard_age": _age(one.heard_at, now),
    }


def _room(name: str, kind: str, row: RoomRow | None, now: datetime) -> dict[str, Any]:
    """A room that was never read has the same fields."""
    row = row or RoomRow(name=name, kind=kind, at=now, problem="not read yet")
    return {
        "name": name,
        "kind": row.kind,
        "problem": row.problem or None,
        "since": _iso(row.since),
        "heard_age": _age(row.heard_at, now),
        "waiting": row.waiting,
    }


def _bastions(row: BastionsRow | None) -> dict[str, Any]:
    """Without a row: there is no cluster, or no watch has said anything yet."""
    return {
        "state": row.state if row is not None else None,
        "since": _iso(row.since) if row is not None else None,
        "reads": row.reads if row is not None else None,
        "hosts": row.hosts if row is not None else None,
        "duty": row.duty or None if row is not None else None,
        "on_duty": row.on_duty if row is not None else None,
        "others": [] if row is None else [{"letter": o.letter, "node": o.node, "hosts": o.hosts} for o in row.others],
        "unreached": {} if row is None else {host: list(letters) for host, letters in row.unreached.items()},
    }


def _replica(row: ReplicaRow, now: datetime) -> dict[str, Any]:
    return {
        "name": row.name,
        "way": row.way,
        "problem": row.problem or None,
        "since": _iso(row.since),
        "reached_age": _age(row.reached_at, now),
        "waiting": row.waiting,
        "pending": row.pending,
        "refused": row.refused or None,
    }
