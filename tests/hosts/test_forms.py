"""Forms that other versions and other people's pastes have: tabs, indentation, old nesting, lines that stand alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
LINE = "-" * 78

FORMS: dict[str, tuple[str, str, Level, str]] = {
    "3.4 with tabs": (
        "Status of volume: rs3\nGluster process\t\t\t\tPort\tOnline\tPid\n"
        + LINE
        + "\nBrick node-2:/disk1/data\t\t49152\tY\t1770\nSelf-heal Daemon on localhost\t\tN/A\tN\tN/A\n",
        "gluster volume status",
        Level.WARN,
        "rs3: Self-heal Daemon on localhost is not online",
    ),
    "indented, offline with a pid": (
        "    # gluster volume status\n    Status of volume: r2\n    Gluster process      Port    Online    Pid\n    "
        + LINE
        + "\n    Brick s1:/home/r2_0      N/A      N    5342\n    Brick s2:/home/r2_1   49153     Y    5354\n",
        "gluster volume status",
        Level.CRIT,
        "r2: s1:/home/r2_0 is not online",
    ),
    "3.3 without volumes": (
        "<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/><volStatus><volName>music</volName>"
        "<node><hostname>h2</hostname><path>/m-b1</path><port>49152</port><status>0</status><pid>-1</pid></node>"
        "</volStatus></cliOutput>",
        "gluster volume status",
        Level.CRIT,
        "music: h2:/m-b1 is not online",
    ),
    "a brick that was not finished": (
        "Brick a:/b\n/f1\nFailed to complete gathering info. Number of entries so far: 1\n\nBrick c:/b\n"
        "Number of entries: 0\n",
        "gluster heal info",
        Level.UNKNOWN,
        "a:/b: its entries could not be counted",
    ),
    "the root in split-brain": (
        "Brick n1:/r/b1\n/stbn \n/ - Is in split-brain\nStatus: Connected\nNumber of entries: 2\n\n"
        "Brick n2:/r/b1\n/ - Is in split-brain\nStatus: Connected\nNumber of entries: 1\n",
        "gluster heal info",
        Level.CRIT,
        "split-brain, 1 on one brick: /",
    ),
    "stats by name": (
        "NAME       CPU %     MEM USAGE / LIMIT   MEM %\nmem-demo   0.00%     98.83MiB / 100MiB   98.83%\n",
        "docker stats",
        Level.WARN,
        "mem-demo: memory 99% of its limit",
    ),
    "podman ps": (
        "CONTAINER ID  IMAGE         COMMAND     CREATED        STATUS            PORTS       NAMES\n"
        "1af61235f8c9  nginx:latest  nginx -g d  2 minutes ago  Up 2 minutes ago  80/tcp      web\n",
        "docker ps",
        Level.OK,
        "1 of 1 containers running",
    ),
    "a kill of which only the first line is there": (
        "Sep  3 10:00:05 node1 kernel: [342.4] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),mems_allowed=0,"
        f"oom_memcg=/k/pod6,task_memcg=/k/pod6/{'2c' * 32},task=framework,pid=3319125,uid=5000\n",
        "the kernel's log",
        Level.CRIT,
        "framework (3319125) killed, out of memory, cgroup, container 2c2c2c2c2c2c",
    ),
    "striped and replicated": (
        "Volume Name: gv0\nType: Distributed-Striped-Replicate\nVolume ID: e64c\nStatus: Stopped\n"
        "Number of Bricks: 1 x 2 x 2 = 4\nTransport-type: tcp\nBricks:\nBrick1: a:/b0\nBrick2: b:/b1\nBrick3: a:/b2\n"
        "Brick4: b:/b3\n",
        "gluster volume info",
        Level.CRIT,
        "gv0: stopped; Distributed-Striped-Replicate, 4 bricks in 2 subvolumes",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form(form: str) -> None:
    output, what, level, part = FORMS[form]
    found = explain(output, NOW)
    assert (found.what, found.level) == (what, level)
    assert part in [one.sentence for one in found.said]


@pytest.mark.parametrize("form", FORMS)
def test_half_of_it_is_never_better(form: str) -> None:
    """Cut anywhere, it cannot be read, or says of what is left only what stands there."""
    output, what, _, _ = FORMS[form]
    whole = {one.sentence for one in explain(output, NOW).said if one.level is not Level.OK}
    for end in range(0, len(output), 7):
        try:
            half = explain(output[:end], NOW)
        except Unreadable:
            continue
        assert half.what == what
        for one in half.said:
            if one.level in (Level.CRIT, Level.WARN):
                assert one.sentence in whole or re.split(r"[:(]", one.sentence)[0].strip() in output
