"""Kills that name one process and take another, and those of systemd-oomd, of which the kernel says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.kernel import LogClock, merge, parse_ooms
from incident_tui.hosts.readings import Link, LinkState

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
CLOCK = LogClock(now=NOW, uptime=1000.0)
ID = "0a" * 32
DECISION = "[{}] Out of memory: Kill process {} ({}) score 512 or sacrifice child\n"
DEED = "[{}] Killed process {}, UID 0, ({}) total-vm:1241088kB, anon-rss:626688kB, file-rss:120kB\n"


def killed(log: str) -> list[tuple[int, str]]:
    return [(kill.pid, kill.name) for kill in parse_ooms(log, CLOCK)]


def test_a_child_that_is_killed_in_anothers_place_is_the_only_kill() -> None:
    log = DECISION.format("900.1", 2315, "httpd") + DEED.format("900.2", 2399, "php")
    assert killed(log) == [(2399, "php")]
    (kill,) = parse_ooms(log, CLOCK)
    assert kill.scope == "global" and kill.rss == 626688 * 1024


def test_two_kills_of_one_process_each_are_two() -> None:
    log = "".join(
        DECISION.format(f"90{n}.1", pid, "httpd") + DEED.format(f"90{n}.2", pid, "httpd") for n, pid in ((0, 5), (1, 6))
    )
    assert killed(log) == [(5, "httpd"), (6, "httpd")]


def test_a_decision_without_its_deed_is_a_kill_and_a_later_deed_is_another() -> None:
    log = DECISION.format("900.1", 2315, "httpd") + DEED.format("930.0", 2399, "php")
    assert killed(log) == [(2315, "httpd"), (2399, "php")]


def test_a_deed_alone_after_a_whole_kill_is_another() -> None:
    whole = DECISION.format("900.1", 5, "httpd") + DEED.format("900.2", 5, "httpd")
    assert killed(whole + DEED.format("900.3", 6, "php")) == [(5, "httpd"), (6, "php")]


OOMD = (
    f"Nov 28 03:05:00 web1 systemd-oomd[852]: Killed /system.slice/docker-{ID}.scope due to memory used (16331927552) /"
    " total (16711987200) and swap used (8589930496) / total (8589930496) being more than 90.00%\n"
)


def test_a_kill_by_systemd_oomd_names_its_container() -> None:
    (kill,) = parse_ooms(OOMD, CLOCK)
    assert (kill.container_id, kill.scope, kill.pid, kill.joined_by) == (ID, "cgroup", 0, "cgroup")
    assert kill.at == NOW - timedelta(minutes=5)
    assert parse_ooms(OOMD.replace(": Killed /", ": Considered 97 cgroups for killing, /"), CLOCK) == ()
    assert len(merge(parse_ooms(OOMD, CLOCK), parse_ooms(DEED.format("700.0", 7, "java"), CLOCK))) == 2


def test_the_probe_brings_it(
    shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path]
) -> None:
    root(
        {"/var/log/messages": "Nov 28 03:04:00 web1 sshd[1]: Accepted publickey\n" + OOMD, "/proc/uptime": "1000.0 1\n"}
    )
    running = run_probe(shell, programs={"dmesg": "exit 0"})
    answer = running.ask("oom")
    assert running.end() == 0
    assembler = Assembler("web1", (), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))
    assembler.take(answer.values(), NOW, NOW)
    assert assembler.reading.ooms is not None
    # busybox takes its own dmesg, which has what else was killed here
    assert ID in [kill.container_id for kill in assembler.reading.ooms.kills]
