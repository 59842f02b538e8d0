"""GlusterFS by its files and processes: bricks of this host without any lock, in every version. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from incident_tui import text
from incident_tui.hosts.readings import LocalBrick, Volume

PENDING_CAP = 5000


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Section `gluster-files`. `pid_files`: (volume, file name without .pid) -> pid; `bricks`: (volume, host, path);
    `processes`: pid -> (name, state letter) of glusterd, glusterfsd and glusterfs."""

    uuid: str = ""
    op_version: int = 0
    pid_files: dict[tuple[str, str], int] = {}
    bricks: tuple[tuple[str, str, str], ...] = ()
    processes: dict[int, tuple[str, str]] = {}


_TRUE = ("on", "enable", "yes", "true", "1")
"""What GlusterFS takes for a boolean that is set."""
_INFO = re.compile(r"\S*/glusterd\.info:(UUID|operating-version)=(\S+)\Z")
_PID = re.compile(r".*/vols/([^/]+)/(?:run/)?([^/]+)\.pid:(\d{1,10})\s*\Z")
_BRICK = re.compile(r".*/vols/([^/]+)/bricks/([^/]+):(hostname|path)=(.*)\Z")
_STAT = re.compile(r"(\d{1,10}) \((glusterd|glusterfsd|glusterfs)\) ([A-Za-z]) ")


def parse_files(body: str) -> Files:
    """Unknown lines are left out; what is not there is empty, never an error: health decides with what came."""
    uuid, version = "", 0
    pids: dict[tuple[str, str], int] = {}
    bricks: dict[tuple[str, str], dict[str, str]] = {}
    processes: dict[int, tuple[str, str]] = {}
    for line in body.splitlines():
        if match := _INFO.match(line):
            if match.group(1) == "UUID":
                uuid = text.sanitise(match.group(2), limit=64)
            elif re.fullmatch(r"\d{1,9}", match.group(2)):
                version = int(match.group(2))
        elif match := _PID.match(line):
            pids[(text.sanitise(match.group(1)), text.sanitise(match.group(2)))] = int(match.group(3))
        elif match := _BRICK.match(line):
            bricks.setdefault((match.group(1), match.group(2)), {})[match.group(3)] = match.group(4)
        elif match := _STAT.match(line):
            processes[int(match.group(1))] = (match.group(2), match.group(3))
    listed = [
        (text.sanitise(volume), text.sanitise(said["hostname"]), text.sanitise(said["path"]))
        for (volume, _), said in bricks.items()
        if said.get("hostname") and said.get("path", "").startswith("/")
    ]
    return Files(uuid=uuid, op_version=version, pid_files=pids, bricks=tuple(listed), processes=processes)


def parse_states(body: str) -> dict[int, str]:
    """Section `bricks`: pid -> the kernel's letter; "" where the process is gone or another one has its number."""
    out: dict[int, str] = {}
    for line in body.splitlines():
        if match := _STAT.match(line):
            out[int(match.group(1))] = (
                match.group(3) if match.group(2) == "glusterfsd" and match.group(3) != "Z" else ""
            )
        elif match := re.match(r"(\d{1,10})(?: \(|\Z)", line):
            out[int(match.group(1))] = ""
    return out


def parse_cmdlines(body: str) -> dict[int, str]:
    """Section `gluster-bricks`: pid -> path after --brick-name, from `head -v /proc/PID/cmdline | tr '\\0' '\\n'`."""
    out: dict[int, str] = {}
    pid, take = 0, False
    for line in body.splitlines():
        match = re.match(r"==> .*/proc/(\d{1,10})/cmdline <==\Z", line)
        if match:
            pid, take = int(match.group(1)), False
        elif take:
            out[pid] = line
            take = False
        else:
            take = pid != 0 and line == "--brick-name"
    return out


Space = tuple[int, int, int, int]
"""Bytes, bytes free, inodes, inodes free."""


def parse_space(body: str) -> dict[str, Space]:
    """Section `gluster-space`: `stat -f` of each brick's directory. What cannot be read is left out: not known."""
    out: dict[str, Space] = {}
    for line in body.splitlines():
        match = re.match(r"(\d{1,9}) (\d{1,18}) (\d{1,18}) (\d{1,18}) (\d{1,18}) (\d{1,18}) \.?(/.*)\Z", line)
        if match:
            block, total, unused, free, inodes, inodes_free = (int(number) for number in match.groups()[:6])
            if block and total and free <= unused <= total and inodes_free <= inodes:
                # as df counts: what is kept for root is neither used nor to be had
                out[match.group(7)] = (block * (total - unused + free), block * free, inodes, inodes_free)
    return out


def parse_pending(body: str) -> dict[str, int | None]:
    """Section `gluster-pending`: brick path -> entries of its xattrop index, None where it could not be counted."""
    out: dict[str, int | None] = {}
    for line in body.splitlines():
        count, _, path = line.partition(" ")
        path = path.removeprefix(".")
        if path.startswith("/"):
            out[path] = int(count) if re.fullmatch(r"\d{1,9}", count) else None
    return out


def bricks(
    files: Files, cmdlines: str, pending: str, volumes: Sequence[Volume], *, may_look: bool, space: str = ""
) -> tuple[LocalBrick, ...]:
    """The bricks of this host. One is alive when its pid file names a running glusterfsd whose --brick-name is its path
    (pids are used again), or, with multiplexing, any running glusterfsd; or when such a process shows without a file.

    `may_look` is False for an account that cannot see pid files: then a brick that does not show is None, not down.
    """
    running = parse_cmdlines(cmdlines)
    counts = parse_pending(pending)
    spaces = parse_space(space)
    out = []
    for volume, host, path in sorted(_local(files, volumes)):
        definition = next((v for v in volumes if v.name == volume), None)
        if definition is not None and definition.status != "started":
            continue
        multiplex = definition is not None and definition.options.get("cluster.brick-multiplex", "").lower() in _TRUE
        pid = files.pid_files.get((volume, host + path.replace("/", "-")), 0)
        named = next((p for p, name in running.items() if name == path and p in files.processes), 0)
        name, state = files.processes.get(named or pid, ("", ""))
        alive = bool(named) or (multiplex and name == "glusterfsd")
        if state == "Z":
            alive = False
        size, free, inodes, inodes_free = spaces.get(path, (0, 0, 0, 0))
        count = counts.get(path)
        known = may_look or bool(files.pid_files) or alive
        out.append(
            LocalBrick(
                volume=volume,
                path=path,
                name=f"{host}:{path}",
                pid=named or pid,
                alive=alive if known else None,
                process_state=state if alive else "",
                pending=min(count, PENDING_CAP) if count is not None else None,
                pending_capped=(count or 0) > PENDING_CAP,
                size=size,
                free=free,
                inodes=inodes,
                inodes_free=inodes_free,
            )
        )
    return tuple(out)


def _local(files: Files, volumes: Sequence[Volume]) -> set[tuple[str, str, str]]:
    """(volume, host, path) of the bricks that live here: by this peer's uuid, or by a pid file, which only the owner
    of a brick has."""
    out = {
        (volume.name, brick.host, brick.path)
        for volume in volumes
        for brick in volume.bricks
        if files.uuid and brick.uuid == files.uuid
    }
    for volume, host, path in files.bricks:
        if (volume, host + path.replace("/", "-")) in files.pid_files:
            out.add((volume, host, path))
    return out
