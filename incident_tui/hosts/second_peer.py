"""The two-peers rule: never change something on a second GlusterFS peer while another is down or heals. Pure.

Source: Gluster administrator guide, "Replacing hosts" and "Upgrading": wait until `heal info` is empty before the next
node. A brick that is not known to be up counts as one that is not.
"""

from __future__ import annotations

from incident_tui.hosts.cluster import BrickView, ClusterView, VolumeView
from incident_tui.incident.said import same


def at_risk(cluster: ClusterView, host: str) -> tuple[str, ...]:
    """Why a change on `host` is dangerous now, one sentence for each set of bricks of which it has one."""
    return tuple(
        sentence
        for volume in cluster.volumes
        for bricks in volume.sets
        if volume.status == "started" and any(same(brick.host, host) for brick in bricks)
        if (sentence := _trouble(volume, bricks, host))
    )


def _trouble(volume: VolumeView, bricks: tuple[BrickView, ...], host: str) -> str:
    others = [brick for brick in bricks if not same(brick.host, host)]
    said = [f"{one.name} {'is down' if one.up is False else 'is not known to be up'}" for one in others if not one.up]
    waiting = _pending(volume, bricks)
    if others and waiting:
        said.append(f"{waiting} entries are to be healed")
    return f"{volume.name}: {', '.join(said)}" if said else ""


def _pending(volume: VolumeView, bricks: tuple[BrickView, ...]) -> int:
    """Entries to heal in this set: by the bricks' own indices, and by `heal info`, whichever says more."""
    names = {brick.name for brick in bricks}
    listed = [heal.pending for heal in volume.heals.bricks if heal.name in names] if volume.heals is not None else []
    return max((count for count in (*(brick.pending for brick in bricks), *listed) if count is not None), default=0)
