"""Snapshots, and what the probe never asks for and people paste: `snapshot list`, the file of `get-state`. Pure."""

from __future__ import annotations

import re

import msgspec

from incident_tui import text
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.gluster import classify, good, has_xml, once, peer_state, plain, split_brick
from incident_tui.hosts.readings_gluster import BrickStatus, Peer, ServiceStatus, Snapshot

SNAPSHOTS = 256
"""Snapshots that a volume may have."""


class StateVolume(msgspec.Struct, frozen=True, kw_only=True):
    """A volume of `get-state`. Only the bricks of the peer that was asked say whether they run (else online None).
    `quorum` is server quorum's: not_applicable, meets, does_not_meet."""

    name: str
    status: str
    quorum: str = ""
    bricks: tuple[BrickStatus, ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The file that `get-state` writes (3.9 and later)."""

    uuid: str
    op_version: str
    peers: tuple[Peer, ...]
    volumes: tuple[StateVolume, ...]
    services: tuple[ServiceStatus, ...]


class SnapshotBrick(msgspec.Struct, frozen=True, kw_only=True):
    """One brick of `snapshot status`. `percent` of its thin volume is in use; None where it is not said."""

    name: str
    brick: str
    running: bool
    percent: float | None = None


def snapshots(body: str) -> tuple[Snapshot, ...]:
    """`snapshot info [volume V]` as text or XML, and `snapshot list --xml`. Raises Unreadable."""
    if re.search(r"No snapshots present|^Volume \S+ has no snapshots", body, re.M):
        return ()
    found = _snapshots_xml(body) if has_xml(body) else _snapshots_text(plain(body, "snapshot info"))
    return found[:SNAPSHOTS]


def _snapshots_xml(body: str) -> tuple[Snapshot, ...]:
    out = []
    for document in good(body, "snapshot info"):
        listed, told = document.find("snapList"), document.find("snapInfo")
        if listed is None and told is None:
            raise garbled("snapshot info")
        declared = document.findtext("snapList/count") or document.findtext("snapInfo/count")
        if declared is not None and declared.strip() != str(sum(1 for _ in document.iter("snapshot"))):
            raise garbled("snapshot info")
        for snapshot in listed.findall("snapshot") if listed is not None else ():
            out.append(Snapshot(name=text.sanitise((snapshot.text or "").strip(), limit=255)))
        for snapshot in told.iter("snapshot") if told is not None else ():
            # for one volume, its name stands above all its snapshots
            volume = snapshot.findtext(".//originVolume/name") or (
                told.findtext("originVolume/name") if told is not None else ""
            )
            out.append(
                Snapshot(
                    name=text.sanitise((snapshot.findtext("name") or "").strip(), limit=255),
                    volume=text.sanitise((volume or "").strip(), limit=255),
                    status=text.sanitise((snapshot.findtext("snapVolume/status") or "").strip(), limit=40),
                    created=text.sanitise((snapshot.findtext("createTime") or "").strip(), limit=40),
                )
            )
    if not all(snapshot.name for snapshot in out):
        raise garbled("snapshot info")
    return tuple(out)


def _snapshots_text(body: str) -> tuple[Snapshot, ...]:
    above, *blocks = re.split(r"(?m)^[ \t]*Snapshot +: *", body)
    if not blocks:
        raise classify(body, "snapshot info")
    of_one = re.search(r"(?m)^[ \t]*Volume Name +: *(\S+)[ \t]*$", above)  # `info volume V` names it once
    out = []
    for block in blocks:
        name, _, rest = block.partition("\n")
        said = {key: value for key, value in re.findall(r"(?m)^\s*(\S[^:\n]*?) +: *(.*?)\s*$", rest)}
        if not name.strip() or "Status" not in said:
            raise garbled("snapshot info")
        out.append(
            Snapshot(
                name=text.sanitise(name.strip(), limit=255),
                volume=text.sanitise(said.get("Origin Volume name") or (of_one.group(1) if of_one else ""), limit=255),
                status=text.sanitise(said["Status"], limit=40),
                created=text.sanitise(said.get("Created", ""), limit=40),
            )
        )
    return tuple(out)


def snapshot_bricks(body: str) -> tuple[SnapshotBrick, ...]:
    """`snapshot status [NAME | volume V]` as text or XML. Raises Unreadable."""
    if re.search(r"No snapshots present|^Volume \S+ has no snapshots", body, re.M):
        return ()
    out = []
    if has_xml(body):
        for document in good(body, "snapshot status"):
            for snapshot in document.findall("snapStatus/snapshots/snapshot"):
                for brick in snapshot.iter("brick"):
                    once(brick, "snapshot status")
                    tags = {child.tag: child.text or "" for child in brick}
                    running, percent = tags.get("brick_running", ""), tags.get("data_percentage", "")
                    out.append(_snapshot_brick(snapshot.findtext("name") or "", tags.get("path", ""), running, percent))
        return tuple(out)
    body = plain(body, "snapshot status")
    for block in re.split(r"(?m)^[ \t]*Snap Name +: *", body)[1:]:
        name, _, rest = block.partition("\n")
        for part in re.split(r"(?m)^[ \t]*Brick Path +: *", rest)[1:]:
            path, _, more = part.partition("\n")
            told = re.findall(r"(?m)^\s*(\S[^:\n]*?) +: *(.*?)\s*$", more)
            if len(said := dict(told)) != len(told):
                raise garbled("snapshot status")  # two bricks have become one
            running = said.get("Brick Running", "")
            # as it is printed, or a blank for a digit would be another number
            filled = re.search(r"(?m)Data Percentage +:   (\S+)$", more)
            percent = filled.group(1) if filled is not None and "LV Size" in said else ""
            out.append(_snapshot_brick(name, path, running, percent))
    if not out:
        raise classify(body, "snapshot status")
    return tuple(out)


def _snapshot_brick(name: str, path: str, running: str, percent: str) -> SnapshotBrick:
    if not name.strip() or not path.strip() or running not in ("Yes", "No"):
        raise garbled("snapshot status")
    filled = float(percent) if re.fullmatch(r"\d{1,3}\.\d\d", percent) else None
    name, path = text.sanitise(name.strip(), limit=255), text.sanitise(path.strip(), limit=400)
    return SnapshotBrick(name=name, brick=path, running=running == "Yes", percent=filled)


def state(body: str) -> State:
    """The file of `get-state`: "[Peers]", "Peer1.connected: Connected". One without its last part raises."""
    body = plain(body, "get-state")
    said: dict[str, str] = {}
    parts: list[str] = []
    for line in body.splitlines():
        if re.fullmatch(r"\[[A-Z][A-Za-z ]*\]\s*", line):
            parts.append(line.strip())
        elif (match := re.match(r"([A-Za-z][A-Za-z0-9_. -]*?): ?(.*)\Z", line)) is not None:
            said[match.group(1)] = text.sanitise(match.group(2).strip(), limit=1000)
    if not {"[Global]", "[Peers]", "[Volumes]", "[Services]", "[Misc]"} <= set(parts):
        raise garbled("get-state")
    return State(
        uuid=said.get("MYUUID", ""),
        op_version=said.get("op-version", ""),
        peers=tuple(_peer(said, f"Peer{n}") for n in _numbers(said, "Peer")),
        volumes=tuple(_volume(said, f"Volume{n}") for n in _numbers(said, "Volume")),
        services=tuple(
            ServiceStatus(
                kind=said.get(f"svc{n}.name", ""),
                host="localhost",
                online={"Online": True, "Offline": False}.get(said.get(f"svc{n}.online_status", "")),
            )
            for n in _numbers(said, "svc")
        ),
    )


def _numbers(said: dict[str, str], before: str) -> list[int]:
    """The numbers of "Peer1.…", "Peer2.…"."""
    keys = (re.match(rf"{before}(\d{{1,5}})\.", key) for key in said)
    return sorted({int(match.group(1)) for match in keys if match is not None})


def _peer(said: dict[str, str], key: str) -> Peer:
    connected, host = said.get(f"{key}.connected", ""), said.get(f"{key}.primary_hostname", "")
    number = peer_state(said.get(f"{key}.state", ""))
    if connected not in ("Connected", "Disconnected") or not host or number < 0:
        raise garbled("get-state")
    return Peer(
        uuid=said.get(f"{key}.uuid", ""),
        hostname=host,
        names=(host,),
        connected=connected == "Connected",
        state=number,
        state_text=said[f"{key}.state"],
    )


def _volume(said: dict[str, str], key: str) -> StateVolume:
    bricks = []
    for n in _numbers(said, rf"{key}\.Brick"):
        place = split_brick(said.get(f"{key}.Brick{n}.path", ""))
        if place is None:
            raise garbled("get-state")
        word = said.get(f"{key}.Brick{n}.status", "")
        online = {"Started": True, "Stopped": False}.get(word)
        bricks.append(BrickStatus(host=place[0], path=place[1], online=online))
    name, status = said.get(f"{key}.name", ""), said.get(f"{key}.status", "").lower()
    if not name or said.get(f"{key}.brickcount", str(len(bricks))) != str(len(bricks)):
        raise garbled("get-state")
    return StateVolume(
        name=name,
        status=status if status in ("created", "started", "stopped") else "unknown",
        quorum=said.get(f"{key}.quorum_status", ""),
        bricks=tuple(bricks),
    )
