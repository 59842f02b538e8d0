"""Answers of shapes that real versions give and that are easy to misread; and answers that lost a part on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from incident_tui.hosts import gluster, gluster_text, kernel
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import GapKind, HostReading, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
UP = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
ONE, TWO = "a" * 64, "b" * 64


def section(name: str, body: str, **fields: Any) -> Section:
    return Section(name=name, body=body, **({"rc": 0} | fields))


def wrapped(inside: str) -> str:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput><opRet>0</opRet><opErrno>0</opErrno>'
    return f"{head}<opErrstr/>{inside}</cliOutput>"


def peer_row(name: str, connected: int, state: int, said: str) -> str:
    return (
        f"<peer><uuid>{name}-uuid</uuid><hostname>{name}</hostname><connected>{connected}</connected>"
        f"<state>{state}</state><stateStr>{said}</stateStr></peer>"
    )


def test_peers_that_are_rejected_or_gone() -> None:
    rows = peer_row("one", 1, 2, "Peer rejected") + peer_row("two", 0, 3, "Peer in Cluster")
    one, two = gluster.peers_xml(wrapped(f"<peerStatus>{rows}</peerStatus>"))
    assert (one.connected, one.state, one.state_text) == (True, 2, "Peer rejected")
    assert (two.connected, two.state) == (False, 3)


def test_volumes_that_are_fewer_than_declared_are_no_answer() -> None:
    assert gluster.volumes_xml(wrapped("<volInfo><volumes><count>0</count></volumes></volInfo>")) == ()
    assert gluster.volumes_xml(wrapped("<volInfo/>")) == ()
    with pytest.raises(Unreadable):
        gluster.volumes_xml(wrapped("<volInfo><volumes><count>1</count></volumes></volInfo>"))


@pytest.mark.parametrize(
    "name", ["/with space", "/two\nlines", "<gfid:6f2a-11>", "/ümlaut & <tag>", "/Number of entries: 9"]
)
def test_heal_entries_of_any_name(name: str) -> None:
    safe = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    brick = "<brick hostUuid='u'><name>h{n}:/b</name>{rest}</brick>"
    good = brick.format(
        n=1, rest=f"<file gfid='g'>{safe}</file><status>Connected</status><numberOfEntries>1</numberOfEntries>"
    )
    lost = brick.format(
        n=2,
        rest="<status>Transport endpoint is not connected</status><numberOfEntries>-</numberOfEntries>",
    )
    one, two = gluster.heals_xml(wrapped(f"<healInfo><bricks>{good}{lost}</bricks></healInfo>"))
    assert (one.connected, one.pending, len(one.entries)) == (True, 1, 1)
    assert (two.connected, two.pending, two.split_brain) == (False, None, None)
    assert "\n" not in one.entries[0]


def test_heal_text_with_a_dash() -> None:
    body = (
        "Brick h1:/b\n/a b.pdf - Is in split-brain\n\nStatus: Connected\nNumber of entries: 1\n\n"
        "Brick h2:/b\nStatus: Transport endpoint is not connected\nNumber of entries: -\n\n"
    )
    one, two = gluster_text.heals_text(body)
    assert (one.pending, one.split_brain, one.split_entries) == (1, 1, ("/a b.pdf",))
    assert (two.connected, two.pending, two.split_brain) == (False, None, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "[1.0] X invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0\n"
            "[1.1] Out of memory (oom_kill_allocating_task): Kill process 7 (top) score 0 or sacrifice child\n"
            "[1.2] Killed process 7, UID 500, (top) total-vm:9kB, anon-rss:8kB, file-rss:1kB",
            (7, "top", "global", ""),
        ),
        (
            f"[1.0] Task in /docker/{ONE} killed as a result of limit of /docker/{ONE}\n"
            "[1.1] Memory cgroup out of memory: Kill process 8 (a (b) c) score 1000 or sacrifice child\n"
            "[1.2] Killed process 8 (a (b) c) total-vm:9kB, anon-rss:8kB, file-rss:1kB, shmem-rss:0kB",
            (8, "a (b) c", "cgroup", ONE),
        ),
        (
            "[1.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,"
            f"oom_memcg=/x,task_memcg=/system.slice/docker-{ONE}.scope,task=java,pid=9,uid=0\n"
            "[1.1] Memory cgroup out of memory: Killed process 9 (java) total-vm:9kB, anon-rss:8kB, UID:0",
            (9, "java", "cgroup", ONE),
        ),
        (
            "[1.0] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
            "task_memcg=/user.slice,task=java,pid=9,uid=0\n"
            "[1.1] Out of memory: Killed process 9 (java) total-vm:9kB, anon-rss:8kB",
            (9, "java", "global", ""),
        ),
        (
            "Jan 14 08:15:18 n kernel: [2.5] Out of memory: kill process 18 (nfsd) score 100 or a child\n"
            "Jan 14 08:15:18 n kernel: [2.6] Killed process 18 (nfsd) vsz:44kB, anon-rss:40kB, file-rss:6kB",
            (18, "nfsd", "global", ""),
        ),
        ("n kernel: Out of Memory: Killed process 25 (mysqld).", (25, "mysqld", "global", "")),
        (
            "[1.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,"
            f"oom_memcg=/x,task_memcg=/system.slice/docker-{ONE}.scope,task=Runner.L,pid=9,uid=0\n"
            "[1.1] Memory cgroup out of memory: Killed process 9 (Runner.L (x))",
            (9, "Runner.L (x)", "cgroup", ONE),
        ),
    ],
)
def test_oom_kills_of_every_kernel(body: str, expected: tuple[int, str, str, str]) -> None:
    (kill,) = kernel.parse_ooms(body, kernel.LogClock(now=NOW, uptime=100.0))
    assert (kill.pid, kill.name, kill.scope, kill.container_id) == expected


def test_a_whole_cgroup_killed_is_each_of_its_processes_and_the_container() -> None:
    scope = f"/system.slice/docker-{ONE}.scope"
    lines = [
        f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg={scope},task_memcg={scope},task=web,pid=9,uid=0",
        "Memory cgroup out of memory: Killed process 9 (web) total-vm:9kB, anon-rss:8kB, UID:0",
        f"Tasks in {scope} are going to be killed due to memory.oom.group set",
        "Memory cgroup out of memory: Killed process 9 (web) total-vm:9kB, anon-rss:8kB, UID:0",
        "Memory cgroup out of memory: Killed process 10 (worker) total-vm:9kB, anon-rss:8kB, UID:0",
        "other invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=0",
        "Memory cgroup out of memory: Killed process 11 (other) total-vm:9kB, anon-rss:8kB, UID:0",
    ]
    body = "".join(f"[{n}.0] {line}\n" for n, line in enumerate(lines))
    kills = kernel.parse_ooms(body, kernel.LogClock(now=NOW, uptime=100.0))
    assert [(kill.pid, kill.name, kill.container_id) for kill in kills] == [
        (9, "web", ONE),
        (10, "worker", ONE),
        (11, "other", ""),
    ]


def inspected(identity: str, state: object) -> dict[str, object]:
    return {"Id": identity, "Name": f"/{identity[:1]}", "State": state, "RestartCount": 0}


def take(assembler: Assembler, inspect: str, *ids: str) -> HostReading:
    parts = [section("docker-ps", "\n".join(ids)), section("docker-inspect", inspect, rc=1)]
    return assembler.take(parts, NOW, NOW)


RUNNING = {"Running": True, "Pid": 0, "ExitCode": 0}


@pytest.mark.parametrize("state", [None, "running", [], {}, {"Running": "yes"}, {"Status": 3}])
def test_a_container_whose_state_is_no_state_is_unknown_and_not_gone(state: object) -> None:
    assembler = Assembler("web1", ("docker",), UP)
    reading = take(assembler, json.dumps([inspected(ONE, RUNNING), inspected(TWO, state)]), ONE, TWO)
    found = {f.rule: f.level for f in findings([reading], Thresholds(), NOW)}
    assert reading.docker is not None and len(reading.docker.containers) == 2
    assert found["docker.container-unknown"] is Level.UNKNOWN


def test_a_container_that_went_away_between_ps_and_inspect_is_gone() -> None:
    body = json.dumps([inspected(ONE, RUNNING)])
    for said in ("Error: No such image or container: ", "Error: No such object: ", "error: no such object: "):
        reading = take(Assembler("web1", ("docker",), UP), f"{body}\n{said}{TWO}", ONE, TWO)
        assert reading.docker is not None and [c.id for c in reading.docker.containers] == [ONE]


def test_docker_that_is_not_installed_any_more_is_not_well() -> None:
    assembler = Assembler("web1", (), UP)
    take(assembler, json.dumps([inspected(ONE, {"Running": False, "ExitCode": 9, "StartedAt": "2026"})]), ONE)
    reading = assembler.take([section("docker-ps", "sh: docker: command not found", rc=127)], NOW, NOW)
    assert reading.gaps["docker"].kind is GapKind.FAILED and "read before" in reading.gaps["docker"].sentence


MOUNTS = "/dev/a / ext4 rw\n/dev/b /data xfs rw"
DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 9 3 6 33% /\n/dev/b 9 3 6 33% /data"


@pytest.mark.parametrize(
    ("inodes", "fields", "well"),
    [
        (DF.replace("33%", "95%"), {}, True),
        ("\n".join(DF.splitlines()[:2]), {}, False),
        ("", {"rc": 124, "seconds": 10.0, "limit": 10.0}, False),
        ("df: unrecognized option: i", {"rc": 1}, True),
    ],
)
def test_half_an_answer_about_inodes_is_none(inodes: str, fields: dict[str, Any], well: bool) -> None:
    parts = [section("mounts", MOUNTS), section("df", DF), section("df-inodes", inodes, **fields)]
    reading = Assembler("web1", (), UP).take(parts, NOW, NOW)
    assert (reading.disks is not None) is well and ("disks" in reading.gaps) is not well
