"""Forms that other versions, other tools and other terminals print, each with what must be read of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_tui.hosts import docker, docker_tables, gluster, gluster_text, kernel, kernel_events, machine
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.readings import GapKind, Link, LinkState
from incident_tui.hosts.sections import Section

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
ONE, TWO = "ab" * 32, "cd" * 32
LINK = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
LINE = "-" * 78


@pytest.mark.parametrize(
    ("line", "at", "action", "code"),
    [
        (f"2015-05-11T10:00:00.000000000+02:00 {ONE}: (from app:1) die", 8, "die", None),
        (f"2015-05-11T10:00:00.000000000Z {ONE}: die", 10, "die", None),
        (f"2015-05-11T10:00:00.000000000Z {ONE[:12]}: (from a (b):1) oom", 10, "oom", None),
        (f"2015-05-11T10:00:00.1+02:00 container die {ONE} (exitCode=137, image=x, name=web)", 8, "die", 137),
        (f"2015-05-11T10:00:00.1Z container die {ONE} (execDuration=9, exitCode=-1, name=web)\r", 10, "die", -1),
        (f"2015-05-11 10:00:00.123456789 +0200 CEST container died {ONE} (image=x, name=web)", 8, "die", None),
        (f"2015-05-11 10:00:00.123456789 +0300 +03 container died {ONE} (image=x, name=web)", 7, "die", None),
        (f"2015-05-11T10:00:00Z container health_status: unhealthy {ONE} (image=x)", 10, "health_status", None),
        (f"2015-05-11T10:00:00Z container kill {ONE} (image=x, name=web, signal=9)", 10, "kill", None),
    ],
)
def test_each_form_of_an_event(line: str, at: int, action: str, code: int | None) -> None:
    event = docker.parse_event(line)
    assert event is not None and event.at is not None
    assert (event.at.hour, event.action, event.exit_code) == (at, action, code)
    assert ONE.startswith(event.id)


def test_a_label_cannot_say_how_a_container_ended() -> None:
    for label in ("a=1, exitCode=0", "exitCode=0"):
        event = docker.parse_event(f"2026-05-11T10:00:00Z container die {ONE} (exitCode=137, image=x, z={label})")
        assert event is not None and event.exit_code in (137, None)
    event = docker.parse_event(f"2026-05-11T10:00:00Z container die {ONE} (exitCode=137, z=1, exitCode=0)")
    assert event is not None and event.exit_code is None


@pytest.mark.parametrize(
    "line",
    [
        "2026-05-11T10:00:00Z image pull alpine:latest (name=alpine)",
        "2026-05-11T10:00:00Z volume mount data (container=x, driver=local)",
        f"2015-05-11T10:00:00.000000000Z {ONE}: (from a:1) exec_start: /bin/sh -c die",
        "WARNING: something die",
        "",
    ],
)
def test_what_is_no_event_of_a_container_is_no_death(line: str) -> None:
    event = docker.parse_event(line)
    assert event is None or event.action not in ("die", "oom")


GONE = [
    "Error: No such image or container: {}",
    "Error: No such object: {}",
    "Error response from daemon: No such container: {}",
    'Error: error inspecting object: no such object: "{}"',
    'Error: no such object: "{}"',
    'Error: no such container "{}"',
    'Error: no container with name or ID "{}" found: no such container',
]


@pytest.mark.parametrize("said", GONE)
def test_a_container_gone_between_ps_and_inspect_in_the_words_of_each_engine(said: str) -> None:
    inspect = json.dumps([{"Id": ONE, "Name": "/a", "State": {"Running": True, "Pid": 0, "ExitCode": 0}}], indent=4)
    parts = [
        Section(name="docker-ps", body=f"{ONE}\n{TWO}\r\n", rc=0),
        Section(name="docker-inspect", body=f"{said.format(TWO)}\n{inspect}\n", rc=1),
    ]
    reading = Assembler("web1", ("docker",), LINK).take(parts, NOW, NOW)
    assert reading.docker is not None and [one.id for one in reading.docker.containers] == [ONE]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error response from daemon: client is newer than server (client API version: 1.24, server: 1.18)", "failed"),
        ("Error response from daemon: client version 1.18 is too old. Minimum supported API version is 1.44", "failed"),
        ("Error response from daemon: client and server don't have same version (client : 1.18)", "failed"),
        ("failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct", "down"),
        ("Cannot connect to Podman. Please verify your connection to the Linux system", "down"),
        ("Got permission denied while trying to connect to the Docker daemon socket at unix:///x", "denied"),
        ("-bash: docker: command not found", "absent"),
        ("sh: 1: docker: not found", "absent"),
        ("unknown flag: --no-trunc", "absent"),
    ],
)
def test_errors_of_each_engine(said: str, kind: str) -> None:
    trouble = docker.trouble(Section(name="docker-ps", body=f"{said}\n", rc=1))
    assert trouble is not None and trouble.kind is GapKind(kind)


@pytest.mark.parametrize(
    ("said", "state", "code"),
    [
        ("Exited (0) 2 hours ago (healthy)", "exited", 0),
        ("Exited (1) an hour ago (unhealthy)", "exited", 1),
        ("Exited (137) About a minute ago", "exited", 137),
        ("Exited (0) 1.012345 years ago", "exited", 0),
        ("Restarting (1) Less than a second ago", "restarting", 1),
        ("Created 3 minutes ago", "created", None),
        ("Up 1 second", "running", None),
        ("Up 1.012345 years", "running", None),
        ("Up 2 minutes ago", "running", None),
        ("Up a while", "unknown", None),
        ("Exited", "unknown", None),
        ("Aktiv 2 Stunden", "unknown", None),
    ],
)
def test_status_in_the_words_of_each_version(said: str, state: str, code: int | None) -> None:
    status = docker_tables.parse_status(said)
    assert (status.state, status.exit_code) == (state, code)


@pytest.mark.parametrize("key", ["Health", "Healthcheck"])
@pytest.mark.parametrize(
    ("said", "health"),
    [("Unhealthy", "unhealthy"), ("healthy", "healthy"), ("starting", "starting"), ("none", ""), ("", ""), (None, "")],
)
def test_health_in_any_spelling(key: str, said: str | None, health: str) -> None:
    state = {"Status": "running", "Running": True, "Pid": 7, "ExitCode": 0, key: {"Status": said, "Log": None}}
    item = {"Id": ONE, "Name": "/web", "State": state, "HostConfig": None, "Config": None, "NetworkSettings": None}
    (container,) = docker.parse_inspect(json.dumps(item, indent=4))
    assert (container.health, container.state) == (health, "running")


def podman(**fields: Any) -> str:
    return json.dumps([{"Id": ONE, "Image": "app:1", "Names": ["web"], **fields}])


@pytest.mark.parametrize(
    ("body", "state", "code"),
    [
        (podman(State="exited", Status="Exited (1) 2 hours ago", ExitCode=1, ExitedAt=1700000000), "exited", 1),
        (podman(State="running", Status="Up 2 hours (healthy)", StartedAt=1700000000, Pid=7), "running", 0),
        (podman(State="stopped", Status="", ExitCode=3), "stopped", 3),
        (podman(State="created", Status="Created", ExitCode=0, StartedAt=-62135596800), "created", 0),
        (podman(State="configured", Status="", ExitCode=0), "configured", 0),
        (podman(State=3, Status="", ExitCode=0), "unknown", 0),
        (json.dumps({"ID": ONE, "Names": "web", "State": "exited", "Status": "Exited (2) 1 hour ago"}), "exited", 2),
        (json.dumps({"ID": ONE, "Names": "web", "Status": "Exited (2) 1 hour ago"}) + "\r\n", "exited", 2),
        (json.dumps([{"Id": ONE, "Names": ["/a/link", "/web"], "Status": "Up 1 second"}]), "running", 0),
    ],
)
def test_ps_as_json_of_each_engine(body: str, state: str, code: int) -> None:
    (container,) = docker_tables.parse_ps_json(body)
    assert (container.name, container.state, container.exit_code) == ("web", state, code)


def cut(name: str, end: str, width: int = 43) -> str:
    """A row as gluster prints it: the name is cut into pieces of this width, and the last one is padded."""
    pieces = [f"Brick {name}"[start : start + width] for start in range(0, len(name) + 6, width)]
    return "\n".join([*pieces[:-1], pieces[-1].ljust(width + 1) + end]) + "\n"


PATHS = (
    "/b/gv0",
    "/srv/my bricks/gv0",
    "/srv/gluster/bricks/that/lie/deep/in/the/tree/gv0",
    "/srv/my bricks/with blanks  that go beyond one line/gv0",
    "/a" * 70,
)


@pytest.mark.parametrize("width", [43, 55])
@pytest.mark.parametrize("path", PATHS)
def test_brick_names_of_any_length_with_blanks(path: str, width: int) -> None:
    """Else they would not be found again in `volume info`, and a brick that runs would be said to be down."""
    body = f"Status of volume: gv0\nGluster process      TCP Port  RDMA Port  Online  Pid\n{LINE}\n"
    body += cut(f"web1.example.org:{path}", "49152     0          Y       1234 ", width)
    body += cut(f"2001:db8::2:{path}", "N/A       N/A        N       N/A", width)
    body += "Self-heal Daemon on localhost      N/A       N/A        Y       9\n"
    for said in (body, body.replace("\n", "\r\n"), body.rstrip("\n")):
        (rows,) = gluster_text.status_text(said)
        assert [(one.host, one.path, one.online, one.pid) for one in rows.bricks] == [
            ("web1.example.org", path, True, 1234),
            ("2001:db8::2", path, False, 0),
        ]


def test_a_name_that_a_mail_wrapped_elsewhere() -> None:
    body = f"Status of volume: gv0\n{LINE}\nBrick web1:/srv/gluster/\nbricks/gv0      49152   0   N   N/A\n"
    (rows,) = gluster_text.status_text(body)
    assert rows.bricks[0].path == "/srv/gluster/bricks/gv0" and rows.bricks[0].online is False


def test_a_peer_whose_state_is_only_that_it_is_gone() -> None:
    said = "Number of Peers: 2\n\nHostname: server1\nUUID: u1\nState: Not connected\n\n"
    gone, well = gluster_text.peers_text(said + "Hostname: server2\nUUID: u2\nState: Peer in Cluster (Connected)\n")
    assert (gone.uuid, gone.connected, well.uuid, well.connected) == ("u1", False, "u2", True)
    with pytest.raises(Unreadable):  # a line that lost its end says nothing
        gluster_text.peers_text(said.replace("Not connected", "Peer in Cluster"))


@pytest.mark.parametrize(
    "inside", ["<peerStatus/>", "", "<peerStatus></peerStatus>"], ids=["empty", "no list", "empty list"]
)
def test_a_peer_without_others_is_an_answer(inside: str) -> None:
    said = "<opRet>0</opRet><opErrno>2</opErrno><opErrstr>peer status: No peers present</opErrstr>"
    assert gluster.peers_xml(f"<?xml version='1.0'?>\n<cliOutput>{said}{inside}</cliOutput>\n") == ()
    with pytest.raises(Unreadable):
        gluster.peers_xml("<cliOutput><opRet>0</opRet><opErrstr/></cliOutput>")


@pytest.mark.parametrize(
    "mark", ["/a b - Is in split-brain\n\n", "/a b\n\n - Is in split-brain\n", "/a b\nIs in split-brain\n"]
)
def test_the_split_brain_mark_wherever_its_line_ends(mark: str) -> None:
    (brick,) = gluster_text.heals_text(f"Brick web1:/b/gv0/\n{mark}\nNumber of entries: 1\n")
    assert (brick.split_brain, brick.split_entries, brick.entries) == (1, ("/a b",), ("/a b",))


WITHOUT_XML = "XML output not supported. Ignoring '--xml' option\n"


def test_a_gluster_built_without_xml_is_read_as_text() -> None:
    peers = WITHOUT_XML + "Number of Peers: 1\n\nHostname: a\nUuid: u\nState: Peer Rejected (Connected)\n"
    assert gluster_text.peers_text(peers)[0].state == 6
    volumes = "Volume Name: v\nType: Distribute\nVolume ID: i\nStatus: Stopped\nNumber of Bricks: 1\nBrick1: a:/b\n"
    assert gluster_text.volumes_text(WITHOUT_XML + volumes)[0].status == "stopped"
    status = f"Status of volume: v\n{LINE}\nBrick a:/b     N/A   N/A    N    N/A\n"
    assert gluster_text.status_text(WITHOUT_XML + status)[0].bricks[0].online is False


def node(**fields: str) -> str:
    given = {"hostname": "web1", "path": "/b", "peerid": "u", "status": "1", "port": "49152", "pid": "7", **fields}
    return "<node>" + "".join(f"<{tag}>{word}</{tag}>" for tag, word in given.items() if word) + "</node>"


@pytest.mark.parametrize(
    ("fields", "online", "pid", "port"),
    [
        ({}, True, 7, 49152),
        ({"peerid": ""}, True, 7, 49152),
        ({"pid": "-1"}, False, 0, 49152),
        ({"status": "0", "pid": "7"}, False, 7, 49152),
        ({"status": "0", "port": "N/A", "pid": "-1"}, False, 0, 0),
        ({"port": "0"}, True, 7, 0),
        ({"port": "", "ports": "<tcp>49153</tcp><rdma>N/A</rdma>"}, True, 7, 49153),
        ({"status": ""}, None, 7, 49152),
        ({"status": "x"}, None, 7, 49152),
    ],
)
def test_rows_of_status_in_each_version(fields: dict[str, str], online: bool | None, pid: int, port: int) -> None:
    listed = f"<volume><volName>v</volName><nodeCount>9</nodeCount>{node(**fields)}</volume>"
    body = f"<cliOutput><opRet>0</opRet><volStatus><volumes>{listed}</volumes></volStatus></cliOutput>"
    ((row,),) = (rows.bricks for rows in gluster.status_xml(body))
    assert (row.online, row.pid, row.port) == (online, pid, port)


KILL = "Out of memory: Killed process 31 (java) total-vm:79kB, anon-rss:35kB, file-rss:1kB"
CLOCK = kernel.LogClock(now=NOW, uptime=1000.0, utc_offset=3600)


@pytest.mark.parametrize(
    ("before", "ago"),
    [
        ("[  940.000000] ", 60),
        ("<3>[  940.000000] ", 60),
        ("[  940.000000][ T1234] ", 60),
        ("[  940.000000][    C0] ", 60),
        ("[  940.000000] [T1234] ", 60),
        ("Nov 28 04:09:00 web1 kernel: ", 60),
        ("Nov 28 04:09:00 web1 kernel: [  940.000000] ", 60),
        ("Nov  8 04:10:00 web1 kernel: imklog 5.8: ", 20 * 86400),
        ("2026-11-28T04:09:00.123456+01:00 web1 kernel: ", 60),
        ("2026-11-28T03:09:00+0000 web1 kernel: ", 60),
        ("[Sat Nov 28 04:09:00 2026] ", 60),
        ("web1 kernel: ", None),
        ("", None),
    ],
)
def test_times_of_kernel_lines(before: str, ago: int | None) -> None:
    (kill,) = kernel.parse_ooms(f"{before}{KILL}\r\n", CLOCK)
    assert (kill.pid, kill.name, kill.scope) == (31, "java", "global")
    assert kill.at == (None if ago is None else NOW - timedelta(seconds=ago))


@pytest.mark.parametrize(
    "name",
    [
        "foo",
        "python3.4",
        "Plex Media Server",
        "x86_64-pc-linux-gnu-c++-5.4.0",
        "[",
        "()",
        '"quoted"',
        "a,pid=1",
        "(sd-pam)",
    ],
)
@pytest.mark.parametrize("uid", ["", ", UID 500,"])
def test_names_of_processes_that_were_killed(name: str, uid: str) -> None:
    line = f"Jan 21 22:01:49 h kernel: [62279.4] Killed process 1234{uid} ({name}) total-vm:9kB, anon-rss:8kB"
    (kill,) = kernel.parse_ooms(line, CLOCK)
    assert (kill.pid, kill.name, kill.rss) == (1234, name, 8 * 1024)


def test_the_oldest_form_of_a_kill() -> None:
    (kill,) = kernel.parse_ooms("h kernel: Out of memory: Killed process 25, UID 99, (httpd).\n", CLOCK)
    assert (kill.pid, kill.name) == (25, "httpd")


@pytest.mark.parametrize(
    "line",
    [
        "EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro. Quota mode: none.",
        "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: errors=remount-ro",
        "EXT3-fs (dm-0): mounted filesystem with ordered data mode",
        "blk_update_request: I/O error, dev fd0, sector 0",
        "Buffer I/O error on device sr0, logical block 0",
        "XFS (dm-2): Unmounting Filesystem",
        "XFS (sdb1): Mounting V5 Filesystem",
    ],
)
def test_lines_that_every_boot_has_are_no_trouble(line: str) -> None:
    assert kernel_events.parse_events(f"[    5.0] {line}\n", CLOCK) == ()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("EXT4-fs (sda1): warning: mounting fs with errors, running e2fsck is recommended", "file-system"),
        ("EXT4-fs (sda1): error count since last fsck: 3", "file-system"),
        ("EXT4-fs (sda1): previous I/O error to superblock detected", "io-error"),
        ("JBD2: I/O error when updating journal superblock for dm-0-8.", "io-error"),
        ("nvme0n1: I/O Cmd(0x2) @ LBA 8, 8 blocks, I/O Error (sct 0x2 / sc 0x81)", "io-error"),
    ],
)
def test_lines_of_real_trouble(line: str, kind: str) -> None:
    (event,) = kernel_events.parse_events(f"[    5.0][ T12] {line}\n", CLOCK)
    assert event.kind == kind


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("Docker version 1.6.2, build 7c8fca2/1.6.2\n", "1.6.2"),
        ("Docker version 1.13.1, build 7f2769b/1.13.1\r\n", "1.13.1"),
        ("Docker version 20.10.5+dfsg1, build 55c4c88\n", "20.10.5+dfsg1"),
        ("Docker version 29.0.0-rc.1, build abc\n", "29.0.0-rc.1"),
        ("Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.\npodman version 4.9.4-rhel\n",
         "podman 4.9.4-rhel"),
        ("sh: docker: not found", ""),
    ],
)  # fmt: skip
def test_versions_of_docker_and_podman(said: str, version: str) -> None:
    assert machine.docker_version(said) == version


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("glusterfs 3.4.7 built on Jul 24 2015 15:37:40\nRepository revision: git://git.gluster.com/\n", "3.4.7"),
        ("glusterfs 3.12.2\nCopyright\n", "3.12.2"),
        ("WARNING: x\nglusterfs 11.1\n", "11.1"),
        ("gluster: not found", ""),
    ],
)
def test_versions_of_gluster(said: str, version: str) -> None:
    assert machine.gluster_version(said) == version
