"""The text that is sent to a host's /bin/sh: the packaged script and the one line that starts it."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from incident_tui.hosts.readings import Docker, Gluster
from incident_tui.hosts.sections import PROTOCOL

PARTS = ("common", "machine", "docker", "gluster", "asked", "main")
MODES = ("fast", "slow", "events", "asked")
IDLE_SECONDS = {"fast": 60, "slow": 400, "events": 90, "asked": 150}
"""Seconds without a request after which the script ends itself: a cut network brings no end of input."""

_MARKER = re.compile(r"[0-9a-f]{16,64}\Z")
_WORD = re.compile(r"[A-Za-z0-9_.:-]+")
_VOLUME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,255}\Z")


@cache
def script() -> str:
    """The parts of probe_sh/ in their order, without comments."""
    folder = resources.files("incident_tui.hosts").joinpath("probe_sh")
    source = "".join(folder.joinpath(f"{part}.sh").read_text(encoding="utf-8") for part in PARTS)
    return "".join(line + "\n" for line in source.splitlines() if line and not line.startswith("#"))


def start(mode: str, marker: str, *, idle: int | None = None) -> bytes:
    """Everything to write on standard input of /bin/sh before the first request. `marker`: 16 to 64 hex digits."""
    if mode not in MODES or not _MARKER.match(marker):
        raise ValueError(f"no such probe: mode {mode!r}, marker {marker!r}")
    # "exit" on the same line: the shell must not go back to reading commands from what is now a stream of requests.
    words = f"{mode} {marker} {idle or IDLE_SECONDS[mode]}"
    # The first line is a comment to a shell; an installed probe reads it (hosts/installed.py).
    return f"#itui {PROTOCOL} {words}\n{script()}itui_main {words}; exit\n".encode()


def request(id: str, words: list[str]) -> bytes:
    """One round's request line. Words are those of probe.sh; what a shell could misread is refused."""
    for word in (id, *words):
        if not _WORD.fullmatch(word):
            raise ValueError(f"not a word of the probe: {word!r}")
    return f"{id} {' '.join(words)}\n".encode()


def cgroup_words(docker: Docker | None) -> list[str]:
    """`cg:PID:ID` of each container that runs; bounded."""
    known = docker.containers if docker else ()
    return [f"cg:{one.pid}:{one.id}" for one in known[:200] if one.pid and one.id]


def brick_words(gluster: Gluster | None) -> list[str]:
    """`brick:PID` of each brick process of this host that ran when it was last looked for; bounded."""
    pids = {brick.pid for brick in gluster.bricks if brick.alive and brick.pid} if gluster else set()
    return [f"brick:{pid}" for pid in sorted(pids)[:200]]


def volume_word(kind: str, volume: str) -> str | None:
    """`status:gv0` and its like; None for a volume whose name GlusterFS itself would not allow."""
    return f"{kind}:{volume}" if _VOLUME.match(volume) else None
