"""The latest reading behind a row of the left pane, field by field, each with its age. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from incident_tui.hosts.cluster import BrickView, VolumeView
from incident_tui.hosts.exit_status import explained
from incident_tui.hosts.judge import size
from incident_tui.hosts.readings import Container, GapKind, Heals, HostReading, LinkState
from incident_tui.hosts.split_brain import resolutions
from incident_tui.ui.page import Page
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View
from incident_tui.ui.words import container_words, rate, volume_words

POLLED: Final = "polled here: a death shows at the next reading"
_MOUNTS: Final = 6
_SNAPSHOTS: Final = 12
_SILENT: Final = timedelta(minutes=2)
"""So long a connected host may say nothing before that is said."""


def reading_lines(page: Page, view: View, key: str) -> None:
    """Writes what is known of the row `key`, e.g. "host/web2"; nothing for a row without a reading of its own."""
    sort, _, name = key.partition("/")
    match sort:
        case "site":
            _site(page, view, name)
        case "host" | "docker" | "gluster":
            _host(page, view, name)
        case "peer":
            _peer(page, view, name)
        case "container":
            host, _, ident = name.partition("/")
            reading = view.hosts.get(host)
            docker = reading.docker if reading is not None else None
            for container in docker.containers if docker is not None else ():
                if container.id == ident and docker is not None:
                    _container(page, view, host, container, docker.at)
        case "volume":
            for volume in view.cluster.volumes:
                if volume.name == name:
                    _volume(page, view, volume)
        case _:
            pass


def bastion(view: View, letter: str) -> str:
    """Another bastion: its letter, and its name while it is there."""
    others = view.bastions.others if view.bastions is not None else ()
    node = next((one.node for one in others if one.letter == letter), "")
    return f"{letter} ({node})" if node else letter


def _peer(page: Page, view: View, name: str) -> None:
    for peer in view.cluster.peers:
        if peer.name == name:
            page.field("peer", peer.state_text or f"state {peer.state}")
            page.field("seen by", ", ".join(peer.seen_by) or "nobody")
            for words, hosts in (("lost by", peer.lost_by), ("doubted by", peer.doubted_by)):
                if hosts:
                    page.field(words, ", ".join(hosts))
            page.field("read", f"{short(view.now - peer.at)} ago")


def _site(page: Page, view: View, name: str) -> None:
    site = next((one for one in view.sites if one.name == name), None)
    row = view.site_rows.get(name)
    if site is None:
        return
    page.field("url", site.url)
    page.field("expected", f"status {site.expect} within {site.slow_ms} ms")
    if site.hosts:
        page.field("hosts", ", ".join(site.hosts))
    if row is None:
        page.field("checked", "not yet")
        return
    page.field("checked", f"{short(view.now - row.at)} ago, {clock(row.at)}Z")
    if row.via:
        page.field("read by", bastion(view, row.via))
    page.field("answer", str(row.status) if row.status is not None else row.problem or "none")
    if row.latency_ms is not None:
        page.field("latency", f"{row.latency_ms} ms")
    if row.tls_until is not None:
        page.field("certificate", f"until {row.tls_until.astimezone(UTC):%Y-%m-%d %H:%M}Z")
    if row.since is not None:
        page.field("so since", f"{short(view.now - row.since)} ago, {clock(row.since)}Z")


def _host(page: Page, view: View, host: str) -> None:
    reading = view.hosts.get(host)
    if reading is None:
        page.text("No reading of this host is on the board.")
        return
    blind = view.bastions.unreached.get(host, ()) if view.bastions is not None else ()
    reader = bastion(view, reading.via) if reading.via else "this bastion"
    if blind:
        reader += "; " + ", ".join(bastion(view, one) for one in blind) + " cannot reach it"
    if reading.via or blind:
        page.field("read by", reader)
    if reading.via and view.bastions is not None and (why := view.bastions.why.get(host)):
        page.field("from here", why)
    link = reading.link
    state = f"{link.state.value} for {short(view.now - link.since)}"
    if link.state is LinkState.UP and view.now - reading.at > _SILENT:
        state = f"was {link.state.value}, last heard {short(view.now - reading.at)} ago"
    page.field("connection", state if link.state is LinkState.UP else f"{state}: {link.sentence}")
    if link.next_try is not None and link.state is not LinkState.UP:
        page.field("next try", f"{clock(link.next_try)}Z")
    _machine(page, view, reading)
    for field, gap in sorted(reading.gaps.items()):
        page.field(field, f"{gap.kind.value}, {short(view.now - gap.at)} ago: {gap.sentence}")


def _machine(page: Page, view: View, reading: HostReading) -> None:
    def age(at: datetime) -> str:
        return f"({short(view.now - at)})"

    load, memory, swapping = reading.load, reading.memory, reading.swapping
    if load is not None:
        cpus = f" on {load.cpus} processors" if load.cpus else ""
        page.field("load", f"{load.one:.2f} {load.five:.2f} {load.fifteen:.2f}{cpus} {age(load.at)}")
        page.field("up", f"{short(load.uptime_seconds)}{_since(load.booted_at)}")
    if memory is not None:
        mark = ", estimated" if memory.estimated else ""
        left = f"{size(memory.available)} of {size(memory.total)} left"
        page.field("memory", f"{memory.used_percent:.0f}% used, {left}{mark} {age(memory.at)}")
        if memory.swap_total:
            page.field("swap", f"{memory.swap_used_percent:.0f}% of {size(memory.swap_total)} used")
    if swapping is not None:
        page.field("swap rate", f"in {rate(swapping.pages_in)}, out {rate(swapping.pages_out)} {age(swapping.at)}")
    if reading.pressure is not None and reading.pressure.memory_some is not None:
        page.field("pressure", f"memory {reading.pressure.memory_some:.0f}% {age(reading.pressure.at)}")
    for disk in reading.disks.filesystems if reading.disks else ():
        inodes = f", inodes {disk.inodes_percent:.0f}%" if disk.inodes_percent is not None else ""
        read_only = ", READ-ONLY" if disk.read_only else ""
        page.field("disk", f"{disk.mount} {disk.used_percent:.0f}%, {size(disk.free)} left{inodes}{read_only}")
    if reading.clock is not None:
        skew = reading.clock
        page.field(
            "clock", f"{skew.skew_seconds:+.1f} s of ours, measured to {skew.error_seconds:.1f} s {age(skew.at)}"
        )
    for mount in reading.mounts.gluster if reading.mounts else ():
        page.field("mounted", f"{mount.volume} of {mount.server} at {mount.mount}{', READ-ONLY' * mount.read_only}")
    for event in reading.kernel.events[-3:] if reading.kernel else ():
        when = f"{clock(event.at)}Z" if event.at is not None else "time unknown"
        page.field("kernel", f"{when} {event.line}")
    if reading.ooms is not None and reading.ooms.kills:
        last = reading.ooms.kills[-1]
        when = f"{clock(last.at)}Z" if last.at is not None else "time unknown"
        page.field("last OOM", f"{when} {last.name} pid {last.pid} ({last.scope})")
    system = reading.system
    if system is not None:
        page.field("system", " ".join(part for part in (system.os, system.kernel) if part))
        for name, version in (("docker", system.docker), ("gluster", system.gluster)):
            if version:
                page.field(name, version)
        if system.installed:
            page.field("probe", f"installed there, {system.installed}")
    if reading.docker is not None:
        running = sum(one.state == "running" for one in reading.docker.containers)
        by = ", by files and processes: the daemon hangs" if reading.docker.source == "files" else ""
        page.field("containers", f"{running} of {len(reading.docker.containers)} running {age(reading.docker.at)}{by}")
        if reading.docker.polled:
            page.field("events", POLLED)


def _container(page: Page, view: View, host: str, container: Container, at: datetime) -> None:
    page.field("host", host)
    reading = view.hosts.get(host)
    skew = timedelta(seconds=reading.clock.skew_seconds if reading is not None and reading.clock is not None else 0.0)
    up = ""
    if container.state == "running" and container.started_at is not None:
        up = f" for {short(view.now - (container.started_at - skew))}"
    page.field("state", f"{container_words(container, ())}{up} (read {short(view.now - at)} ago)")
    if container.state in ("exited", "stopped", "dead"):
        subject = f"{host} {container.name or container.id[:12]}"
        oom = any(one.rule == "docker.container-oom" and one.subject == subject for one in view.findings)
        page.field("exit", explained(container, oom=oom))
    if reading is not None and reading.docker is not None and reading.docker.polled:
        page.field("events", POLLED)
    if container.image:
        page.field("image", container.image)
    page.field("id", container.id[:12])
    if container.restart_count or container.restart_policy:
        recent = f", {container.restarts_recent} in 10 min" if container.restarts_recent else ""
        page.field("restarts", f"{container.restart_count}{recent}, policy {container.restart_policy or 'no'}")
    if container.memory is not None:
        memory = container.memory
        limit = f" of {size(memory.limit)}" if memory.limit else ", no limit"
        page.field("memory", f"{size(memory.working_set)}{limit} ({short(view.now - memory.at)})")
    if container.cpu_percent is not None:
        page.field("processor", f"{container.cpu_percent:.0f}% of one")
    for name, when in (("started", container.started_at), ("finished", container.finished_at)):
        if when is not None:
            page.field(name, f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z")
    if container.error:
        page.field("error", container.error)
    if container.ports:
        page.field("ports", ", ".join(container.ports))
    if container.names:
        page.field("serves", ", ".join(container.names))
    for number, mount in enumerate(container.mounts[:_MOUNTS]):
        page.field("" if number else "directories", mount)
    if len(container.mounts) > _MOUNTS:
        page.field("", f"and {len(container.mounts) - _MOUNTS} more")


def _volume(page: Page, view: View, volume: VolumeView) -> None:
    page.field("volume", f"{volume.kind or 'kind unknown'}, {volume.status}, {volume_words(volume)}")
    page.field("seen by", f"{volume.seen_by}, {short(view.now - volume.at)} ago")
    for brick in volume.bricks:
        state = "up" if brick.up else "DOWN" if brick.up is False else "not known"
        style = "" if brick.up else "crit" if brick.up is False else "unknown"
        why = f" ({brick.why})" if brick.why else ""
        pending = f", {brick.pending} to heal" if brick.pending else ""
        page.field("brick", f"{brick.name} {state}{why}{pending}{_space(brick)}", style)
    _tasks(page, view, volume)
    _not_renewed(page, view, volume)
    heals = volume.heals or volume.stale_heals
    if heals is None:
        page.field("heals", "not read yet", "unknown")
        return
    old = "" if volume.heals is not None else ", too old"
    page.field("heals", f"read {short(view.now - heals.at)} ago{old}")
    for one in heals.bricks:
        split = "?" if one.split_brain is None else str(one.split_brain)
        pending = "?" if one.pending is None else str(one.pending)
        page.field("", f"{one.name}: {pending} to heal, {split} in split-brain {one.status}".rstrip())
        for entry in one.split_entries[:20]:
            page.text(f"SPLIT {entry}", "crit", indent=14)
        for entry in one.entries[:20]:
            page.text(entry, indent=14)
    _resolutions(page, view, volume, heals)


def _since(at: datetime | None) -> str:
    return f", since {at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if at is not None else ""


def _space(brick: BrickView) -> str:
    """ ", 60% full, inodes 18%", as far as it is known."""
    full = f", {100 * (brick.size - brick.free) / brick.size:.0f}% full" if brick.size else ""
    inodes = f", inodes {100 * (brick.inodes - brick.inodes_free) / brick.inodes:.0f}%" if brick.inodes else ""
    return full + inodes


def _tasks(page: Page, view: View, volume: VolumeView) -> None:
    """What the volume does besides serving: only what is there."""
    if volume.rebalance is not None:
        moved = sum(node.files for node in volume.rebalance.nodes)
        failures = sum(node.failures for node in volume.rebalance.nodes)
        ago = short(view.now - volume.rebalance.at)
        page.field("rebalance", f"{volume.rebalance.status}, {moved} files moved, {failures} failed ({ago})")
    else:
        for task in volume.tasks:
            page.field("task", f"{task.kind}: {task.status}")
    for limit in volume.quotas.limits if volume.quotas else ():
        used = size(limit.used) if limit.used is not None else "?"
        of = size(limit.hard) if limit.hard is not None else "?"
        page.field("quota", f"{limit.path} {used} of {of}")
    for pair in volume.geo_pairs:
        page.field("copy", f"{pair.primary_node} to {pair.secondary}: {pair.status}, last {pair.last_synced or '?'}")
    if volume.definition.snapshots:
        told = volume.snapshots
        said = f", read {short(view.now - told.at)} ago" if told is not None else ", their names are not read yet"
        page.field("snapshots", f"{volume.definition.snapshots}{said}")
        for one in told.rows[:_SNAPSHOTS] if told is not None else ():
            page.field("", " ".join(part for part in (one.name, one.status, one.created) if part))
        if told is not None and len(told.rows) > _SNAPSHOTS:
            page.field("", f"and {len(told.rows) - _SNAPSHOTS} more")


def _not_renewed(page: Page, view: View, volume: VolumeView) -> None:
    """Why what is shown of this volume is older than it should be: GlusterFS was busy, or did not answer."""
    heals = volume.heals or volume.stale_heals
    read: dict[str, tuple[str, datetime | None]] = {
        "volume_status": ("status", volume.at),
        "heals": ("heals", heals.at if heals else None),
        "rebalances": ("rebalance", volume.rebalance.at if volume.rebalance else None),
        "quotas": ("quota", volume.quotas.at if volume.quotas else None),
        "snapshots": ("snapshots", volume.snapshots.at if volume.snapshots else None),
    }
    for host, reading in view.hosts.items():
        for field, (what, at) in read.items():
            gap = reading.gaps.get(f"{field}:{volume.name}")
            if gap is not None and gap.kind is not GapKind.ABSENT and (at is None or gap.at > at):
                said = f"{what}, {short(view.now - gap.at)} ago on {host}: {gap.sentence}"
                page.field("not renewed", said, "unknown")


def _resolutions(page: Page, view: View, volume: VolumeView, heals: Heals) -> None:
    """How a split-brain is ended, for the version of the peer that defines the volume."""
    files = list(dict.fromkeys(entry for brick in heals.bricks for entry in brick.split_entries))
    reading = view.hosts.get(volume.seen_by)
    version = reading.gluster.version if reading is not None and reading.gluster is not None else ""
    arbiters = {brick.name for brick in volume.bricks if brick.arbiter}
    copies = [brick.name for brick in heals.bricks if brick.split_entries and brick.name not in arbiters]
    for line in resolutions(volume.name, version, copies, files):
        page.text(line, indent=1)
