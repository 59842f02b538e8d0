"""GlusterFS answers as text: what 3.4 to 3.7.11 print for heal info, and every version without libxml. Pure."""

from __future__ import annotations

import re

import msgspec

from incident_tui import text
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.gluster import (
    ENTRY_LIMIT,
    Rows,
    classify,
    known_error,
    peer_state,
    plain,
    split_brick,
    task_status,
    tiered_size,
)
from incident_tui.hosts.readings import Brick, BrickHeal, BrickStatus, Peer, ServiceStatus, Task, Volume

_STATE = re.compile(r"(.*?)\s*\((Connected|Disconnected)\)\s*\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def _keys(body: str) -> list[tuple[str, str]]:
    """("Key", "value") of every line with a colon; other lines are ("", line)."""
    out = []
    for line in body.splitlines():
        key, colon, value = line.partition(":")
        out.append((key.strip(), value.strip()) if colon else ("", line.strip()))
    return out


def peers_text(body: str) -> tuple[Peer, ...]:
    """`peer status` ("Hostname:", "Uuid:", "State: … (Connected)") or `pool list` (tabs)."""
    body = plain(body, "peer status")
    if re.search(r"No peers present|Number of Peers: 0\b", body):
        return ()
    pool = re.search(r"(?m)^UUID\s+Hostname\s+State\s*$", body)
    if pool:
        return _pool(body[pool.end() :])
    declared = re.search(r"Number of Peers:\s*(\d{1,5})", body)
    if declared is None:
        raise classify(body, "peer status")
    if body.count("Number of Peers:") > 1:
        raise garbled("peer status")
    out: list[Peer] = []
    hostname, uuid, other = "", "", False
    for line in body.splitlines():
        key, _, value = line.partition(":")
        if key == "Hostname":
            if hostname:  # the one before has lost its state
                raise garbled("peer status")
            hostname, uuid, other = text.sanitise(value.strip(), limit=255), "", False
        elif key.lower() == "uuid":
            uuid = text.sanitise(value.strip(), limit=64)
        elif key == "State":
            match = _STATE.match(value.strip())
            alone = match is None and re.fullmatch(r"(?i)not connected|disconnected", value.strip()) is not None
            if not hostname or not (alone or (match is not None and match.group(1))):
                raise garbled("peer status")
            state = text.sanitise(match.group(1), limit=80) if match is not None else ""
            out.append(
                Peer(
                    uuid=uuid,
                    hostname=hostname,
                    names=(hostname,),
                    connected=match is not None and match.group(2) == "Connected",
                    state=peer_state(state),
                    state_text=state,
                )
            )
            hostname = ""
        elif line.strip() == "Other names:":
            other = True
        elif other and line.strip() and out:
            last = out.pop()
            name = text.sanitise(line.strip(), limit=255)
            out.append(msgspec.structs.replace(last, names=tuple(dict.fromkeys((*last.names, name)))))
    if len(out) != int(declared.group(1)):
        raise garbled("peer status")
    return tuple(out)


def _pool(rows: str) -> tuple[Peer, ...]:
    """It says of a peer whether it is connected, not its state."""
    out = []
    for line in rows.splitlines():
        words = line.split()
        if not words:
            continue
        if len(words) != 3 or not _UUID.match(words[0]) or words[2] not in ("Connected", "Disconnected"):
            raise garbled("pool list")
        host, connected = text.sanitise(words[1], limit=255), words[2] == "Connected"
        out.append(Peer(uuid=words[0], hostname=host, names=(host,), connected=connected))
    return tuple(out)


_COUNT = re.compile(r"(?:\d{1,9} x )*(?:\(?(\d{1,9})(?: \+ (\d{1,9})\)?)? = )?(\d{1,9})\s*\Z")


def volumes_text(body: str) -> tuple[Volume, ...]:
    """`volume info` as text. "Number of Bricks: 2 x (2 + 1) = 6": arbiter for Replicate, redundancy for Disperse."""
    body = plain(body, "volume info")
    if re.search(r"No volumes present", body):
        return ()
    blocks = re.split(r"(?m)^Volume Name:", body)[1:]
    if not blocks:
        raise classify(body, "volume info")
    return tuple(_volume(block) for block in blocks)


def _volume(block: str) -> Volume:
    name, _, rest = block.partition("\n")
    said = dict(_keys(rest.partition("Options Reconfigured:")[0]))
    options = dict(pair for pair in _keys(rest.partition("Options Reconfigured:")[2]) if pair[0])
    tiers = [_size_of_sets(block) for block in re.findall(r"(?m)^(?:Hot|Cold) Tier Type *:[^\n]*\n[^\n]*", rest)]
    bricks: list[Brick] = []
    for number, place in re.findall(r"(?m)^Brick(\d{1,9}): *(.+?)\s*$", rest.partition("Options Reconfigured:")[0]):
        arbiter = place.endswith(" (arbiter)")
        split = split_brick(place.removesuffix(" (arbiter)"))
        if split is None or int(number) != len(bricks) + 1:
            raise garbled("volume info")
        bricks.append(
            Brick(host=text.sanitise(split[0], limit=255), path=text.sanitise(split[1], limit=1000), arbiter=arbiter)
        )
    # the first: each tier of a tiered volume has another
    counts = re.search(r"(?m)^Number of Bricks: *(.*)$", rest)
    match = _COUNT.match(counts.group(1) if counts else "")
    if match is None or int(match.group(3)) != len(bricks) or not bricks or not name.strip():
        raise garbled("volume info")
    kind = said.get("Type", "")
    data, extra = int(match.group(1) or 1), int(match.group(2) or 0)
    disperse, replicated = "Disperse" in kind, "Replicate" in kind
    status = said.get("Status", "").lower()
    return Volume(
        name=text.sanitise(name.strip(), limit=255),
        id=text.sanitise(said.get("Volume ID", ""), limit=64),
        status=status if status in ("created", "started", "stopped") else "unknown",
        kind=text.sanitise(kind, limit=60),
        replica=tiered_size(tiers) if kind == "Tier" else data + extra if replicated else 1,
        disperse=data + extra if disperse else 0,
        redundancy=extra if disperse else 0,
        arbiters=extra if replicated else 0,
        snapshots=int(count) if (count := said.get("Snapshot Count", "")).isdecimal() and len(count) < 9 else 0,
        bricks=tuple(bricks),
        options={text.sanitise(key, limit=200): text.sanitise(value, limit=2000) for key, value in options.items()},
    )


def _size_of_sets(tier: str) -> int:
    """Copies of each file, of "Cold Tier Type : Distributed-Replicate" and the count of bricks below it."""
    match = _COUNT.match(tier.rpartition(":")[2].strip())
    if match is None or "Replicate" not in tier:
        return 1
    return int(match.group(1) or 1) + int(match.group(2) or 0)


_ROW_END = re.compile(r"\s(\d{1,9}|N/A)(?:\s+(\d{1,9}|N/A))?\s+([YN])\s+(-?\d{1,10}|N/A)\s*\Z")
_SERVICE_ROW = re.compile(r"(NFS Server|(?:Self-heal|Quota|Snapshot|Bitrot|Scrubber|Tier) Daemon) on (.+)\Z")


def status_text(body: str) -> tuple[Rows, ...]:
    """`volume status`: rows end in port (and RDMA port), Y or N, pid; a long name is wrapped onto the next line."""
    body = plain(body, "volume status")
    blocks = re.split(r"(?m)^Status of volume:", body)[1:]
    if not blocks and (tasks_only := re.split(r"(?m)^Task Status of Volume ", body)[1:]):  # `status V tasks`
        names = [text.sanitise(block.partition("\n")[0].strip(), limit=255) for block in tasks_only]
        return tuple(Rows(name, (), (), _tasks(block)) for name, block in zip(names, tasks_only, strict=True))
    if not blocks:
        raise classify(body, "volume status")
    out = []
    for block in blocks:
        name, _, rest = block.partition("\n")
        bricks: list[BrickStatus] = []
        services: list[ServiceStatus] = []
        held, pieces = "", list[str]()
        rows, _, tasks = rest.partition("Task Status of Volume")
        if re.search(r"(?m)^Brick +: Brick ", rows):
            listed = tuple(_detail(each) for each in re.split(r"(?m)^(?=Brick +: Brick )", rows)[1:])
            out.append(Rows(text.sanitise(name.strip(), limit=255), listed, (), _tasks(tasks)))
            continue
        for line in rows.splitlines():
            if not line.strip() or re.match(r"Gluster process|-{10,}|There are no active|(Hot|Cold) Bricks:", line):
                if re.match(r"Brick |.* on ", held):  # a row without its end
                    raise garbled("volume status")
                held, pieces = "", []
                continue
            if held and re.match(r"Brick |.* (Daemon|Server) on ", line):  # the row before it has no end
                raise garbled("volume status")
            held += line if not held or line.startswith(" ") else " " + line
            pieces.append(line)
            match = _ROW_END.search(held)
            if match is None:
                continue
            what, held, pieces = _row_name(pieces, held[: match.start()]), "", []
            online, pid = match.group(3) == "Y", int(match.group(4)) if match.group(4) != "N/A" else 0
            port = int(match.group(1)) if match.group(1) != "N/A" else 0
            service = _SERVICE_ROW.match(what)
            if service:
                host = text.sanitise(service.group(2), limit=255)
                services.append(ServiceStatus(kind=service.group(1), host=host, online=online, pid=max(0, pid)))
            elif what.startswith("Brick ") and (place := split_brick(what.removeprefix("Brick "))):
                host, path = text.sanitise(place[0], limit=255), text.sanitise(place[1], limit=1000)
                online = online and pid != -1
                bricks.append(BrickStatus(host=host, path=path, online=online, port=port, pid=max(0, pid)))
            else:
                raise garbled("volume status")
        if (held and known_error(held) is None) or not (bricks or services):
            raise garbled("volume status")
        out.append(Rows(text.sanitise(name.strip(), limit=255), tuple(bricks), tuple(services), _tasks(tasks)))
    return tuple(out)


_PIECE = 40
"""gluster cuts a name after 43 characters, its older versions later."""


def _row_name(pieces: list[str], held: str) -> str:
    """The first column of a row. gluster's own cuts lose nothing, so that blanks of a path stay; where a mail has
    wrapped it anywhere, blanks are of the wrapping."""
    *cut, last = pieces
    end = _ROW_END.search(last)
    if end is not None and (not cut or (len({len(one) for one in cut}) == 1 and len(cut[0]) >= _PIECE)):
        return ("".join(cut) + last[: end.start()]).strip()
    what = re.sub(r"\s+", " ", held).strip()
    return "Brick " + what.removeprefix("Brick ").replace(" ", "") if what.startswith("Brick ") else what


def _detail(block: str) -> BrickStatus:
    """One brick of `volume status V detail`. A brick that is down says neither sizes nor inodes."""
    pairs = [(key, value) for key, value in _keys(block) if key]
    said = dict(pairs)
    place = split_brick(said["Brick"].removeprefix("Brick "))
    online, pid = said.get("Online", ""), said.get("Pid", "")
    if len(said) != len(pairs) or place is None or online not in ("Y", "N"):
        raise garbled("volume status detail")
    port = next((said[key] for key in ("TCP Port", "Port") if said.get(key, "").isdecimal()), "0")
    inodes, free = said.get("Inode Count", ""), said.get("Free Inodes", "")
    return BrickStatus(
        host=text.sanitise(place[0], limit=255),
        path=text.sanitise(place[1], limit=1000),
        online=online == "Y" and pid != "-1",
        port=int(port) if len(port) < 9 else 0,
        pid=int(pid) if pid.isdecimal() and len(pid) < 11 else 0,
        size=parse_bytes(said.get("Total Disk Space", "")) or 0,
        free=parse_bytes(said.get("Disk Space Free", "")) or 0,
        inodes=int(inodes) if inodes.isdecimal() and len(inodes) < 19 else 0,
        inodes_free=int(free) if free.isdecimal() and len(free) < 19 else 0,
        device=_known(said.get("Device", "")),
        file_system=_known(said.get("File System", "")),
    )


def _known(word: str) -> str:
    return "" if word == "N/A" else text.sanitise(word, limit=400)


_BYTES = {"Bytes": 1, "B": 1, **{f"{unit}B": 1024**power for power, unit in enumerate("KMGTP", 1)}}
_BYTES |= {f"{unit}iB": 1024**power for power, unit in enumerate("KMGTP", 1)}


def parse_bytes(word: str) -> int | None:
    """ "10.0GB" as GlusterFS prints sizes (powers of 1024); None for "N/A"."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?) ?([A-Za-z]+)", word.strip())
    return int(float(match.group(1)) * _BYTES[match.group(2)]) if match and match.group(2) in _BYTES else None


_TASK_KEY = re.compile(r"(?m)^(Task|ID|Status) +: *(.*?)\s*$")
_TASK_ROW = re.compile(
    r"(?m)^ *(Rebalance|Remove brick|Replace brick|Tier migration|Detach tier) +([0-9a-f-]{36}) +(.*?)\s*$"
)


def _tasks(block: str) -> tuple[Task, ...]:
    """The tasks below `volume status`: "Task : Rebalance", "ID : …", "Status : …", or 3.4's table."""
    rows = [(kind, identity, status) for kind, identity, status in _TASK_ROW.findall(block)]
    found: list[dict[str, str]] = []
    for key, value in _TASK_KEY.findall(block):
        if key == "Task":
            found.append({})
        if found:
            found[-1][key] = value
    rows += [(each.get("Task", ""), each.get("ID", ""), each.get("Status", "")) for each in found]
    return tuple(
        Task(
            kind=text.sanitise(kind, limit=40),
            id=text.sanitise(identity, limit=64),
            status=task_status(status if status.isdecimal() else None, status),
        )
        for kind, identity, status in rows
    )


def heal_counts_text(body: str) -> dict[str, int | None]:
    """`heal V statistics heal-count` (3.5 and later): brick name -> entries, None where it could not be counted."""
    body = plain(body, "heal count")
    blocks = re.split(r"(?m)^Brick (?=\S*:/)", body)
    if len(blocks) < 2:
        raise classify(body, "heal count")
    failed = re.search(r"has been unsuccessful|unsuccessful on bricks", blocks[0])
    out: dict[str, int | None] = {}
    for block in blocks[1:]:
        match = re.search(r"(?m)^Number of entries: *(\d{1,15})\s*$", block)
        name = text.sanitise(block.partition("\n")[0].strip(), limit=1000).rstrip("/")
        out[name] = int(match.group(1)) if match and not failed else None
    return out


_SPLIT_MARK = " - Is in split-brain"
_HEAL_MARK = " - Possibly undergoing heal"
_NUMBER = re.compile(
    r"(?:Total )?Number of entries(?: (in split-brain|in heal pending|possibly healing))?: *(\S+)", re.I
)


def heals_text(body: str, *, split_brain_only: bool = False) -> tuple[BrickHeal, ...]:
    """Blocks of `heal V info [split-brain|summary]`: "Brick h:/p", entries, "Status:", "Number of entries[ in
    split-brain]: N". 3.4 has entries after their number, and of a split-brain a table with times. A block without its
    number, not connected, or that counts none of the entries it names, has None."""
    body = plain(body, "heal info")
    blocks = re.split(r"(?m)^Brick (?=\S*:/)", body)
    if len(blocks) < 2:
        raise classify(body, "heal info")
    failed = re.search(r"has been unsuccessful|unsuccessful on bricks", blocks[0])
    return tuple(_block(block, split_brain_only, failed is not None) for block in blocks[1:])


_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +(?=\S)")


def _block(block: str, only: bool, failed: bool) -> BrickHeal:
    name, _, rest = block.partition("\n")
    status, table = "", False
    numbers: dict[str, int | None] = {}
    entries: list[str] = []
    split: list[str] = []
    for line in rest.splitlines():
        match = _NUMBER.match(line)
        if match:
            key, number = (match.group(1) or "").lower(), match.group(2)
            # a file's name may hold such a line: of two the larger, and none when one is none
            found = int(number) if re.fullmatch(r"\d{1,15}", number) else None
            before = numbers.get(key, found)
            numbers[key] = max(before, found) if before is not None and found is not None else None
        elif line.startswith("Status:"):
            status = text.sanitise(line[7:].strip(), limit=200)
        elif re.match(r"at +path on brick", line):
            table = True
        elif line.strip() and not (table and re.match(r"-{10,}", line)):
            entry = _DATED.sub("", line.rstrip(), count=1) if table else line.rstrip()
            marked = (only or _SPLIT_MARK.strip() in entry) and entry.strip() != "-"
            alone = entry.strip().lstrip("- ").startswith("Is in split-brain")
            entry = text.sanitise(entry.replace(_SPLIT_MARK, "").replace(_HEAL_MARK, ""), limit=400).strip()
            if alone and entries:  # 3.7.0 puts the mark on a line of its own
                split.append(entries[-1])
            elif entry and entry != "-":
                entries.append(entry)
                if marked:
                    split.append(entry)
    # 3.4 to 3.6 print no status: an answer with its number is a brick that was reached.
    connected = None if not status else status == "Connected"
    usable = not failed and connected is not False
    total = numbers.get("") if usable else None
    split_count = numbers.get("in split-brain") if usable else None
    if entries:
        total, split_count = total or None, split_count or None
    if split_count is None and usable:
        split_count = total if only else len(split) if total is not None and split else None
    return BrickHeal(
        name=text.sanitise(name.strip(), limit=1000).rstrip("/"),
        connected=connected,
        status=status,
        pending=None if only else total,
        split_brain=split_count,
        healing=numbers.get("possibly healing") if usable else None,
        entries=() if only else tuple(dict.fromkeys(entries))[:ENTRY_LIMIT],
        split_entries=tuple(dict.fromkeys(split))[:ENTRY_LIMIT],
    )
