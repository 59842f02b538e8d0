"""The commands of the shipped playbooks as an old host would take them: every shell reads them, the programs are those
that CentOS 6 has, and no option is newer than what ran there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tui.incident.playbook import load
from incident_tui.incident.playbook_block import Block

SHIPPED = sorted((Path(__file__).parents[2] / "playbooks").glob("*.md"))
SHELLS = (
    ("sh", "-n", "-c"),
    ("bash", "--posix", "-n", "-c"),
    *((("busybox", "ash", "-n", "-c"),) if shutil.which("busybox") else ()),
)
NEWER = re.compile(r"systemd|today|Docker 1\.10|GlusterFS 3\.7|service manager")
"""`only=` of forms that an old host does not get."""
BUILT_IN = {"{", "exec", "echo", "exit", "kill", "true", ":"}
CENTOS_6 = {
    *("awk", "grep", "ls", "cat", "head", "tail", "sort", "uniq", "wc", "df", "du", "date", "stat", "md5sum"),
    *("mkdir", "cp", "rm", "sleep", "timeout", "nproc", "uptime"),  # coreutils 8.4 and base
    *("ps", "free", "vmstat", "pgrep", "pkill"),  # procps 3.2.8
    *("dmesg", "mount", "umount", "getent", "find", "bash", "ping", "iptables"),  # base
    *("service", "shutdown"),  # initscripts, upstart
    *("ntpq", "ntpd", "ntpstat"),  # ntp 4.2.6
    *("getfattr", "iostat", "fuser", "smartctl"),  # attr, sysstat, psmisc, smartmontools: each may be missing
    *("docker", "gluster", "glusterd"),
}
GUARDED = {"journalctl", "chronyc"}
"""Of today's systems; in a form for all only where the old one's follows or comes before."""
TOO_NEW = {
    r"docker [^|;\n]*--format": "docker 1.8 (ps), 1.13 (others)",
    r"docker (system|container|image|volume|network|update|events --format)": "docker 1.9 to 1.13",
    r"\.State\.(Status|Health)": "docker 1.9, 1.12",
    r"\bdf [^|;\n]*--output": "coreutils 8.21",
    r"\bfree [^|;\n]*-h": "procps-ng 3.3",
    r"\bdmesg [^|;\n]*-[TH]": "util-linux 2.20",
    r"(?<!docker )\bps [^|;\n]*-q": "procps-ng 3.3.10",
    r"gluster volume heal [^|;\n]*info summary": "gluster 3.13",
    r"gluster volume heal [^|;\n]*(statistics|granular)": "gluster 3.6, 8",
    r"gluster volume get ": "gluster 3.6",
    r"\b(findmnt|lsblk -J|ss|systemctl|hostnamectl|timedatectl)\b": "not on CentOS 6",
}


def blocks(path: Path) -> Iterator[tuple[Block, str]]:
    """The commands that run on hosts, with values that a careless quoting would let break out."""
    book = load(path.read_text(encoding="utf-8"), path.name)
    values = {name: f"a; b' {name}" for name in book.variables}
    for step in book.steps:
        for one in step.blocks:
            if one.is_command and one.target != "local":
                yield one, one.filled(values)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shell_can_read_them(path: Path) -> None:
    for one, text in blocks(path):
        for shell in SHELLS:
            done = subprocess.run([*shell, text], capture_output=True, text=True)
            assert done.returncode == 0, (shell[0], path.name, one.line, done.stderr)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_an_old_host_has_the_programs_and_their_options(path: Path) -> None:
    for one, text in blocks(path):
        if NEWER.search(one.only):
            continue
        where = f"{path.name}:{one.line}"
        unknown = set(programs(text)) - BUILT_IN - CENTOS_6
        assert unknown <= GUARDED, f"{where}: {unknown - GUARDED} is not on CentOS 6: give that form its only="
        assert not unknown or "||" in text, f"{where}: {unknown} without the old one's beside it"
        for pattern, since in TOO_NEW.items():
            assert not re.search(pattern, text), f"{where}: {pattern} is of {since}"


def programs(text: str) -> Iterator[str]:
    """The first word of each simple command; what stands in quotes is a program's own business."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "Q", text)
    for part in re.split(r"\|\||&&|[|;\n(]|\{ ", bare):
        words = part.strip(" )}").split()
        if words and not words[0].startswith(("Q", "-", "2>", "<")):
            yield words[0]
            if words[0] == "timeout":  # timeout -s KILL 20 PROGRAM
                yield next(word for word in words[1:] if word.isalpha() and word != "KILL")


def test_the_forms_for_old_and_new_stand_beside_each_other() -> None:
    """A step that has a form for systemd has one for CentOS 6, so that nobody at 03:10 has to translate."""
    for path in SHIPPED:
        for step in load(path.read_text(encoding="utf-8"), path.name).steps:
            only = [one.only for one in step.blocks if one.is_command and one.only]
            if any(re.search(r"systemd|^today", one) for one in only) and not step.text.startswith("Is live-restore"):
                assert any(re.search(r"CentOS 6|Docker 1\.6", one) for one in only), (path.name, step.number)
