"""What `docker` and `gluster` print on the demo's machines, as text. Pure.

CentOS 6: Docker 1.6.2 (API 1.18) and GlusterFS 3.6.9, whose heal info knows no XML. The modern machine: Docker 28.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

from incident_tui.demo.world import Brick, Container, Peer, Volume, World, fake_uuid

_ZERO = "0001-01-01T00:00:00Z"


def _stamp(value: datetime | None) -> str:
    return _ZERO if value is None else f"{value:%Y-%m-%dT%H:%M:%S.%f}000Z"


def inspect(container: Container, peer: Peer) -> str:
    """One container's object, as `docker inspect` has it for this era."""
    restarting = container.state == "restarting"
    state: dict[str, object] = {
        "Running": container.state == "running" or restarting,
        "Paused": False,
        "Restarting": restarting,
        # No memory limit is set here: a machine that runs out does not set this flag, whatever the kernel killed.
        "OOMKilled": False,
        "Dead": False,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": _stamp(container.started),
        "FinishedAt": _stamp(container.finished),
    }
    if peer.modern:
        state = {"Status": container.state, **state}
    name, _, count = container.policy.partition(":")
    config: dict[str, object] = {"Image": container.image, "Hostname": container.id[:12]}
    host_config: dict[str, object] = {
        "RestartPolicy": {"Name": name, "MaximumRetryCount": int(count or 0)},
        "NetworkMode": "bridge",
    }
    (host_config if peer.modern else config)["Memory"] = 0
    return json.dumps(
        {
            "Id": container.id,
            "Created": _stamp(container.started),
            "Path": "/run.sh",
            "Args": [],
            "State": state,
            "Image": container.id,
            "Name": "/" + container.name,
            "RestartCount": container.restarts,
            "Config": config,
            "HostConfig": host_config,
            "NetworkSettings": {"IPAddress": "172.17.0.9", "Ports": {"80/tcp": None}},
        },
        indent=4,
    )


def log(container: Container, now: datetime) -> str:
    """What `docker logs -t` prints: the start, the last minute's requests, and what ended it."""
    began = container.started or now - timedelta(hours=3)
    rows = [(began, "run.sh: configuration read"), (began + timedelta(seconds=1), "run.sh: ready")]
    if container.state == "running":
        asked = (now - timedelta(seconds=5 * number) for number in range(11, -1, -1))
        rows += [(at, "10.0.0.7 GET / 200") for at in asked if at > rows[-1][0]]
    elif container.finished is not None:
        rows.append((container.finished, "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted"))
    return "".join(f"{_stamp(at)} {line}\n" for at, line in rows)


def _xml(body: str, ret: int = 0, error: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>\n'
        f"  <opRet>{ret}</opRet>\n  <opErrno>0</opErrno>\n  <opErrstr>{escape(error)}</opErrstr>\n{body}</cliOutput>\n"
    )


def sees(world: World, asked: Peer) -> list[Peer]:
    return [peer for peer in world.peers.values() if peer.gluster and peer is not asked]


def peer_status(world: World, asked: Peer) -> str:
    rows = "".join(
        f"    <peer>\n      <uuid>{peer.uuid}</uuid>\n      <hostname>{peer.name}</hostname>\n"
        f"      <hostnames>\n        <hostname>{peer.name}</hostname>\n      </hostnames>\n"
        f"      <connected>{int(peer.reachable and peer.glusterd)}</connected>\n      <state>3</state>\n"
        f"      <stateStr>Peer in Cluster</stateStr>\n    </peer>\n"
        for peer in sees(world, asked)
    )
    return _xml(f"  <peerStatus>\n{rows}  </peerStatus>\n")


def volume_info(world: World) -> str:
    volumes = ""
    for volume in world.volumes.values():
        bricks = "".join(
            f'          <brick uuid="{world.peers[brick.peer].uuid}">{brick.peer}:{brick.path}'
            f"<name>{brick.peer}:{brick.path}</name><hostUuid>{world.peers[brick.peer].uuid}</hostUuid></brick>\n"
            for brick in volume.bricks
        )
        count = len(volume.bricks)
        volumes += (
            f"      <volume>\n        <name>{volume.name}</name>\n        <id>{fake_uuid(volume.name)}</id>\n"
            f"        <status>{1 if volume.started else 2}</status>\n"
            f"        <statusStr>{'Started' if volume.started else 'Stopped'}</statusStr>\n"
            f"        <brickCount>{count}</brickCount>\n        <distCount>{count}</distCount>\n"
            f"        <stripeCount>1</stripeCount>\n        <replicaCount>{count}</replicaCount>\n"
            f"        <disperseCount>0</disperseCount>\n        <redundancyCount>0</redundancyCount>\n"
            f"        <type>2</type>\n        <typeStr>Replicate</typeStr>\n        <transport>0</transport>\n"
            f"        <bricks>\n{bricks}        </bricks>\n        <optCount>1</optCount>\n        <options>\n"
            f"          <option>\n            <name>cluster.quorum-type</name>\n            <value>auto</value>\n"
            f"          </option>\n        </options>\n      </volume>\n"
        )
    return _xml(
        f"  <volInfo>\n    <volumes>\n{volumes}      <count>{len(world.volumes)}</count>\n"
        f"    </volumes>\n  </volInfo>\n"
    )


def reached(world: World, asked: Peer) -> set[str]:
    return {asked.name} | {peer.name for peer in sees(world, asked) if peer.reachable and peer.glusterd}


def volume_status(world: World, volume: Volume, asked: Peer) -> str:
    """Bricks of a peer that cannot be reached are simply not in it."""
    there = reached(world, asked)
    rows = "".join(
        _node(brick.peer, brick.path, world.peers[brick.peer].uuid, brick.alive, brick.port, brick.pid)
        for brick in volume.bricks
        if brick.peer in there
    )
    for brick in volume.bricks:
        if brick.peer in there:
            host = "localhost" if brick.peer == asked.name else brick.peer
            rows += _node("Self-heal Daemon", host, world.peers[brick.peer].uuid, True, 0, 1900)
    return _xml(
        f"  <volStatus>\n    <volumes>\n      <volume>\n        <volName>{volume.name}</volName>\n"
        f"        <nodeCount>{2 * len(there)}</nodeCount>\n{rows}        <tasks/>\n      </volume>\n"
        f"    </volumes>\n  </volStatus>\n"
    )


def _node(host: str, path: str, uuid: str, alive: bool, port: int, pid: int) -> str:
    shown = str(port) if alive and port else "N/A"
    return (
        f"        <node>\n          <hostname>{host}</hostname>\n          <path>{path}</path>\n"
        f"          <peerid>{uuid}</peerid>\n          <status>{int(alive)}</status>\n"
        f"          <port>{shown}</port>\n          <pid>{pid if alive else -1}</pid>\n        </node>\n"
    )


def heal_info(world: World, volume: Volume, asked: Peer, *, split_only: bool = False) -> str:
    """Text, as GlusterFS 3.6 prints it whether XML was asked for or not."""
    there = reached(world, asked)
    blocks = []
    for brick in volume.bricks:
        head = f"Brick {brick.peer}:{brick.path}/\n"
        if brick.peer not in there or not brick.alive:
            blocks.append(head + "Status: Transport endpoint is not connected\n")
        elif split_only:
            blocks.append(
                head
                + "".join(f"{file}\n" for file in volume.split)
                + f"Number of entries in split-brain: {len(volume.split)}\n"
            )
        else:
            blocks.append(head + _entries(volume, brick))
    return "\n".join(blocks) + "\n"


def _entries(volume: Volume, brick: Brick) -> str:
    pending = int(brick.pending)
    lines = [f"{file} - Is in split-brain\n" for file in volume.split]
    lines += [f"<gfid:{fake_uuid(f'{brick.volume}{number}')}>\n" for number in range(min(pending, 200))]
    return "\n".join(lines) + f"Number of entries: {pending + len(volume.split)}\n"
