"""Trouble with devices and file systems in the kernel's log. Pure."""

from __future__ import annotations

import re

from incident_tui import text
from incident_tui.hosts.kernel import LogClock, when
from incident_tui.hosts.readings_machine import KernelEvent

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("read-only", re.compile(r"\((?:device )?(?P<device>[\w!.-]+)\):? [Rr]emounting filesystem read-only")),
    ("read-only", re.compile(r"[Rr]emounting filesystem read-only|XFS \((?P<device>[\w!.-]+)\).*[Ss]hut")),
    ("io-error", re.compile(r"(?:I/O [Ee]rror|[Mm]edium [Ee]rror).*?\b(?:device|dev)[ :]+(?P<device>[\w!.-]+)")),
    ("io-error", re.compile(r"XFS \((?P<device>[\w!.-]+)\).*I/O [Ee]rror")),
    ("io-error", re.compile(r"I/O [Ee]rror|[Mm]edium [Ee]rror")),
    ("file-system", re.compile(r"(?:EXT[234]-fs|BTRFS)[^(]*(?:error|critical) \(device (?P<device>[\w!.-]+)\)")),
    ("file-system", re.compile(r"XFS \((?P<device>[\w!.-]+)\).*(?:[Cc]orruption|[Ii]nternal error)")),
    # "re-mounted. Opts: errors=remount-ro" stands in the log of every boot
    ("file-system", re.compile(r"EXT[234]-fs(?!.*\bmounted\b).*error|XFS.*[Cc]orruption|BTRFS.*(?:error|critical)")),
    ("hung-task", re.compile(r"task (?P<device>.+?):\d+ blocked for more than \d+ sec")),
)
"""(kind, sign), the first that fits. `device` of a hung task is its name."""
_NO_DISK = re.compile(r"\b(?:device|dev)[ :]+(?:fd|sr)\d+\b")
"""A drive of a virtual machine without a disk in it says so each time somebody looks."""


def parse_events(body: str, clock: LogClock) -> tuple[KernelEvent, ...]:
    """Oldest first as they stand in the log; lines of other things are left out."""
    out = []
    for line in body.splitlines():
        if _NO_DISK.search(line):
            continue
        for kind, sign in _KINDS:
            match = sign.search(line)
            if match is not None:
                device = match.groupdict().get("device") or ""
                out.append(
                    KernelEvent(
                        at=when(line, clock),
                        kind=kind,
                        device=text.sanitise(device, limit=80),
                        line=text.sanitise(line.strip(), limit=300),
                    )
                )
                break
    return tuple(out)
