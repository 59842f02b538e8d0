"""Saved outputs, recognised and judged; and what is none of them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("name", "what", "level", "part"),
    [
        ("peers-3.7.xml", "gluster peer status", Level.WARN, "peer web3 disconnected"),
        ("volumes-3.7.xml", "gluster volume info", Level.OK, "gv0: started; Replicate, 3 bricks in 1 subvolume"),
        ("status-3.7.xml", "gluster volume status", Level.WARN, "Self-heal Daemon on web2 is not online"),
        ("heal-3.7.txt", "gluster heal info", Level.CRIT, "split-brain, 1 on one brick: /files/a.pdf"),
        ("lab/volume-status-brick-down.xml", "gluster volume status", Level.CRIT, "peer3:/bricks/gv0 is not online"),
        ("lab/heal-summary-brick-down.xml", "gluster heal info", Level.UNKNOWN, "not counted"),
        ("lab/docker-inspect-oom.json", "docker inspect", Level.CRIT, "hog: killed, out of memory"),
        ("lab/dmesg-oom.txt", "the kernel's log", Level.CRIT, "tail (32729) killed, out of memory, cgroup"),
    ],
)
def test_what_it_was_and_what_it_says(name: str, what: str, level: Level, part: str) -> None:
    found = explain((FIXTURES / name).read_text(), NOW)
    assert found.what == what
    assert found.level is level
    assert part in "\n".join(one.sentence for one in found.said)


def test_a_pasted_prompt_and_carriage_returns_change_nothing() -> None:
    body = (FIXTURES / "heal-3.7.txt").read_text()
    pasted = "[root@web1 ~]# gluster volume heal gv0 info\n" + body
    assert explain(pasted.replace("\n", "\r\n"), NOW) == explain(body, NOW)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("Cannot connect to the Docker daemon. Is 'docker -d' running on this host?", "the Docker daemon does not run"),
        ("Connection failed. Please check if gluster daemon is operational.", "glusterd does not run"),
        ("Another transaction is in progress for gv0. Please try again after sometime.", "busy"),
        ("good morning", "not recognised"),
        ("", "not recognised"),
    ],
)
def test_an_error_is_named_and_no_output_is_refused(said: str, meaning: str) -> None:
    with pytest.raises(Unreadable, match=meaning):
        explain(said, NOW)


def test_the_command() -> None:
    run = [sys.executable, "-m", "incident_tui", "explain", str(FIXTURES / "heal-3.7.txt")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "X crit split-brain, 1 on one brick: /files/a.pdf" in done.stdout
    none = subprocess.run([*run[:-1], "/nowhere"], capture_output=True, text=True, timeout=60)
    assert (none.returncode, none.stdout) == (2, "")
    assert none.stderr.startswith("incident-tui: /nowhere cannot be read")
