"""What `gluster` prints on the demo's machines for a person, who does not ask for XML; as GlusterFS 3.6 does. Pure."""

from __future__ import annotations

from incident_tui.demo.answers import reached, sees
from incident_tui.demo.world import Peer, Volume, World

_LINE = "-" * 78


def peer_status(world: World, asked: Peer) -> str:
    others = sees(world, asked)
    rows = [
        f"\nHostname: {peer.name}\nUuid: {peer.uuid}\n"
        f"State: Peer in Cluster ({'Connected' if peer.reachable and peer.glusterd else 'Disconnected'})\n"
        for peer in others
    ]
    return f"Number of Peers: {len(others)}\n{''.join(rows)}"


def volume_status(world: World, volume: Volume, asked: Peer) -> str:
    """Bricks of a peer that cannot be reached are simply not in it."""
    there = [brick for brick in volume.bricks if brick.peer in reached(world, asked)]
    rows = [_row(f"Brick {brick.peer}:{brick.path}", brick.alive, brick.port, brick.pid) for brick in there]
    for brick in there:
        host = "localhost" if brick.peer == asked.name else brick.peer
        rows.append(_row(f"Self-heal Daemon on {host}", True, 0, 1900))
    title = f"{'Gluster process':<55}{'Port':<8}{'Online':<8}Pid"
    end = f"Task Status of Volume {volume.name}\n{_LINE}\nThere are no active volume tasks"
    return "\n".join([f"Status of volume: {volume.name}", title, _LINE, *rows, " ", end, ""])


def _row(what: str, alive: bool, port: int, pid: int) -> str:
    shown = str(port) if alive and port else "N/A"
    return f"{what:<55}{shown:<8}{'Y' if alive else 'N':<8}{pid if alive else 'N/A'}"
