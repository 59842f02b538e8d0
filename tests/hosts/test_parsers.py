"""Each parser on its own: the forms that versions print, and what must never read as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import docker, gluster, gluster_text, kernel, local, machine
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.readings import Container, GapKind, Volume
from incident_tui.hosts.sections import Framer, RoundEnded, Section

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
ID = "ab" * 32


def section(body: str, rc: int = 0, seconds: float = 0.1, limit: float = 12.0) -> Section:
    return Section(name="x", body=body, rc=rc, seconds=seconds, limit=limit)


@pytest.mark.parametrize(
    ("body", "rc", "kind"),
    [
        ("Cannot connect to the Docker daemon. Is 'docker -d' running on this host?", 1, GapKind.DOWN),
        ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", 1, GapKind.DOWN),
        (
            "FATA[0000] Get http:///var/run/docker.sock/v1.18/containers/json: dial unix /var/run/docker.sock: "
            "no such file or directory. Are you trying to connect to a TLS-enabled daemon without TLS?",
            1,
            GapKind.DOWN,
        ),
        ("permission denied while trying to connect to the Docker daemon socket", 1, GapKind.DENIED),
        ("dial unix /var/run/docker.sock: permission denied. Are you trying", 1, GapKind.DENIED),
        ("Error response from daemon: client and server don't have same version", 1, GapKind.FAILED),
        ("flag provided but not defined: --format", 2, GapKind.ABSENT),
        ("anything else", 1, GapKind.FAILED),
        ("", 125, GapKind.FAILED),
    ],
)
def test_docker_errors(body: str, rc: int, kind: GapKind) -> None:
    with pytest.raises(Unreadable) as caught:
        docker.parse_ids(section(body, rc))
    assert caught.value.kind is kind
    assert caught.value.sentence


def test_docker_killed_at_its_limit_is_hung() -> None:
    with pytest.raises(Unreadable) as caught:
        docker.parse_ids(section("", 137, 12.0))
    assert caught.value.kind is GapKind.HUNG


def state(**fields: object) -> Container:
    body = json.dumps([{"Id": ID, "Name": "/x", "State": fields}])
    (container,) = docker.parse_inspect(body)
    return container


ZERO = "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Running": True, "Paused": False, "Restarting": False}, "running"),
        ({"Running": True, "Paused": True}, "paused"),
        ({"Running": True, "Restarting": True}, "restarting"),
        ({"Running": False, "Dead": True, "ExitCode": 0}, "dead"),
        ({"Running": False, "StartedAt": ZERO, "ExitCode": 0}, "created"),
        ({"Running": False, "StartedAt": "2026-11-23T00:00:00.123456789Z", "ExitCode": -1}, "exited"),
        ({"Running": False, "StartedAt": "2026-11-23T00:00:00Z"}, "unknown"),
        ({"Status": "removing", "Running": False}, "removing"),
        ({"Status": "something new"}, "unknown"),
        ({}, "unknown"),
        ({"Running": "yes"}, "unknown"),
    ],
)
def test_container_state_with_and_without_status(fields: dict[str, object], expected: str) -> None:
    assert state(**fields).state == expected


def test_inspect_with_stderr_around_it_and_an_image_of_the_same_name() -> None:
    good = json.dumps([{"Id": ID, "Name": "/a", "State": {"Running": True}}, {"Id": ID, "RepoTags": ["a"]}], indent=4)
    body = f"WARNING: Error loading config file\n{good}\nError: No such image or container: {ID}\n"
    assert [container.name for container in docker.parse_inspect(body)] == ["a"]


@pytest.mark.parametrize("body", ["", "nothing", "[{", '[{"Id": "x", "State": {"Running": tr', "[1, 2]", "[" * 5000])
def test_damaged_inspect_raises(body: str) -> None:
    with pytest.raises(Unreadable):
        docker.parse_inspect(body)


def test_events_of_old_and_new() -> None:
    old = docker.parse_event(f"2015-05-11T10:00:00.000000000+02:00 {ID}: (from drupal:7) die")
    assert old is not None and (old.action, old.id, old.at) == ("die", ID, datetime(2015, 5, 11, 8, tzinfo=UTC))
    new = docker.parse_event(
        f"2026-11-23T03:00:00.5Z container die {ID} (execDuration=3, exitCode=137, image=a, name=solr)"
    )
    assert new is not None and (new.action, new.exit_code, new.name) == ("die", 137, "solr")
    exec_create = docker.parse_event(f"2026-11-23T03:00:00Z container exec_create: sh -c id {ID} (image=a)")
    assert exec_create is not None and exec_create.action == "exec_create"
    assert docker.parse_event("2026-11-23T03:00:00Z network connect abc (name=bridge)") is None
    assert docker.parse_event("Cannot connect to the Docker daemon") is None


CLOCK = kernel.LogClock(now=NOW, uptime=1000.0)
OOMS = [
    (
        "Nov 23 03:00:01 web2 kernel: Out of memory: Kill process 31 (java (main) x) score 9 or sacrifice child\n"
        "Nov 23 03:00:01 web2 kernel: Killed process 31, UID 500, (java (main) x) "
        "total-vm:79kB, anon-rss:35kB, file-rss:1kB\n",
        ("java (main) x", 31, "global", ""),
    ),
    (
        "Nov 23 03:00:01 web2 kernel: Out of memory (oom_kill_allocating_task): Kill process 31 (top) score 0 or "
        "sacrifice child\n",
        ("top", 31, "global", ""),
    ),
    (
        f"Nov 23 03:00:01 web2 kernel: Task in /docker/{ID} killed as a result of limit of /docker/{ID}\n"
        "Nov 23 03:00:01 web2 kernel: Memory cgroup out of memory: Kill process 31 (php) score 9 or sacrifice child\n"
        "Nov 23 03:00:01 web2 kernel: Killed process 31 (php) total-vm:79kB, anon-rss:35kB, file-rss:1kB\n",
        ("php", 31, "cgroup", ID),
    ),
    (
        "[  900.000001] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,"
        f"oom_memcg=/system.slice/docker-{ID}.scope,task_memcg=/system.slice/docker-{ID}.scope,task=php,pid=31,uid=0\n"
        "[  900.000002] Memory cgroup out of memory: Killed process 31 (php) total-vm:79kB, anon-rss:35kB, "
        "file-rss:1kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0\n",
        ("php", 31, "cgroup", ID),
    ),
    (
        "[  900.000001] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        "task_memcg=/user.slice,task=glusterfsd,pid=31,uid=0\n"
        "[  900.000002] Out of memory: Killed process 31 (glusterfsd) total-vm:79kB, anon-rss:35kB, file-rss:1kB\n",
        ("glusterfsd", 31, "global", ""),
    ),
]


@pytest.mark.parametrize(("lines", "expected"), OOMS)
def test_oom_forms(lines: str, expected: tuple[str, int, str, str]) -> None:
    (kill,) = kernel.parse_ooms(lines, CLOCK)
    assert (kill.name, kill.pid, kill.scope, kill.container_id) == expected
    assert kill.at is not None and timedelta(0) < NOW - kill.at < timedelta(minutes=10)


def test_a_task_killed_without_its_kill_line_is_still_a_kill() -> None:
    (kill,) = kernel.parse_ooms(OOMS[2][0].splitlines()[0], CLOCK)
    assert kill.container_id == ID and kill.scope == "cgroup"


def test_syslog_time_is_local_without_a_year() -> None:
    clock = kernel.LogClock(now=datetime(2026, 1, 1, 4, 30, tzinfo=UTC), utc_offset=-5 * 3600)
    assert kernel.when("Dec 31 23:29:00 web2 kernel: x", clock) == datetime(2026, 1, 1, 4, 29, tzinfo=UTC)
    assert kernel.when("Dec 30 23:29:00 web2 kernel: x", clock) == datetime(2025, 12, 31, 4, 29, tzinfo=UTC)
    assert kernel.when("Feb 30 23:29:00 web2 kernel: x", clock) is None


def test_a_global_kill_is_joined_by_pid_or_by_time() -> None:
    kills = kernel.parse_ooms(OOMS[0][0], CLOCK)
    at = kills[0].at
    ended = Container(id=ID, name="solr", state="exited", exit_code=137, finished_at=at)
    assert kernel.join(kills, [], {31: ID})[0].joined_by == "pid"
    assert kernel.join(kills, [ended], {})[0].joined_by == "time"
    twin = Container(id="cd" * 32, name="other", state="exited", exit_code=137, finished_at=at)
    assert kernel.join(kills, [ended, twin], {})[0].container_id == ""


def test_the_same_kill_in_two_logs_is_one() -> None:
    dated = kernel.parse_ooms(OOMS[0][0], CLOCK)
    bare = kernel.parse_ooms("Killed process 31, UID 500, (java (main) x) total-vm:79kB, anon-rss:35kB\n", CLOCK)
    assert bare[0].at is None
    assert kernel.merge(dated, bare) == dated


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Connection failed. Please check if gluster daemon is operational.", GapKind.DOWN),
        ("Another transaction is in progress. Please try again after sometime.", GapKind.BUSY),
        ("Another transaction is in progress for gv0. Please try again after some time.", GapKind.BUSY),
        ("Locking failed on web2. Please check log file for details.", GapKind.BUSY),
        ("Error : Request timed out", GapKind.HUNG),
        ("unrecognized word: summary (position 4)", GapKind.ABSENT),
        ("Volume gv1 is not of type replicate/disperse", GapKind.ABSENT),
        ("Quorum not met. Volume operation not allowed.", GapKind.FAILED),
        ("Staging failed on web3. Error: Volume gv0 is not started", GapKind.FAILED),
        ("", GapKind.FAILED),
    ],
)
@pytest.mark.parametrize("form", ["text", "xml"])
def test_gluster_messages(said: str, kind: GapKind, form: str) -> None:
    xml = f"<cliOutput><opRet>-1</opRet><opErrno>0</opErrno><opErrstr>{said}</opErrstr></cliOutput>"
    with pytest.raises(Unreadable) as caught:
        if form == "xml":
            gluster.status_xml(xml)
        else:
            gluster_text.status_text(said)
    assert caught.value.kind is kind


def test_xml_with_a_document_type_is_refused(fixture: Callable[[str], str]) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + fixture("peers-3.7.xml").partition("?>")[2]
    with pytest.raises(Unreadable, match="document type"):
        gluster.peers_xml(bomb)


def test_two_documents_in_one_output(fixture: Callable[[str], str]) -> None:
    failed = "<?xml version='1.0'?><cliOutput><opRet>-1</opRet><opErrstr>Volume x is not started</opErrstr></cliOutput>"
    assert [rows.volume for rows in gluster.status_xml(failed + "\n" + fixture("status-3.7.xml"))] == ["gv0"]


def test_text_before_the_xml(fixture: Callable[[str], str]) -> None:
    assert len(gluster.peers_xml("Welcome to gluster prompt\n" + fixture("peers-3.7.xml"))) == 2


def test_brick_names_of_3_4_and_ipv6() -> None:
    assert gluster.split_brick("fe80::1:/b/gv0") == ("fe80::1", "/b/gv0")
    volume = (
        "<cliOutput><opRet>0</opRet><volInfo><volumes><volume><name>gv0</name><status>1</status>"
        "<brickCount>2</brickCount><replicaCount>2</replicaCount><bricks><brick>web1:/b/a</brick>"
        "<brick>fe80::2:/b/a</brick></bricks></volume></volumes></volInfo></cliOutput>"
    )
    (read,) = gluster.volumes_xml(volume)
    assert [brick.name for brick in read.bricks] == ["web1:/b/a", "fe80::2:/b/a"]
    with pytest.raises(Unreadable):  # a brick is missing: the rest must not look whole
        gluster.volumes_xml(volume.replace("<brick>web1:/b/a</brick>", ""))


def heal_xml(count: str, status: str, total: bool = False) -> str:
    tag = "totalNumberOfEntries" if total else "numberOfEntries"
    more = "<numberOfEntriesInSplitBrain>0</numberOfEntriesInSplitBrain>" if total else ""
    return (
        "<cliOutput><healInfo><bricks><brick hostUuid='u'><name>web1:/b</name>"
        f"<status>{status}</status><{tag}>{count}</{tag}>{more}</brick></bricks></healInfo><opRet>0</opRet></cliOutput>"
    )


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize(
    ("count", "status", "pending"),
    [
        ("0", "Connected", 0),
        ("12", "Connected", 12),
        ("-", "Transport endpoint is not connected", None),
        ("0", "Transport endpoint is not connected", None),
        ("0", "Failed to process entries completely. (Number of entries so far: 0)", None),
        ("x", "Connected", None),
        ("", "", None),
    ],
)
def test_heal_counts(total: bool, count: str, status: str, pending: int | None) -> None:
    (brick,) = gluster.heals_xml(heal_xml(count, status, total))
    assert brick.pending == pending
    if status != "Connected":
        assert brick.split_brain is None


def test_heal_info_as_text(fixture: Callable[[str], str]) -> None:
    one, two, three = gluster_text.heals_text(fixture("heal-3.7.txt"))
    assert (one.pending, one.split_brain, two.pending) == (3, 1, 1)
    assert one.entries == (
        "/files/a.pdf",
        "<gfid:6f0ddc7c-6a5a-4d5c-8f8e-0a0a0a0a0a0a>",
        "/files/with space.pdf",
    )
    assert (three.connected, three.pending, three.split_brain) == (False, None, None)
    one, _, three = gluster_text.heals_text(fixture("split-3.7.txt"), split_brain_only=True)
    assert (one.pending, one.split_brain, three.split_brain) == (None, 1, None)


def test_peer_status_as_text() -> None:
    said = (
        "Number of Peers: 2\n\nHostname: web2\nPort: 24007\nUuid: u2\nState: Peer in Cluster (Connected)\n\n"
        "Hostname: web3\nUuid: u3\nState: Peer Rejected (Disconnected)\nOther names:\n10.0.0.3\n"
    )
    two, three = gluster_text.peers_text(said)
    assert (two.connected, two.state, three.connected, three.state) == (True, 3, False, 6)
    assert three.names == ("web3", "10.0.0.3")
    assert gluster_text.peers_text("peer status: No peers present\n") == ()
    with pytest.raises(Unreadable):
        gluster_text.peers_text(said[: said.index("Hostname: web3")])


def test_volume_status_as_text_with_wrapped_rows() -> None:
    said = (
        "Status of volume: gv0\nGluster process                             TCP Port  RDMA Port  Online  Pid\n"
        "------------------------------------------------------------------------------\n"
        "Brick web1.a.very.long.name.example:/b/a/lo\nng/path/gv0                 49152     0          Y       900\n"
        "Brick web2:/b/gv0                           N/A       N/A        N       N/A\n"
        "Self-heal Daemon on localhost               N/A       N/A        Y       950\n\n"
        "Task Status of Volume gv0\n----\nThere are no active volume tasks\n"
    )
    (rows,) = gluster_text.status_text(said)
    assert [(brick.name, brick.online) for brick in rows.bricks] == [
        ("web1.a.very.long.name.example:/b/a/long/path/gv0", True),
        ("web2:/b/gv0", False),
    ]
    assert [service.online for service in rows.services] == [True]


@pytest.mark.parametrize(
    ("count", "kind", "expected"),
    [
        ("1 x 3 = 3", "Replicate", (3, 0, 0)),
        ("1 x (2 + 1) = 3", "Replicate", (3, 0, 0)),
        ("1 x (2 + 1) = 3", "Disperse", (1, 3, 1)),
        ("3", "Distribute", (1, 0, 0)),
    ],
)
def test_volume_info_as_text(count: str, kind: str, expected: tuple[int, int, int]) -> None:
    said = (
        f"\nVolume Name: gv0\nType: {kind}\nVolume ID: 1-2\nStatus: Started\nSnapshot Count: 2\n"
        f"Number of Bricks: {count}\n"
        "Transport-type: tcp\nBricks:\nBrick1: web1:/b\nBrick2: web2:/b\nBrick3: web3:/b (arbiter)\n"
        "Options Reconfigured:\ncluster.quorum-type: auto\n"
    )
    (volume,) = gluster_text.volumes_text(said)
    assert (volume.replica, volume.disperse, volume.redundancy) == expected
    assert volume.status == "started" and volume.bricks[2].path == "/b" and volume.bricks[2].arbiter
    assert volume.options == {"cluster.quorum-type": "auto"} and volume.snapshots == 2


def test_snapshots_of_a_volume_are_counted_where_the_version_says(fixture: Callable[[str], str]) -> None:
    said = fixture("volumes-3.7.xml").replace("<brickCount>", "<snapshotCount>3</snapshotCount><brickCount>")
    assert gluster.volumes_xml(said)[0].snapshots == 3
    assert gluster.volumes_xml(fixture("volumes-3.7.xml"))[0].snapshots == 0


def test_a_pid_used_again_is_no_brick(fixture: Callable[[str], str]) -> None:
    volumes: tuple[Volume, ...] = gluster.volumes_xml(fixture("volumes-3.7.xml"))
    said = (
        "/var/lib/glusterd/glusterd.info:UUID=00000000-0000-4000-8000-000000000001\n"
        "/var/lib/glusterd/vols/gv0/run/web1-b-gv0.pid:900\n900 (glusterfsd) S 1 9\n"
    )
    other = "==> /proc/900/cmdline <==\n/usr/sbin/glusterfsd\n--brick-name\n/b/other\n"
    (brick,) = local.bricks(local.parse_files(said), other, "", volumes, may_look=True)
    assert brick.alive is False and brick.pending is None
    (brick,) = local.bricks(local.parse_files(said), other.replace("other", "gv0"), "7 /b/gv0", volumes, may_look=True)
    assert brick.alive is True and brick.pending == 7


@pytest.mark.parametrize(
    "body", ["", "/proc/meminfo:MemTotal: 100 kB", "/proc/meminfo:MemTotal: 1 kB\n/proc/meminfo:MemAvailable: 9 kB"]
)
def test_memory_that_does_not_add_up_is_no_memory(body: str) -> None:
    with pytest.raises(Unreadable):
        machine.memory(machine.parse_proc(body).meminfo, NOW)


def test_a_mount_that_df_left_out_is_not_well() -> None:
    mounts = "/dev/a / ext4 rw\n/dev/b /b xfs rw\n"
    df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 50 50 50% /\n"
    with pytest.raises(Unreadable):
        machine.parse_disks(mounts, df, "")


def test_a_section_without_its_end_is_not_handed_out() -> None:
    framer = Framer("m" * 16)
    mark = b"m" * 16
    messages = framer.feed(mark + b" READY 1 fast\n" + mark + b" ROUND 1\n" + mark + b" SECTION a\nhalf\n")
    messages += framer.feed(mark + b" SECTION b\nwhole\n\n" + mark + b" END b 0 5 12\n" + mark + b" DONE 1\n")
    (ended,) = [message for message in messages if isinstance(message, RoundEnded)]
    assert [(s.name, s.body, s.rc, s.seconds, s.limit) for s in ended.sections] == [("b", "whole\n", 0, 0.05, 12.0)]
