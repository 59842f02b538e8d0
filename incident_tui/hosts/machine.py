"""/proc and df -> readings. Pure; a value that is missing or damaged raises Unreadable, never reads 0."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from incident_tui import text
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.readings import Clock, Filesystem, GlusterMount, Memory, Pressure, System


class Proc(msgspec.Struct, frozen=True, kw_only=True):
    """One round's /proc lines: gauges and counters, not yet rates. None: this kernel or answer has no such line."""

    load: tuple[float, float, float] | None = None
    uptime: float | None = None
    boot_time: int | None = None
    cpu: tuple[int, ...] = ()
    meminfo: dict[str, int] = {}
    """Bytes by name."""
    pages_in: int | None = None
    pages_out: int | None = None
    oom_kills: int | None = None
    pressure: dict[str, float] = {}
    """"memory some" -> avg10."""


_PROC_LINE = re.compile(r"\S*?/proc/(loadavg|uptime|stat|meminfo|vmstat|pressure/\w+|sys/vm/min_free_kbytes):(.*)\Z")
_WHOLE = re.compile(r"\d{1,20}\Z")
_FLOAT = re.compile(r"\d{1,12}(?:\.\d{1,9})?\Z")


def _number(word: str) -> float | None:
    return float(word) if _FLOAT.match(word) else None


def parse_proc(body: str) -> Proc:
    """The lines of section `proc`, as `path:line`. Unknown and damaged lines are left out."""
    load: tuple[float, float, float] | None = None
    uptime: float | None = None
    boot: int | None = None
    cpu: tuple[int, ...] = ()
    meminfo: dict[str, int] = {}
    vmstat: dict[str, int] = {}
    pressure: dict[str, float] = {}
    for line in body.splitlines():
        match = _PROC_LINE.match(line)
        if match is None:
            continue
        file, rest = match.groups()
        words = rest.split()
        if file == "loadavg" and len(words) == 5:
            values = [_number(word) for word in words[:3]]
            if values[0] is not None and values[1] is not None and values[2] is not None:
                load = (values[0], values[1], values[2])
        elif file == "uptime" and len(words) == 2:
            uptime = _number(words[0])
        elif file == "stat" and words[:1] == ["cpu"] and len(words) >= 5 and all(_WHOLE.match(w) for w in words[1:]):
            cpu = tuple(int(word) for word in words[1:9])
        elif file == "stat" and words[:1] == ["btime"] and len(words) == 2 and _WHOLE.match(words[1]):
            boot = int(words[1])
        elif file == "meminfo" and len(words) == 3 and words[2] == "kB" and _WHOLE.match(words[1]):
            meminfo[words[0].rstrip(":")] = int(words[1]) * 1024
        elif file == "sys/vm/min_free_kbytes" and len(words) == 1 and _WHOLE.match(words[0]):
            meminfo["min_free"] = int(words[0]) * 1024
        elif file == "vmstat" and len(words) == 2 and _WHOLE.match(words[1]):
            vmstat[words[0]] = int(words[1])
        elif file.startswith("pressure/") and len(words) == 5 and words[0] in ("some", "full"):
            value = _number(words[1].removeprefix("avg10="))
            if words[1].startswith("avg10=") and value is not None and value <= 100:
                pressure[f"{file[9:]} {words[0]}"] = value
    return Proc(
        load=load,
        uptime=uptime,
        boot_time=boot,
        cpu=cpu,
        meminfo=meminfo,
        pages_in=vmstat.get("pswpin"),
        pages_out=vmstat.get("pswpout"),
        oom_kills=vmstat.get("oom_kill"),
        pressure=pressure,
    )


def memory(meminfo: dict[str, int], at: datetime) -> Memory:
    """With MemAvailable, or before 3.14 the kernel's own estimate from the numbers it has: free and file pages and what
    slabs can give back, less what it keeps in reserve; without the file pages MemFree + Buffers + Cached - Shmem."""
    total, available = meminfo.get("MemTotal", 0), meminfo.get("MemAvailable")
    estimated = available is None
    if available is None:
        available = min(max(0, _estimate(meminfo)), total)
    if total <= 0 or available > total:
        raise garbled("/proc/meminfo")
    swap_total = meminfo.get("SwapTotal", 0)
    return Memory(
        at=at,
        total=total,
        available=available,
        estimated=estimated,
        swap_total=swap_total,
        swap_free=min(meminfo.get("SwapFree", 0), swap_total),
    )


def _estimate(meminfo: dict[str, int]) -> int:
    """si_mem_available of kernel 3.14; the low watermark is five quarters of min_free_kbytes."""
    try:
        free = meminfo["MemFree"]
        low, slabs = meminfo.get("min_free", 0) * 5 // 4, meminfo.get("SReclaimable", 0)
        if "Active(file)" in meminfo and "Inactive(file)" in meminfo:
            files = meminfo["Active(file)"] + meminfo["Inactive(file)"]
            return free - low + files - min(files // 2, low) + slabs - min(slabs // 2, low)
        return free + meminfo["Buffers"] + meminfo["Cached"] - meminfo.get("Shmem", 0) + slabs // 2
    except KeyError:
        raise garbled("/proc/meminfo") from None


def pressure(values: dict[str, float], at: datetime) -> Pressure | None:
    """None where the kernel has no PSI."""
    if not values:
        return None
    return Pressure(
        at=at,
        memory_some=values.get("memory some"),
        memory_full=values.get("memory full"),
        io_some=values.get("io some"),
        io_full=values.get("io full"),
        cpu_some=values.get("cpu some"),
    )


_DATE = re.compile(r"(\d{9,11})(?:\.(\d{1,9}|%N|N))? ([+-])(\d\d)(\d\d)\s*\Z")


def parse_clock(body: str, asked: datetime, answered: datetime) -> Clock:
    """`date '+%s.%N %z'`, asked and answered on the bastion's clock. A date without fractions is off by up to 1 s."""
    match = _DATE.match(body.strip())
    if match is None:
        raise garbled("date")
    seconds, fraction, sign, hours, minutes = match.groups()
    exact = fraction is not None and fraction.isdecimal()
    remote = float(f"{seconds}.{fraction}") if exact else float(seconds) + 0.5
    middle = (asked.timestamp() + answered.timestamp()) / 2
    offset = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)
    return Clock(
        at=answered,
        skew_seconds=remote - middle,
        error_seconds=abs((answered - asked).total_seconds()) / 2 + (0.0 if exact else 0.5),
        utc_offset_seconds=offset,
    )


def parse_hello(body: str, docker: str, gluster: str, at: datetime, chatter: str = "") -> System:
    """Section `hello`, and the version outputs (empty where the host has no such program)."""
    said: dict[str, str] = {}
    os = ""
    for line in body.splitlines():
        key, _, value = line.partition(" ")
        if line.startswith("PRETTY_NAME="):
            os = os or line.removeprefix("PRETTY_NAME=").strip("\"'")
        elif " release " in line:
            os = line
        else:
            said[key] = value.strip()
    if "uid" not in said or "limiter" not in said:
        raise garbled("the probe's first section")
    return System(
        at=at,
        hostname=text.sanitise(said.get("hostname", ""), limit=255),
        kernel=text.sanitise(said.get("osrelease", ""), limit=255),
        os=text.sanitise(os, limit=255),
        cpus=int(said["cpus"]) if re.fullmatch(r"\d{1,6}", said.get("cpus", "")) else 0,
        uid=int(said["uid"]) if re.fullmatch(r"\d{1,10}", said["uid"]) else -1,
        docker=docker_version(docker),
        gluster=gluster_version(gluster),
        has_timeout=said["limiter"] == "timeout",
        chatter=chatter,
    )


def docker_version(output: str) -> str:
    """`Docker version 1.6.2, build 7c8fca2` -> "1.6.2"; `podman version 4.9.3` -> "podman 4.9.3"; else empty."""
    match = re.search(r"(?m)^(Docker|podman) version v?(\d[\w.+~-]{0,60})", output)
    if match is None:
        return ""
    return match.group(2) if match.group(1) == "Docker" else f"podman {match.group(2)}"


def gluster_version(output: str) -> str:
    """`glusterfs 3.7.9 built on …` -> "3.7.9"; else empty."""
    match = re.search(r"(?m)^glusterfs (\d[\w.-]{0,60})", output)
    return match.group(1) if match else ""


def unescape_mount(word: str) -> str:
    r"""/proc/mounts writes space, tab, newline and backslash as \040, \011, \012, \134."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), word)


_DF_LINE = re.compile(r"(.*\S)\s+(\d{1,18}|-)\s+(-?\d{1,18}|-)\s+(-?\d{1,18}|-)\s+(\d{1,6}%|-)\s+(/.*)\Z")


def _df_rows(body: str) -> dict[str, tuple[int, int, float | None]]:
    """Mount -> (total, free, used percent; None for "-"), of `df -P` or `df -P -i`."""
    rows: dict[str, tuple[int, int, float | None]] = {}
    for line in body.splitlines()[1:]:
        match = _DF_LINE.match(line)
        if match is None or not match.group(2).isdecimal() or not match.group(4).lstrip("-").isdecimal():
            continue
        percent = None if match.group(5) == "-" else float(match.group(5)[:-1])
        used, free = match.group(3), int(match.group(4))
        whole = int(used) + free if used.isdecimal() and free >= 0 else 0
        if percent is not None and whole > 0 and abs(percent - 100 * int(used) / whole) > 2:
            continue  # numbers that do not belong together: the row is damaged
        rows[match.group(6)] = (int(match.group(2)), max(0, int(match.group(4))), percent)
    return rows


def parse_disks(mounts: str, df: str, inodes: str) -> tuple[Filesystem, ...]:
    """Sections `mounts`, `df`, `df-inodes`. A mount that df did not answer for raises: it would otherwise look well."""
    listed: dict[str, tuple[str, str, str]] = {}
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) == 4 and words[2] != GLUSTER_MOUNT:
            listed[unescape_mount(words[1])] = (unescape_mount(words[0]), words[2], words[3])
    sizes, inode_rows = _df_rows(df), _df_rows(inodes)
    if not sizes or not set(listed) <= set(sizes):
        raise garbled("df")
    answered = {match.group(6) for line in inodes.splitlines() if (match := _DF_LINE.match(line))}
    if answered and not set(listed) <= answered:
        raise garbled("df -i")
    out = []
    for mount, (blocks, free, percent) in sizes.items():
        device, kind, options = listed.get(mount, ("", "", ""))
        if percent is None or percent > 100:
            raise garbled("df")
        total_inodes, _, inode_percent = inode_rows.get(mount, (0, 0, None))
        out.append(
            Filesystem(
                mount=text.sanitise(mount, limit=400),
                device=text.sanitise(device, limit=400),
                kind=text.sanitise(kind, limit=40),
                size=blocks * 1024,
                free=free * 1024,
                used_percent=percent,
                inodes_percent=inode_percent if total_inodes > 0 else None,
                read_only="ro" in options.split(","),
            )
        )
    return tuple(out)


GLUSTER_MOUNT = "fuse.glusterfs"


def parse_gluster_mounts(mounts: str) -> tuple[GlusterMount, ...]:
    """The GlusterFS volumes mounted here, of section `mounts`: "web1:/gv0 /srv/files fuse.glusterfs rw,…"."""
    out = []
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) != 4 or words[2] != GLUSTER_MOUNT:
            continue
        server, _, volume = unescape_mount(words[0]).rpartition(":")
        out.append(
            GlusterMount(
                server=text.sanitise(server, limit=255),
                volume=text.sanitise(volume.removeprefix("/").partition("/")[0], limit=255),
                mount=text.sanitise(unescape_mount(words[1]), limit=400),
                read_only="ro" in words[3].split(","),
            )
        )
    return tuple(out)


_STAT = re.compile(r"(\d{1,10}) \((.*)\) ([A-Za-z]) (\d{1,10}) ")


def parse_watch(body: str) -> list[tuple[int, str, str, int]]:
    """Section `watch`: (pid, name, state letter, parent) of a child and its own children."""
    out = []
    for line in body.splitlines():
        match = _STAT.match(line)
        if match:
            out.append((int(match.group(1)), text.sanitise(match.group(2)), match.group(3), int(match.group(4))))
    return out
