"""Quorum of GlusterFS, computed: whether a subvolume takes writes (client quorum, and what is left of a disperse set),
and whether glusterd lets a peer's bricks run (server quorum). Pure.

Sources: afr_has_quorum and fix_quorum_options of the replicate translator, glusterd_get_quorum_cluster_counts of
glusterd, and the administrator's guide on arbiter volumes and quorum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from incident_tui.hosts.cluster import BrickView, VolumeView
from incident_tui.hosts.readings import HostReading, Volume
from incident_tui.incident.finding import Level

BEFRIENDED = (3, -1)
"""States of a peer that counts for server quorum: in the cluster, or not said."""


def set_level(volume: Volume, group: Sequence[BrickView]) -> tuple[Level, str]:
    """The level of one subvolume with a brick down, and the sentence about quorum when writes or data are lost."""
    total, up = len(group), sum(brick.up is True for brick in group)
    down = sum(brick.up is False for brick in group)
    if down == 0:
        return Level.OK, ""
    state = f"{up} of {total} bricks up"
    if volume.disperse > 0:
        if down > volume.redundancy:
            return Level.CRIT, f"{state}, data unavailable (redundancy {volume.redundancy})"
        if total - down < _number(volume.options.get("disperse.quorum-count")):
            return Level.CRIT, f"{state}, writes refused (disperse.quorum-count)"
        return (Level.CRIT if down == volume.redundancy else Level.WARN), ""
    if volume.replica <= 1:
        return Level.CRIT, ""
    if down == total:
        return Level.CRIT, f"{state}, data unavailable"
    if volume.arbiters and all(brick.up is False for brick in group if not brick.arbiter):
        return Level.CRIT, f"{state}, data unavailable (the arbiter holds none)"
    if not _takes_writes(volume, group):
        return Level.CRIT, f"{state}, writes refused (client quorum)"
    return Level.WARN, ""


def _takes_writes(volume: Volume, group: Sequence[BrickView]) -> bool:
    """Whether enough bricks of a replica set are up, or may be. Without the option: auto from replica 3, none for 2."""
    total, may_be_up = len(group), sum(brick.up is not False for brick in group)
    kind = volume.options.get("cluster.quorum-type", "auto" if total > 2 else "none")
    if kind == "fixed":
        return may_be_up >= _number(volume.options.get("cluster.quorum-count"))
    if kind != "auto":
        return True
    # Exactly half of an even number is enough with the first brick among them.
    return 2 * may_be_up > total or (2 * may_be_up == total and group[0].up is not False)


def _number(said: str | None) -> int:
    return int(said) if said is not None and re.fullmatch(r"\d{1,6}", said) else 0


class Peers(msgspec.Struct, frozen=True):
    """One peer's count for server quorum: how many of the cluster's peers it reaches, itself among them, how many there
    are, and how many it needs."""

    host: str
    connected: int
    total: int
    needed: int


def needed_peers(total: int, ratio: str | None) -> int:
    """Of so many peers, by cluster.server-quorum-ratio ("51" or "51%"); more than half of them without it."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)%?", (ratio or "").strip())
    if match is None:
        return total // 2 + 1
    exact = total * float(match.group(1)) / 100
    return int(exact) + (exact > int(exact))


def server_quorum(volume: VolumeView, hosts: Sequence[HostReading]) -> Iterator[Peers]:
    """The count of each host that knows this volume and whose glusterd runs; nothing for a volume without the option.
    `hosts`: only those whose reading is fresh."""
    definition = volume.definition
    if definition.options.get("cluster.server-quorum-type") != "server":
        return
    for reading in hosts:
        said = reading.gluster
        if said is None or not said.glusterd_alive or all(v.id != definition.id for v in said.volumes):
            continue
        counted = [peer for peer in said.peers if peer.state in BEFRIENDED]
        total = 1 + len(counted)
        needed = needed_peers(total, definition.options.get("cluster.server-quorum-ratio"))
        yield Peers(reading.host, 1 + sum(peer.connected for peer in counted), total, needed)


def server_sentence(volume: VolumeView, counts: Sequence[Peers]) -> tuple[Level, str, str]:
    """(level, sentence, host): lost, one more loss away from it while a peer is lost already, or OK and empty."""
    lost = [each for each in counts if each.connected < each.needed]
    if lost:
        worst = min(lost, key=lambda each: each.connected)
        homes = {brick.host for brick in volume.bricks}
        names = ", ".join(each.host for each in lost if each.host in homes)
        bricks = f"bricks of {volume.name} on {names} stop" if names else "changes are refused"
        state = f"{worst.connected} of {worst.total} peers connected, {worst.needed} needed"
        return Level.CRIT, f"server quorum lost, {state}: {bricks}", worst.host
    near = [each for each in counts if each.connected == each.needed < each.total]
    if near:
        state = f"{near[0].connected} of {near[0].total} peers connected"
        return Level.WARN, f"{state}; if one more is lost, bricks of {volume.name} stop (server quorum)", ""
    return Level.OK, "", ""
