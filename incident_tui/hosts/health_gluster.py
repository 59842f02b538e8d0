"""Rules for GlusterFS (reference: formats, sections 2.2 to 2.4): peers, volumes, bricks, quorum, heals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from incident_tui.hosts.cluster import ClusterView, PeerView, VolumeView
from incident_tui.hosts.health_tasks import disagreements, space_findings, task_findings
from incident_tui.hosts.judge import Case, age, span
from incident_tui.hosts.quorum import server_quorum, server_sentence, set_level
from incident_tui.hosts.readings import Gap, GapKind, Gluster, HostReading, LinkState, OomKills, Volume, is_stale
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

BUSY_WARN = timedelta(minutes=3)
HUNG_CRIT = timedelta(seconds=60)
OOM_WINDOW = timedelta(minutes=30)
OOM_SETTLED = timedelta(minutes=2)
"""A brick that has run since a kill this long ago is a warning, no longer critical."""


def gluster_host_findings(case: Case) -> Iterator[Finding]:
    """What one peer says about its own glusterd, or why it could not be asked."""
    if not case.asked("gluster"):
        return
    host, gaps = case.reading.host, case.reading.gaps
    gluster: Gluster | None = case.fresh("gluster")
    yield from _brick_kills(case, gluster)
    gap = gaps.get("gluster")
    down = gaps.get("glusterd")
    if down is not None and gluster is not None and not gluster.glusterd_alive:
        running = sum(brick.alive is True for brick in gluster.bricks)
        still = f"; {running} of its bricks still run" if running else ""
        rule, level, what = "gluster.glusterd-down", Level.CRIT, "glusterd does not run"
        if down.kind is GapKind.HUNG:
            long = down.since is not None and down.at - down.since >= HUNG_CRIT
            rule, level, what = "gluster.glusterd-hung", Level.CRIT if long else Level.WARN, down.sentence
        yield case.found(rule, level, f"{host}: {what}{still}", down.at, evidence="gluster peer status")
    if gap is not None and gap.kind is GapKind.ABSENT and "gluster" not in case.reading.roles:
        return
    if gluster is None and gap is not None:
        yield case.found("gluster.unknown", Level.UNKNOWN, f"{host}: {gap.sentence}", gap.at, evidence="gluster")
    elif gluster is None:
        yield from case.missing("gluster")


def _brick_kills(case: Case, gluster: Gluster | None) -> Iterator[Finding]:
    """Bricks of this host whose process the kernel killed lately; what runs again for a while is a warning."""
    ooms: OomKills | None = case.fresh("ooms")
    if ooms is None:
        return
    runs = {f"{b.volume} {b.name}" for b in gluster.bricks if b.alive} if gluster is not None else set()
    for kill in ooms.kills:
        if kill.at is not None and case.now - kill.at > OOM_WINDOW:
            continue
        for brick in kill.bricks:
            again = gluster is not None and brick in runs and kill.at is not None and kill.at < gluster.at
            if again and kill.at is not None and case.now - kill.at > OOM_SETTLED:
                level, what = Level.WARN, f"was killed at {kill.at:%H:%M:%SZ}, out of memory; it runs again"
            else:
                level, what = Level.CRIT, "was killed, out of memory"
            sentence = f"{brick}: its brick process {what}"
            yield Finding("gluster.brick-oom", level, brick, sentence, ooms.at, case.reading.host, kill.line)


def _volume_gap(case: Case, field: str, gap: Gap) -> Iterator[Finding]:
    kind, _, volume = field.partition(":")
    if gap.kind is GapKind.BUSY and gap.since is not None and gap.at - gap.since >= BUSY_WARN:
        sentence = f"{volume}: GlusterFS busy for {age(gap.since, gap.at)}; is a lock stale?"
        yield case.found("gluster.busy", Level.WARN, sentence, gap.at, subject=volume, evidence=gap.sentence)
    elif "quorum" in gap.sentence:
        sentence = f"{volume}: server quorum is not met, changes are refused"
        yield case.found("gluster.server-quorum", Level.CRIT, sentence, gap.at, subject=volume, evidence=gap.sentence)
    elif gap.kind in (GapKind.HUNG, GapKind.FAILED):
        what = "status" if kind == "volume_status" else "heal info"
        rule = "gluster.volume-unknown" if kind == "volume_status" else "gluster.heal-unknown"
        sentence = f"{volume}: {what} not known: {gap.sentence}"
        yield case.found(rule, Level.UNKNOWN, sentence, gap.at, subject=volume, evidence=field)


def _volume_gaps(hosts: Sequence[HostReading], thresholds: Thresholds, now: datetime) -> Iterator[Finding]:
    """What could not be asked about a volume that is there and started, until any of its peers has an answer."""
    for reading in hosts:
        if reading.link.state is not LinkState.UP:
            continue
        for field, gap in reading.gaps.items():
            kind, _, name = field.partition(":")
            if kind not in ("volume_status", "heals") or not name:
                continue
            mine = next((v for v in reading.gluster.volumes if v.name == name), None) if reading.gluster else None
            if reading.gluster is not None and (mine is None or mine.status != "started"):
                continue
            if not any(_answered(kind, name, mine, gap, other) for other in hosts):
                yield from _volume_gap(Case(reading, thresholds, now), field, gap)


def _answered(kind: str, name: str, mine: Volume | None, gap: Gap, other: HostReading) -> bool:
    """Whether this peer of the same cluster has had the answer since."""
    if mine is None or other.gluster is None or all(volume.id != mine.id for volume in other.gluster.volumes):
        return False
    answer = (other.heals if kind == "heals" else other.volume_status).get(name)
    return answer is not None and answer.at > gap.at


def gluster_findings(
    view: ClusterView, hosts: Sequence[HostReading], thresholds: Thresholds, now: datetime
) -> Iterator[Finding]:
    """What all peers together say."""
    for pool in pools(view.peers):
        yield from _pool(pool, now)
    fresh = [r for r in hosts if r.gluster is not None and not is_stale("gluster", r.gluster.at, now, thresholds)]
    for volume in view.volumes:
        yield from _volume(volume, thresholds, now)
        if volume.status == "started":
            level, what, host = server_sentence(volume, list(server_quorum(volume, fresh)))
            if what:
                sentence = f"{volume.name}: {what}"
                yield Finding("gluster.server-quorum", level, volume.name, sentence, volume.at, host, "peer status")
    yield from _volume_gaps(hosts, thresholds, now)


def pools(peers: Sequence[PeerView]) -> list[list[PeerView]]:
    """The peers of each cluster: two belong together when one knows the other."""
    groups: list[tuple[set[str], list[PeerView]]] = []
    for peer in peers:
        names, members = {peer.name, *peer.seen_by, *peer.doubted_by}, [peer]
        for group in [each for each in groups if each[0] & names]:
            groups.remove(group)
            names, members = names | group[0], group[1] + members
        groups.append((names, members))
    return [members for _, members in groups]


def _pool(peers: Sequence[PeerView], now: datetime) -> Iterator[Finding]:
    """One cluster's peers."""
    total = len({peer.name for peer in peers}.union(*(peer.seen_by for peer in peers)))
    group = _largest_group(peers)
    apart = {peer.name for peer in peers if peer.connected is False} - group
    # A peer that is cut off says of all others that they are gone: that is news about itself.
    lost = [p for p in peers if p.connected is False and not (p.name in group and apart.issuperset(p.lost_by))]
    for peer in peers:
        yield from _peer(peer, total, len(lost), peer in lost)
        if peer.doubted_by:
            by = ", ".join(peer.doubted_by)
            sentence = f"peer {peer.name}: was disconnected for {by}, which cannot be asked now"
            subject = f"peer {peer.name}"
            yield Finding(
                "gluster.peer-disconnected", Level.UNKNOWN, subject, sentence, peer.at, peer.name, "peer status"
            )


def _largest_group(peers: Sequence[PeerView]) -> frozenset[str]:
    """Names of the most peers that reach each other, directly or through one another; empty when two groups tie."""
    parted = {frozenset((seer, peer.name)) for peer in peers for seer in peer.lost_by}
    groups: list[frozenset[str]] = []
    for pair in {frozenset((seer, peer.name)) for peer in peers for seer in peer.seen_by} - parted:
        joined = [group for group in groups if group & pair]
        groups = [group for group in groups if group not in joined] + [pair.union(*joined)]
    groups.sort(key=len, reverse=True)
    return groups[0] if groups and (len(groups) == 1 or len(groups[0]) > len(groups[1])) else frozenset()


def _peer(peer: PeerView, total: int, lost: int, is_lost: bool) -> Iterator[Finding]:
    if is_lost:
        level = Level.WARN if 2 * (total - lost) > total else Level.CRIT
        by = ", ".join(peer.lost_by)
        reached = [name for name in peer.seen_by if name not in peer.lost_by]
        but = f" (still reached by {', '.join(reached)})" if reached else ""
        sentence = f"peer {peer.name} disconnected, says {by}{but}; {total - lost} of {total} peers connected"
        yield Finding(
            rule="gluster.peer-disconnected",
            level=level,
            subject=f"peer {peer.name}",
            sentence=sentence,
            at=peer.at,
            host=peer.name,
            evidence="peer status",
        )
    if peer.state not in (3, -1) and peer.connected is not None:
        rejected = peer.state == 6 or "reject" in peer.state_text.lower()
        level = Level.CRIT if rejected else Level.WARN
        what = peer.state_text or f"state {peer.state}"
        yield Finding(
            rule="gluster.peer-rejected",
            level=level,
            subject=f"peer {peer.name}",
            sentence=f"peer {peer.name}: {what}",
            at=peer.at,
            host=peer.name,
            evidence="peer status",
        )


def _volume(volume: VolumeView, thresholds: Thresholds, now: datetime) -> Iterator[Finding]:
    def found(
        rule: str, level: Level, what: str, subject: str = "", at: datetime | None = None, host: str = ""
    ) -> Finding:
        return Finding(
            rule=f"gluster.{rule}",
            level=level,
            subject=subject or volume.name,
            sentence=f"{volume.name}: {what}",
            at=at or volume.at,
            host=host,
            evidence=f"volume heal {volume.name} info"
            if rule in ("split-brain", "heal-backlog", "heal-unknown")
            else f"volume status {volume.name}, seen by {volume.seen_by}",
        )

    if volume.stale:
        yield found("volume-unknown", Level.UNKNOWN, f"no peer says; last read {age(volume.at, now)} ago")
        return
    yield from disagreements(volume, found)
    if volume.status == "stopped":
        yield found("volume-stopped", Level.CRIT, "the volume is stopped")
    if volume.status == "unknown":
        yield found("volume-unknown", Level.UNKNOWN, "whether it is started is not known")
    if volume.status != "started":
        return
    total, unknown = len(volume.bricks), sum(brick.up is None for brick in volume.bricks)
    for group in volume.sets:
        level, lost = set_level(volume.definition, group)
        margin = "" if lost or level is not Level.CRIT or volume.definition.disperse <= 0 else ", no redundancy left"
        if lost:
            yield found("quorum-lost", Level.CRIT, lost)
        for brick in group:
            if brick.up is False:
                state = f"{volume.up} of {total} bricks up" + (f", {unknown} not known" if unknown else "")
                what = f"{state}; {brick.name} is down"
                why = f" ({brick.why})" if brick.why not in ("", "offline") else ""
                yield found(
                    "brick-down", level, what + why + margin, f"{volume.name} {brick.name}", brick.at, brick.host
                )
            elif brick.up is None:
                what = f"whether {brick.name} runs is not known"
                yield found("brick-unknown", Level.UNKNOWN, what, f"{volume.name} {brick.name}", brick.at, brick.host)
    for host in volume.self_heal_down:
        yield found(
            "self-heal-down", Level.WARN, f"the self-heal daemon of {host} does not run", f"{volume.name} {host}"
        )
    yield from space_findings(volume, thresholds, found)
    yield from task_findings(volume, thresholds, now, found)
    if volume.definition.set_size > 1:
        yield from _heals(volume, thresholds, now, found)


def _heals(
    volume: VolumeView, thresholds: Thresholds, now: datetime, found: Callable[..., Finding]
) -> Iterator[Finding]:
    heals = volume.heals
    if heals is None:
        old = volume.stale_heals
        what = f"heal info is {age(old.at, now)} old" if old else "heal info not read yet"
        yield found("heal-unknown", Level.UNKNOWN, what, at=old.at if old else None)
        return
    split, pending = heals.split_brain, heals.pending
    if split:
        files = [entry for brick in heals.bricks for entry in brick.split_entries]
        files.sort(
            key=lambda entry: entry.startswith("<gfid:")
        )  # one brick may name what another has only a number for
        first = f", first {files[0]}"[:80] if files else ""
        entries = "1 entry" if split == 1 else f"{split} entries"
        yield found("split-brain", Level.CRIT, f"SPLIT-BRAIN, {entries}{first}", at=heals.at)
    unsaid = [brick.name for brick in heals.bricks if brick.split_brain is None or brick.pending is None]
    if unsaid and not split:
        what = f"heals and split-brain not known on {', '.join(unsaid)[:80]}"
        yield found("heal-unknown", Level.UNKNOWN, what, at=heals.at)
    if not pending:
        return
    waiting = heals.backlog_since is not None and now - heals.backlog_since >= timedelta(
        seconds=thresholds.heal_age_warn
    )
    since = age(heals.backlog_since, now) if heals.backlog_since else "now"
    if pending >= thresholds.heal_count_crit:
        level = Level.CRIT
    elif waiting or heals.rising:
        level = Level.WARN
    else:
        return
    trend = ", rising" if heals.rising else ""
    if heals.healed_seconds is not None:
        trend = f", done in about {span(heals.healed_seconds)}"
    yield found("heal-backlog", level, f"{pending} entries to heal for {since}{trend}", at=heals.at)
