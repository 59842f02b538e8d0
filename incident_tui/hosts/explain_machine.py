"""What `free`, `top`, `vmstat`, /proc/meminfo and `df` say by themselves, for `explain`: of procps and coreutils of
CentOS 6 up to today's. Pure."""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from incident_tui import text
from incident_tui.hosts import machine
from incident_tui.hosts.errors import garbled
from incident_tui.hosts.explain_words import Read, Said
from incident_tui.hosts.judge import graded
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

_LIMITS = Thresholds()
_NUMBER = re.compile(r"(\d{1,18}(?:\.\d{1,3})?)([BKMGTPE]?)i?\Z")
_POWER = {"": 0, "B": 0, **{unit: power for power, unit in enumerate("KMGTPE", 1)}}


class Free(msgspec.Struct, frozen=True):
    """One row of `free`, in whatever unit it was asked for. `left` is what programs can still have."""

    what: str
    total: float
    left: float


def _number(word: str) -> float | None:
    match = _NUMBER.match(word)
    return float(match[1]) * 1024.0 ** _POWER[match[2]] if match is not None else None


def free(body: str, now: datetime) -> Read:
    """procps before 3.3.10 has what is left on a row of its own ("-/+ buffers/cache"), later ones have "available"."""
    head: list[str] = []
    rows: dict[str, list[float]] = {}
    for line in body.splitlines():
        if re.match(r"\s+total\s+used\s+free\b", line):
            head = line.split()
        elif match := re.match(r"\s*(Mem|Swap|-/\+ buffers/cache):((?:\s+\S+)+)\s*\Z", line):
            numbers = [_number(word) for word in match[2].split()]
            if match[1] in rows or None in numbers:
                raise garbled("free")
            rows[match[1]] = [number for number in numbers if number is not None]
    memory = dict(zip(head, rows.get("Mem", []), strict=False))
    without = rows.get("-/+ buffers/cache")
    if "available" in head:
        left = memory.get("available")
    else:
        left = without[1] if without is not None and len(without) == 2 else None
    total = memory.get("total")
    used, free = memory.get("used"), memory.get("free")
    cached = sum(memory.get(name, 0.0) for name in ("buff/cache", "buffers", "cache"))
    if not total or left is None or left > total or not _adds_up(total, used, free, cached, left):
        raise garbled("free")
    swap = rows.get("Swap", [])
    swapped = swap if len(swap) >= 3 and swap[2] <= swap[0] else [0.0, 0.0, 0.0]
    if abs(swapped[0] - swapped[1] - swapped[2]) > 0.05 * swapped[0]:
        raise garbled("free")
    return _memory(total, left, swapped[0], swapped[2])


def _adds_up(total: float, used: float | None, free: float | None, cached: float, left: float) -> bool:
    """Whether the numbers belong together: what is used was everything but the free, from procps 3.3.10 without the
    cache, and from 4.0 everything but the available. They are rounded for people, some."""
    if used is None or free is None:
        return False
    return any(abs(total - whole) <= 0.05 * total for whole in (used + free, used + free + cached, used + left))


_SWAP_WARN = 90.0
"""Percent of swap in use. By itself no harm; but what a host has left is memory and swap together."""


def _swap(total: float, left: float) -> Said:
    return _used("swap", total, left, Level.WARN if 100 * (total - left) / total >= _SWAP_WARN else Level.OK)


def meminfo(body: str, now: datetime) -> Read:
    """/proc/meminfo, as cat or grep prints it."""
    told = re.findall(r"(?m)^(?:\S*:)?([A-Z]\w+(?:\(\w+\))?): +(0|[1-9]\d{0,14}) kB[ \t]*$", body)
    if len(dict(told)) != len(told):
        raise garbled("/proc/meminfo")
    numbers = {name: int(value) * 1024 for name, value in told}
    memory = machine.memory(numbers, now)
    if sum(numbers.get(name, 0) for name in ("MemFree", "Active", "Inactive")) > memory.total:
        raise garbled("/proc/meminfo")
    return _memory(memory.total, memory.available, memory.swap_total, memory.swap_free)


def _memory(total: float, left: float, swap: float, swap_left: float) -> tuple[list[Free], list[Said]]:
    level = graded(100 * (total - left) / total, _LIMITS.memory_warn, _LIMITS.memory_crit)
    found, said = [Free("memory", total, left)], [_used("memory", total, left, level)]
    if swap:
        found.append(Free("swap", swap, swap_left))
        said.append(_swap(swap, swap_left))
    return found, said


_TOP = re.compile(
    r"(?m)^(?:[KMGTPE]iB )?(?P<what>Mem|Swap) ?: *(?P<total>[\d.]+)[kmg]? total, +(?P<rest>.*?)\.?"
    r"(?: +(?P<avail>[\d.]+) avail Mem)? *$"
)


def top(body: str, now: datetime) -> Read:
    """The head of `top`: load and memory. procps 3.2 (CentOS 6) says what is cached on the line of the swap; later ones
    say what is available there."""
    rows = {match["what"]: match for match in _TOP.finditer(body)}
    load = re.search(r"load average: (\d{1,6}\.\d\d), (\d{1,6}\.\d\d), (\d{1,6}\.\d\d)", body)
    if load is None or set(rows) != {"Mem", "Swap"}:
        raise garbled("top")

    def part(row: str, name: str) -> float | None:
        match = re.search(rf"([\d.]+)[kmg]? {name}\b", rows[row]["rest"])
        return _number(match[1]) if match is not None else None

    total, swap = (_number(rows[what]["total"]) for what in ("Mem", "Swap"))
    free, buffers, swap_left = part("Mem", "free"), part("Mem", "buffers"), part("Swap", "free")
    used, swapped = part("Mem", "used"), part("Swap", "used")
    left = _number(rows["Swap"]["avail"]) if rows["Swap"]["avail"] else None
    if left is None and None not in (free, buffers, cached := part("Swap", "cached")):
        left = (free or 0) + (buffers or 0) + (cached or 0)
    if not total or left is None or left > total or swap is None or swap_left is None or swap_left > swap:
        raise garbled("top")
    if not _adds_up(total, used, free, part("Mem", "buff/cache") or 0.0, left) or swapped is None:
        raise garbled("top")
    if abs(swap - swapped - swap_left) > 0.05 * swap:
        raise garbled("top")
    found, said = _memory(total, left, swap, swap_left)
    return found, [*said, Said(level=Level.OK, sentence=f"load {load[1]} {load[2]} {load[3]}")]


def vmstat(body: str, now: datetime) -> Read:
    """`vmstat [N [COUNT]]`: swapping, judged by the last row; its first is the mean since the host was started."""
    head: list[str] = []
    rows: list[dict[str, int]] = []
    for line in body.splitlines():
        words = line.split()
        if words[:2] == ["r", "b"]:
            head = words
            if not {"si", "so", "wa"} <= set(head):
                raise garbled("vmstat")
        elif head and len(words) > head.index("wa") and all(re.fullmatch(r"\d{1,15}", word) for word in words):
            rows.append(dict(zip(head, map(int, words), strict=False)))
        elif head and words and words[0] != "procs":
            raise garbled("vmstat")
    if not rows:
        raise garbled("vmstat")
    last = rows[-1]
    pages = (last["si"] + last["so"]) / 4  # KiB a second; the limits are pages
    level = graded(pages, _LIMITS.swap_rate_warn, _LIMITS.swap_rate_crit)
    mean = ", since the host was started" if len(rows) == 1 else ""
    swapping = f"swapping {last['si']} KiB/s in, {last['so']} KiB/s out{mean}"
    return rows, [
        Said(level=level, sentence=swapping),
        Said(level=Level.OK, sentence=f"{last['wa']}% of the time waiting for disks, {last['b']} processes blocked"),
    ]


def _used(what: str, total: float, left: float, level: Level) -> Said:
    return Said(level=level, sentence=f"{what} {100 * (total - left) / total:.0f}% used")


class Filled(msgspec.Struct, frozen=True):
    """One row of `df`: percent used of space, or of inodes."""

    mount: str
    device: str
    percent: float | None
    inodes: bool


_ROW = re.compile(
    r"(?P<device>\S.*?)\s+(?:\S+\s+)?\S+\s+(?P<used>\S+)\s+(?P<left>\S+)\s+(?P<percent>\d{1,3}%|-)\s+(?P<mount>/.*)\Z"
)
_ROUNDED = 20.0
"""Percent by which used and available may miss the percentage where they are rounded for people."""
_DEAD = re.compile(
    r"(?m)^df: [`'‘\"]?(/.*?)['’\"]?: "
    r"(Transport endpoint is not connected|Stale (?:NFS )?file handle|Input/output error)$"
).finditer
"""What df says of a mount that nobody serves any more."""
_IMAGE = re.compile(r"/dev/(?:loop|sr)\d+\Z")
"""A read-only image is always full."""


def _belongs(percent: float, used: str, left: str) -> bool:
    """Whether these numbers say so; what cannot be counted (a negative rest, "-") is believed."""
    one, other = _number(used), _number(left)
    if one is None or other is None or one + other <= 0:
        return True
    return abs(percent - 100 * one / (one + other)) <= (2.0 if used.isdecimal() and left.isdecimal() else _ROUNDED)


def disks(body: str, now: datetime) -> Read:
    """`df` with any of -h, -P, -T, -i. coreutils before 8.10 puts a long device's numbers on the next line."""
    lines = body.splitlines()
    start = next((n for n, line in enumerate(lines) if re.match(r"\s*Filesystem\b.*(?:Use%|Capacity)", line)), None)
    if start is None:
        raise garbled("df")
    inodes = "IUse%" in lines[start]
    limits = (_LIMITS.inodes_warn, _LIMITS.inodes_crit) if inodes else (_LIMITS.disk_warn, _LIMITS.disk_crit)
    found: list[Filled] = []
    said = [
        Said(level=Level.CRIT, sentence=f"{text.sanitise(match[1], limit=400)}: {match[2]}") for match in _DEAD(body)
    ]
    held = ""
    for line in lines[start + 1 :]:
        if not line.strip() or line.startswith("df: "):
            continue
        if not held and re.fullmatch(r"\S+", line.strip()):
            held = line.strip()
            continue
        row, held = f"{held} {line.strip()}" if held else line.strip(), ""
        match = _ROW.match(row)
        if match is None:
            if re.match(r"total\s|\S*[#$>]( |\Z)", row):
                continue
            raise garbled("df")
        percent = float(match["percent"][:-1]) if match["percent"] != "-" else None
        if percent is not None and not _belongs(percent, match["used"], match["left"]):
            raise garbled("df")
        one = Filled(
            text.sanitise(match["mount"], limit=400), text.sanitise(match["device"], limit=400), percent, inodes
        )
        found.append(one)
        if percent is None or _IMAGE.match(one.device):
            continue
        level = graded(percent, *limits)
        if level is not Level.OK:
            said.append(Said(level=level, sentence=f"{one.mount}: {'inodes ' * inodes}{percent:.0f}% used"))
    if held or not found:
        raise garbled("df")
    return found, said or [Said(level=Level.OK, sentence=f"{len(found)} file systems, none nearly full")]
