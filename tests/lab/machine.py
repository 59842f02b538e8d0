"""What the lab needs of this machine: its programs, a word with them, and why there can be no lab here.

Needs only the standard library: `make lab-down` works without an installed program.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SSHD, GLUSTERD, DOCKERD, DOCKER, BUSYBOX = (
    "/usr/sbin/sshd",
    "/usr/sbin/glusterd",
    "/usr/sbin/dockerd",
    "/usr/bin/docker",
    "/bin/busybox",
)
TOOLS = {
    SSHD: "openssh-server",
    GLUSTERD: "glusterfs-server",
    DOCKERD: "docker.io",
    DOCKER: "docker.io",
    BUSYBOX: "busybox-static",
    "/sbin/mount.glusterfs": "glusterfs-client",
    "ssh-keygen": "openssh-client",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
START_SECONDS = 60.0


class LabError(Exception):
    """The lab could not be made or used; the message is one sentence."""


def call(*words: str, check: bool = True, text: str | None = None) -> str:
    """A command of this machine; its standard output. Raises LabError with what it said."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=120)
    if check and done.returncode:
        raise LabError(f"{shlex.join(words)}: status {done.returncode}: {(done.stderr or done.stdout).strip()[:400]}")
    return done.stdout


def until(ask: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)


def started_at(pid: int) -> str:
    """When a process began, in the kernel's ticks: with the pid it names one process for ever. Empty: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def missing() -> str:
    """Why there can be no lab here, in one sentence; empty when there can be one."""
    if os.geteuid() != 0:
        return "root is needed for namespaces"
    lacking = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if lacking:
        return f"not installed: {' '.join(lacking)}"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse, which mounting a volume needs"
    name = f"itp{os.getpid()}"
    for words in (
        ("unshare", "--mount", "--uts", "--pid", "--fork", "true"),
        ("ip", "netns", "add", name),
        ("ip", "link", "add", name, "type", "bridge"),
    ):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            call("ip", "netns", "del", name, check=False)
            return f"{shlex.join(words)}: {done.stderr.strip()[:160]}"
    call("ip", "netns", "del", name)
    call("ip", "link", "del", name)
    return ""


def file(name: str, **words: object) -> str:
    """One of the peers' files, with a word in place of each @name@."""
    text = (Path(__file__).with_name("files") / name).read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", str(value))
    return text
