"""Traps of the outputs and files of old and new hosts that no other test is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet.locking import has_summary
from incident_tui.hosts import cgroups, docker_tables, gluster, health, local, machine
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain
from incident_tui.hosts.readings import GapKind, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
ONE = "ab" * 32
LINK = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)


def xml(inner: str) -> str:
    return f"<?xml version='1.0'?>\n<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/>{inner}</cliOutput>\n"


@pytest.mark.parametrize(("help", "asked"), [("Usage: docker stats CONTAINER", False), ("  --no-stream  x", True)])
def test_stats_that_never_end_are_not_begun(
    help: str, asked: bool, run_probe: Callable[..., Any], tmp_path: Path, root: Callable[[dict[str, str]], Path]
) -> None:
    """1.6 has no --no-stream: its stats would stream until they are killed."""
    scratch = root({"/proc/uptime": "1.00 1.00\n"})
    program = f"""printf '%s\\n' "$*" >>"$ITUI_ROOT/calls"
[ "$1 $2" = 'stats --help' ] && echo '{help}'
exit 0
"""
    running = run_probe(["dash"], "asked", programs={"docker": program})
    running.ask("asked:performance")
    assert running.end() == 0
    calls = (scratch / "calls").read_text().splitlines()
    assert [call for call in calls if call.startswith("stats") and "--help" not in call] == (
        ["stats --no-stream"] if asked else []
    )


def test_a_command_that_1_6_cut_within_its_quotes() -> None:
    heads = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")
    cells = (ONE[:12], "app:latest", "\"/bin/sh -c 'while t", "2 weeks ago", "Up 2 weeks", "", "web")
    body = "".join(cell.ljust(20) + "   " for cell in heads).rstrip() + "\n"
    body += "".join(cell.ljust(20) + "   " for cell in cells).rstrip() + "\n"
    (container,) = docker_tables.parse_ps_table(body)
    assert (container.name, container.state, container.image) == ("web", "running", "app:latest")
    cut = body.replace("'while t", "'caf\ufffd ")
    assert docker_tables.parse_ps_table(cut)[0].name == "web"


def take(peer: Assembler, count: int, at: datetime) -> int:
    state = {"Running": True, "Pid": 0, "ExitCode": 0}
    inspect = json.dumps([{"Id": ONE, "Name": "/web", "State": state, "RestartCount": count}])
    parts = [Section(name="docker-ps", body=ONE, rc=0), Section(name="docker-inspect", body=inspect, rc=0)]
    reading = peer.take(parts, at, at)
    assert reading.docker is not None
    return reading.docker.containers[0].restarts_recent


def test_restarts_are_counted_over_ten_minutes_and_begin_anew_with_docker_start() -> None:
    peer = Assembler("web1", ("docker",), LINK)
    assert take(peer, 40, NOW) == 0, "what was before we looked is not lately"
    counts = [41, 42, *[42] * 7, 43, *[43] * 11]
    recent = [take(peer, count, NOW + timedelta(minutes=n)) for n, count in enumerate(counts, 1)]
    assert recent == [1, 2, *[2] * 7, 3, 2, 1, *[1] * 7, 0, 0]
    assert take(peer, 0, NOW + timedelta(minutes=22)) == 0
    assert take(peer, 1, NOW + timedelta(minutes=23)) == 1


TOTAL = 2 << 30


@pytest.mark.parametrize(
    ("lines", "limit"),
    [
        (["memory.usage_in_bytes:9", "memory.limit_in_bytes:9223372036854771712"], 0),
        (["memory.usage_in_bytes:9", "memory.limit_in_bytes:9223372036854775807"], 0),
        (["memory.usage_in_bytes:9", f"memory.limit_in_bytes:{TOTAL + 4096}"], 0),
        (["memory.usage_in_bytes:9", "memory.limit_in_bytes:67108864"], 67108864),
        (["memory.current:9", "memory.max:max"], 0),
        (["memory.current:9", "memory.max:67108864"], 67108864),
    ],
)
def test_what_is_no_limit_of_memory(lines: list[str], limit: int) -> None:
    body = "".join(f"/cgroup/memory/docker/{ONE}/{line}\n" for line in lines)
    assert cgroups.parse_memory(body, TOTAL, NOW)[ONE].limit == limit


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("3.4.7", False),
        ("3.12.15", False),
        ("3.13.0", True),
        ("4.0.2", True),
        ("11.1", True),
        ("", False),
        ("?", False),
    ],
)
def test_which_versions_count_heals_in_a_summary(version: str, has: bool) -> None:
    assert has_summary(version) is has


@pytest.mark.parametrize("dist", [1, 2, 3, 6])
def test_the_count_whose_meaning_changed_does_not_matter(dist: int) -> None:
    bricks = "".join(
        f"<brick uuid='u{n}'>h{n}:/b<name>h{n}:/b</name><hostUuid>u{n}</hostUuid></brick>" for n in range(6)
    )
    volume = (
        f"<volume><name>gv0</name><status>1</status><brickCount>6</brickCount><distCount>{dist}</distCount>"
        f"<stripeCount>1</stripeCount><replicaCount>3</replicaCount><typeStr>Distributed-Replicate</typeStr>"
        f"<bricks>{bricks}</bricks></volume>"
    )
    for form in (volume, volume.replace("<stripeCount>1</stripeCount>", "")):
        (read,) = gluster.volumes_xml(xml(f"<volInfo><volumes>{form}<count>1</count></volumes></volInfo>"))
        assert (read.set_size, len(read.bricks) // read.set_size) == (3, 2)


@pytest.mark.parametrize(("kind", "level"), [("NFS Server", Level.OK), ("Self-heal Daemon", Level.WARN)])
def test_a_service_that_nobody_misses(kind: str, level: Level) -> None:
    row = "<node><hostname>{}</hostname><path>{}</path><status>{}</status><port>N/A</port><pid>{}</pid></node>"
    nodes = row.format("web1", "/b", 1, 7) + row.format(kind, "localhost", 0, -1)
    volume = f"<volume><volName>v</volName><nodeCount>2</nodeCount>{nodes}</volume>"
    assert explain(xml(f"<volStatus><volumes>{volume}</volumes></volStatus>"), NOW).level is level


@pytest.mark.parametrize("named", ["xfs", "btrfs", "ext4"])
def test_details_of_a_brick_that_says_its_file_system_for_its_inodes_and_of_one_that_is_down(named: str) -> None:
    up = f"<sizeTotal>100</sizeTotal><sizeFree>40</sizeFree><inodeSize>{named}</inodeSize>"
    rows = "".join(
        f"<node><hostname>h{n}</hostname><path>/b</path><peerid>u</peerid><status>{n}</status><port>9</port><pid>7</pid>"
        f"{up if n else ''}</node>"
        for n in (1, 0)
    )
    volume = f"<volStatus><volumes><volume><volName>v</volName>{rows}</volume></volumes></volStatus>"
    ((one, two),) = (each.bricks for each in gluster.status_xml(xml(volume)))
    assert (one.size, one.free, one.file_system) == (100, 40, named)
    assert (two.online, two.size, two.inodes, two.file_system) == (False, 0, 0, "")
    assert explain(xml(volume), NOW).level is Level.CRIT  # and nothing is divided by what is not there


def test_a_volume_that_the_status_leaves_out_is_not_well(fixture: Callable[[str], str]) -> None:
    peer = Assembler("web1", ("gluster",), LINK)
    body = fixture("status-3.7.xml")
    reading = peer.take([Section(name="status:other", body=body, rc=0, limit=150.0)], NOW, NOW)
    assert "other" not in reading.volume_status
    assert reading.gaps["volume_status:other"].kind is GapKind.FAILED


@pytest.mark.parametrize(
    ("number", "status"),
    [
        *enumerate(["not started", "in progress", "stopped", "completed", "failed"]),
        *enumerate((f"fix-layout {word}" for word in ("in progress", "stopped", "completed", "failed")), 5),
        *((9, "not started"), (10, "not started"), (11, "unknown"), (12, "unknown"), (-1, "unknown")),
    ],
)
def test_every_number_of_a_task(number: int, status: str) -> None:
    assert gluster.task_status(str(number), None) == status
    assert gluster.task_status(None, status.replace("fix-layout", "fix layout").title()) == status


PLACES = ["/var/lib/glusterd/vols/gv0/run/web1-b-gv0.pid", "/var/run/gluster/vols/gv0/web1-b-gv0.pid"]


@pytest.mark.parametrize("place", PLACES)
def test_the_pid_file_of_a_brick_in_both_places(place: str) -> None:
    files = local.parse_files(
        "/var/lib/glusterd/glusterd.info:UUID=u1\n/var/lib/glusterd/glusterd.info:operating-version=30501\n"
        "/var/lib/glusterd/vols/gv0/bricks/web1:-b-gv0:hostname=web1\n"
        f"/var/lib/glusterd/vols/gv0/bricks/web1:-b-gv0:path=/b/gv0\n{place}:900\n900 (glusterfsd) S 1 9\n"
    )
    line = "==> /proc/900/cmdline <==\n/usr/sbin/glusterfsd\n--brick-name\n/b/gv0\n"
    (brick,) = local.bricks(files, line, "7 /b/gv0\n", (), may_look=True)
    assert (files.uuid, files.op_version) == ("u1", 30501)
    assert (brick.name, brick.pid, brick.alive, brick.pending) == ("web1:/b/gv0", 900, True, 7)


@pytest.mark.parametrize(
    "body",
    [
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/mapper/a\n   9 3 6 33% /\n",
        "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 9 3 6 - /\n",
        "df: `/': Input/output error\n",
    ],
)
def test_a_df_that_does_not_say_how_full_a_mount_is_leaves_it_unknown(body: str) -> None:
    with pytest.raises(Unreadable):
        machine.parse_disks("/dev/a / ext4 rw\n", body, "")


def test_a_file_system_in_another_language_is_read_by_its_rows() -> None:
    """We ask with LC_ALL=C; an installed probe under another locale must not make a disk look unread."""
    body = "Dateisystem 1024-Blöcke Benutzt Verfügbar Kapazität Eingehängt auf\n/dev/a 9 3 6 33% /\n"
    (disk,) = machine.parse_disks("/dev/a / ext4 ro,relatime\n", body.replace("\n", "\r\n"), "")
    assert (disk.mount, disk.used_percent, disk.read_only) == ("/", 33.0, True)


def test_a_host_without_pressure_and_available_memory_is_no_trouble() -> None:
    """2.6.32 has neither; what is estimated says so, and what is absent is no finding."""
    peer = Assembler("web1", (), LINK)
    proc = (
        "/proc/loadavg:0.1 0.1 0.1 1/99 1\n/proc/uptime:1000.0 1.0\n/proc/vmstat:pswpin 0\n/proc/vmstat:pswpout 0\n"
        "/proc/meminfo:MemTotal: 1000 kB\n/proc/meminfo:MemFree: 500 kB\n/proc/meminfo:Buffers: 100 kB\n"
        "/proc/meminfo:Cached: 200 kB\n/proc/meminfo:Shmem: 50 kB\n/proc/meminfo:SwapTotal: 0 kB\n"
    )
    for n in range(2):
        at = NOW + timedelta(seconds=5 * n)
        reading = peer.take([Section(name="proc", body=proc.replace("1000.0", f"{1000 + 5 * n}.0"), rc=0)], at, at)
    assert reading.memory is not None and reading.memory.estimated
    assert reading.gaps["pressure"].kind is GapKind.ABSENT
    found = health.findings([reading], Thresholds(), NOW + timedelta(seconds=5))
    assert not [one for one in found if one.rule.startswith("machine.") or "pressure" in one.sentence]
