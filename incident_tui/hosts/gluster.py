"""GlusterFS 3.4 to 11: the command's answers as XML, and what its messages mean. Pure.

The exit code is never believed alone: with `--xml` a failed `volume status` ends 0. An answer is a `<cliOutput>` with
its opRet, or text where this version prints text although XML was asked for (`gluster_text`), or an error to classify.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec

from incident_tui import text
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.gluster_messages import classify as classify
from incident_tui.hosts.gluster_messages import known_error as known_error
from incident_tui.hosts.gluster_messages import plain as plain
from incident_tui.hosts.gluster_messages import trouble as trouble
from incident_tui.hosts.readings import Brick, BrickHeal, BrickStatus, GapKind, Peer, ServiceStatus, Task, Volume

ENTRY_LIMIT = 20
"""File names kept of one brick's heal info."""

DOCUMENTS = 1000
"""Documents in one output: 3.4 prints one more for each volume that failed."""
_DOCUMENT = re.compile(r"<cliOutput\b[^>]*>.*?</cliOutput\s*>|<cliOutput\s*/>", re.S)
_INVALID_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def has_xml(body: str) -> bool:
    return "<cliOutput" in body or "<?xml" in body


def documents(body: str, what: str) -> list[ET.Element]:
    """Every `<cliOutput>` in the output: text may stand before it, and some versions print two. Raises on a DTD, on a
    document that does not end, and on damage."""
    if re.search(r"<!(DOCTYPE|ENTITY)", body, re.I):
        raise Unreadable(GapKind.FAILED, f"the answer of {what} holds a document type, which is refused")
    begun = len(re.findall(r"<cliOutput\b", body))
    found = _DOCUMENT.findall(body) if begun <= DOCUMENTS else []
    if not found or len(found) != begun:
        raise garbled(what)
    try:
        return [ET.fromstring(_INVALID_XML.sub("\ufffd", document)) for document in found]
    except (ET.ParseError, ValueError, RecursionError):
        raise garbled(what) from None


def said_well(document: ET.Element, what: str) -> None:
    """Raises what opRet, opErrno and opErrstr mean when the command failed; an answer without opRet is damaged."""
    ret = _int(document.findtext("opRet"))
    if ret is None:
        raise garbled(what)
    if ret != 0:
        raise classify((document.findtext("opErrstr") or document.findtext("output") or "").strip(), what)


def good(body: str, what: str) -> list[ET.Element]:
    """The documents that succeeded. When none did, raises what the first one said."""
    first: Unreadable | None = None
    out = []
    for document in documents(body, what):
        try:
            said_well(document, what)
            out.append(document)
        except Unreadable as problem:
            first = first or problem
    if not out and first is not None:
        raise first
    return out


def _int(word: str | None) -> int | None:
    word = (word or "").strip()
    return int(word) if re.fullmatch(r"-?\d{1,19}", word) else None


def once(element: ET.Element, what: str, *, but: str = "") -> None:
    """Raises when two things have become one: a tag, other than `but`, stands twice in this element."""
    tags = [child.tag for child in element if child.tag != but]
    if len(set(tags)) != len(tags):
        raise garbled(what)


def _size(word: str | None) -> int:
    return max(0, _int(word) or 0)


def _name(element: ET.Element, tag: str, limit: int = 400) -> str:
    return text.sanitise((element.findtext(tag) or "").strip(), limit=limit)


def split_brick(name: str) -> tuple[str, str] | None:
    """ "host:/path" at the first ":/" (an IPv6 host has colons of its own). 3.5 and 3.6 end it with a slash in heal
    info only."""
    host, found, path = name.partition(":/")
    return (host, "/" + path.rstrip("/")) if found and host else None


PEER_STATES = (
    *("Establishing Connection", "Probe Sent to Peer", "Probe Received from Peer", "Peer in Cluster"),
    *("Accepted peer request", "Sent and Received peer request", "Peer Rejected", "Peer detach in progress"),
    *("Probe Received from peer", "Connected to Peer", "Peer is connected and Accepted", "Invalid State"),
)
"""glusterd_friend_sm_state_names, by number."""


def peer_state(word: str) -> int:
    """The number of a peer's state by its words; 11, "Invalid State", for words nobody knows; -1 for none."""
    known = [name.lower() for name in PEER_STATES]
    said = word.strip().lower()
    return known.index(said) if said in known else 11 if said else -1


def peers_xml(body: str) -> tuple[Peer, ...]:
    """`peer status --xml` and `pool list --xml`. No peers is an empty tuple; an answer without its list raises."""
    out: list[Peer] = []
    for document in good(body, "peer status"):
        listed = document.find("peerStatus")
        if listed is None and "No peers present" in (document.findtext("opErrstr") or ""):
            continue
        if listed is None:
            raise garbled("peer status")
        for peer in listed.iter("peer"):
            once(peer, "peer status")
            connected, state = _int(peer.findtext("connected")), _int(peer.findtext("state"))
            uuid, hostname = _name(peer, "uuid"), _name(peer, "hostname")
            words = _name(peer, "stateStr")
            state = peer_state(words) if state is None else state
            if connected not in (0, 1) or not (uuid or hostname) or state < 0:
                raise garbled("peer status")
            names = [text.sanitise((n.text or "").strip(), limit=255) for n in peer.findall("hostnames/hostname")]
            out.append(
                Peer(
                    uuid=uuid,
                    hostname=hostname,
                    names=tuple(dict.fromkeys(name for name in [hostname, *names] if name)),
                    connected=connected == 1,
                    state=state,
                    state_text=words,
                )
            )
    return tuple(out)


def volume_names_xml(body: str) -> tuple[str, ...]:
    """`volume list --xml`."""
    out: list[str] = []
    for document in good(body, "volume list"):
        listed = document.find("volList")
        if listed is None:
            raise garbled("volume list")
        names = [text.sanitise((name.text or "").strip(), limit=255) for name in listed.findall("volume")]
        if _int(listed.findtext("count")) not in (None, len(names)) or not all(names):
            raise garbled("volume list")
        out += names
    return tuple(out)


_VOLUME_STATUS = {0: "created", 1: "started", 2: "stopped"}


def _status(volume: ET.Element) -> str:
    """By number and word, where they are; when they say different things the worse, stopped, else "unknown"."""
    number, word = _int(volume.findtext("status")), _name(volume, "statusStr").lower()
    said = {_VOLUME_STATUS.get(number, "unknown")} if number is not None else set()
    said |= {word if word in _VOLUME_STATUS.values() else "unknown"} if word else set()
    return "stopped" if "stopped" in said else said.pop() if len(said) == 1 else "unknown"


def volumes_xml(body: str) -> tuple[Volume, ...]:
    """`volume info --xml`. distCount is not read: its meaning changed; subvolumes follow from the order of bricks."""
    out: list[Volume] = []
    for document in good(body, "volume info"):
        if document.find("volInfo") is None:
            raise garbled("volume info")
        declared = _int(document.findtext("volInfo/volumes/count"))
        if declared is not None and declared != len(document.findall("volInfo/volumes/volume")):
            raise garbled("volume info")
        for volume in document.findall("volInfo/volumes/volume"):
            # a tiered volume (3.7 to 5) has them in hotBricks and coldBricks
            once(volume, "volume info")
            bricks = tuple(_brick(brick) for listed in volume.findall("bricks") for brick in listed.iter("brick"))
            count, name = _int(volume.findtext("brickCount")), _name(volume, "name")
            if not name or not bricks or (count is not None and count != len(bricks)):
                raise garbled("volume info")
            options = {_name(o, "name"): _name(o, "value", 2000) for o in volume.findall("options/option")}
            kind, replica = _name(volume, "typeStr"), _int(volume.findtext("replicaCount"))
            disperse = _size(volume.findtext("disperseCount"))
            if kind == "Tier":
                replica = tiered_size([_tier_size(tier) for tier in volume.findall("bricks/*")])
            elif replica is None and kind == "Distribute":
                replica = 1
            if (replica is None or replica < 1) and not disperse:
                raise garbled("volume info")
            out.append(
                Volume(
                    name=name,
                    id=_name(volume, "id"),
                    status=_status(volume),
                    kind=kind,
                    replica=max(1, replica or 1),
                    disperse=disperse,
                    redundancy=_size(volume.findtext("redundancyCount")),
                    arbiters=_size(volume.findtext("arbiterCount")),
                    bricks=bricks,
                    options=options,
                    snapshots=_size(volume.findtext("snapshotCount")),
                )
            )
    return tuple(out)


def tiered_size(sizes: list[int]) -> int:
    """Copies of each file on a tiered volume where both tiers have as many; else 1, so that no brick may be down."""
    return sizes[0] if len(sizes) == 2 and sizes[0] == sizes[1] else 1


def _tier_size(tier: ET.Element) -> int:
    """Of hotBricks or coldBricks: its replica count; 1 for a dispersed one, which has a count of its own."""
    replica, disperse = (
        next((n for kind in ("hot", "cold") if (n := _int(tier.findtext(f"{kind}{name}Count"))) is not None), 0)
        for name in ("replica", "disperse")
    )
    return 1 if disperse else max(1, replica)


def _brick(element: ET.Element) -> Brick:
    place = split_brick((element.findtext("name") or element.text or "").strip())
    if place is None:
        raise garbled("volume info")
    return Brick(
        host=text.sanitise(place[0], limit=255),
        path=text.sanitise(place[1], limit=1000),
        uuid=_name(element, "hostUuid") or text.sanitise(element.get("uuid", ""), limit=64),
        arbiter=(element.findtext("isArbiter") or "").strip() == "1",
    )


class Rows(msgspec.Struct, frozen=True):
    """One volume's rows of `volume status`."""

    volume: str
    bricks: tuple[BrickStatus, ...]
    services: tuple[ServiceStatus, ...]
    tasks: tuple[Task, ...] = ()


_SERVICE = re.compile(
    r"(NFS Server|Self-heal Daemon|Quota Daemon|Snapshot Daemon|Bitrot Daemon|Scrubber Daemon|Tier Daemon)\b"
)


def status_xml(body: str) -> tuple[Rows, ...]:
    """`volume status V --xml`, also of `all` and `detail`. A row whose status is neither 0 nor 1 has online None."""
    out: list[Rows] = []
    for document in good(body, "volume status"):
        if document.find("volStatus") is None:
            raise garbled("volume status")
        # 3.3 has the nodes of its one volume in volStatus itself
        alone = document.findall("volStatus[volName]")
        for volume in [*document.findall("volStatus/volumes/volume"), *alone]:
            bricks: list[BrickStatus] = []
            services: list[ServiceStatus] = []
            for node in volume.iter("node"):  # of a tiered volume in hotBricks and coldBricks
                once(node, "volume status")
                host, path = _name(node, "hostname"), _name(node, "path", 1000)
                pid = _int(node.findtext("pid")) or 0
                status, uuid = _int(node.findtext("status")), _name(node, "peerid")
                online = None if status not in (0, 1) else status == 1
                if online and not re.fullmatch(r"\s*(-?\d{1,10}|N/A)?\s*", node.findtext("pid") or ""):
                    online = None
                match = _SERVICE.match(host)
                if match:
                    services.append(
                        ServiceStatus(
                            kind=match.group(1), host=path, uuid=_name(node, "peerid"), online=online, pid=pid
                        )
                    )
                elif path.startswith("/"):
                    bricks.append(
                        BrickStatus(
                            host=host,
                            path=path,
                            uuid=uuid,
                            # pid -1 is "not running" whatever else the row says
                            online=False if online and pid == -1 else online,
                            port=_size(node.findtext("port")) or _size(node.findtext("ports/tcp")),
                            pid=max(0, pid),
                            size=_size(node.findtext("sizeTotal")),
                            free=_size(node.findtext("sizeFree")),
                            inodes=_size(node.findtext("inodesTotal")),
                            inodes_free=_size(node.findtext("inodesFree")),
                            device=_name(node, "device"),
                            # some versions print the file system's name as inodeSize
                            file_system=_name(node, "fsName") or _word(_name(node, "inodeSize")),
                        )
                    )
                elif not re.search(r" (Daemon|Server)\Z", host):
                    raise garbled("volume status")
            name = _name(volume, "volName")
            # `status V tasks` has no rows
            if not name or (not bricks and not services and volume.find("tasks") is None):
                raise garbled("volume status")
            tasks = tuple(
                Task(
                    kind=_name(task, "type"),
                    id=_name(task, "id"),
                    status=task_status(task.findtext("status"), task.findtext("statusStr")),
                )
                for task in volume.findall("tasks/task")
            )
            out.append(Rows(name, tuple(bricks), tuple(services), tasks))
    return tuple(out)


def _word(said: str) -> str:
    """A name, not a number."""
    return "" if said.isdecimal() or said == "N/A" else said


TASK_STATUS = (
    *("not started", "in progress", "stopped", "completed", "failed"),
    *("fix-layout in progress", "fix-layout stopped", "fix-layout completed", "fix-layout failed"),
    *("not started", "not started", "unknown"),
)
"""gf_defrag_status_t by number; 9 and 10 are "reset"."""


def task_status(number: str | None, word: str | None) -> str:
    """The status of a task or of a peer's part by its number, or by its word where this version has no number."""
    code, said = _int(number), (word or "").strip().lower().replace("fix layout", "fix-layout")
    told = {TASK_STATUS[code]} if code is not None and 0 <= code < len(TASK_STATUS) else set()
    told |= {said} if said in TASK_STATUS else set()
    if len(told) == 1:
        return told.pop()
    return next((word for word in told if "failed" in word), "unknown")  # number and word tell different things


def heals_xml(body: str, *, split_brain_only: bool = False) -> tuple[BrickHeal, ...]:
    """`heal V info [split-brain|summary] --xml`. `-` and a brick that failed half-way count as None, never as 0."""
    out: list[BrickHeal] = []
    for document in good(body, "heal info"):
        if document.find("healInfo") is None:
            raise garbled("heal info")
        for brick in document.findall("healInfo/bricks/brick"):
            once(brick, "heal info", but="file")
            status = _name(brick, "status")
            total = brick.findtext("totalNumberOfEntries")
            names = [(file.text or file.get("gfid") or "").strip() for file in brick.findall("file")]
            connected = status == "Connected"
            if total is not None:  # summary
                pending = _count(total, connected)
                split = _count(brick.findtext("numberOfEntriesInSplitBrain"), connected)
                healing = _count(brick.findtext("numberOfEntriesPossiblyHealing"), connected)
            else:
                number = _count(brick.findtext("numberOfEntries"), connected)
                pending, split, healing = (None, number, None) if split_brain_only else (number, None, None)
            if not _name(brick, "name"):
                raise garbled("heal info")
            if names and not split_brain_only and not pending:
                pending = None  # it names entries and counts none
            if names and split_brain_only and not split:
                split = None
            kept = tuple(text.sanitise(entry, limit=400) for entry in names[:ENTRY_LIMIT])
            out.append(
                BrickHeal(
                    name=_name(brick, "name", 1000).rstrip("/"),
                    connected=connected if status else None,
                    status=status,
                    pending=pending,
                    split_brain=split,
                    healing=healing,
                    entries=() if split_brain_only else kept,
                    split_entries=kept if split_brain_only else (),
                )
            )
    if not out:
        raise garbled("heal info")
    return tuple(out)


def _count(word: str | None, connected: bool) -> int | None:
    number = _int(word)
    return number if connected and number is not None and number >= 0 else None
