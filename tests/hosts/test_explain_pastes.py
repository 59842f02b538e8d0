"""What people paste: terminals with several commands, mails, names without a heading, files nobody's probe asks for."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import LIMIT, explain
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
PEERS = "Number of Peers: 1\n\nHostname: web2\nUuid: u2\nState: Peer in Cluster ({})\n"
SPLIT = "<cliOutput><healInfo><bricks><brick><name>a:/b</name><file gfid='g'>/f</file><status>Connected</status>"
SPLIT += "<numberOfEntries>1</numberOfEntries></brick></bricks></healInfo><opRet>0</opRet></cliOutput>\n"


def said(output: str) -> set[tuple[Level, str]]:
    return {(one.level, one.sentence) for one in explain(output, NOW).said}


def test_a_terminal_with_several_commands() -> None:
    found = explain(
        "Last login: Mon Nov 23 22:00:01 2026\r\n[root@web1 ~]# gluster peer status\r\n"
        + PEERS.format("Disconnected").replace("\n", "\r\n")
        + "[root@web1 ~]# ls /files\na\nb\n[root@web1 ~]# sudo gluster --xml volume heal gv0 info split-brain\n"
        + SPLIT
        + "[root@web1 ~]# docker ps\nCannot connect to the Docker daemon. Is 'docker -d' running on this host?\n"
        + "[root@web1 ~]# exit\n",
        NOW,
    )
    assert found.what == "gluster peer status, gluster heal info"
    assert [(one.level, one.sentence) for one in found.said if one.level is not Level.OK] == [
        (Level.CRIT, "peer web2 disconnected, says this output; 1 of 2 peers connected"),
        (Level.CRIT, "split-brain, 1 on one brick: /f"),
        (Level.CRIT, "docker ps: the Docker daemon does not run"),
    ]


@pytest.mark.parametrize(
    "prompt",
    [
        "[root@web1 ~]# ",
        "root@web1:~# ",
        "ana@web1:/home/ana$ ",
        "# ",
        "$ sudo ",
        "web1 # ",
        "\x1b[1mroot@w:~\x1b[0m# ",
    ],
)
def test_prompts_before_and_after(prompt: str) -> None:
    bare = prompt.replace("sudo ", "").rstrip()
    after = f"{bare}\n" if "@" in bare else ""
    assert said(f"{prompt}gluster peer status\n{PEERS.format('Connected')}{after}") == {
        (Level.OK, "1 of the 1 peers listed connected")
    }


def test_a_mail_that_quotes_it_and_blanks_of_a_web_page() -> None:
    rejected = PEERS.format("Connected").replace("Peer in Cluster", "Peer Rejected")
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in rejected.split("\n"))
    assert (Level.CRIT, "peer web2: Peer Rejected") in said(quoted)
    assert said(quoted) == said(rejected.replace(" ", "\xa0"))


def test_the_asked_peer_in_a_pool_is_not_another() -> None:
    uuid = "-4e4a-4b8f-8b61-bd2c0bfe7a3e"
    pool = (
        f"UUID\t\t\t\t\tHostname\tState\n610f466c{uuid}\tweb2\tDisconnected \n710f466c{uuid}\tlocalhost\tConnected \n"
    )
    assert (
        Level.CRIT,
        "peer web2 disconnected, says this output; 1 of 2 peers connected",
    ) in (said(pool))


def test_names_are_known_by_their_command_only() -> None:
    listed = "gluster> volume list\ngv0\ngv1\n"
    assert said(listed) == {(Level.OK, "2 listed: gv0, gv1")}
    assert said("# gluster snapshot list\nNo snapshots present\n") == {(Level.OK, "0 listed: none")}
    with pytest.raises(Unreadable, match="not recognised"):
        explain("gv0\ngv1\n", NOW)
    with pytest.raises(Unreadable, match="busy"):
        explain("# gluster volume list\nAnother transaction is in progress. Please try again after sometime.\n", NOW)


SNAPSHOT = """\
Snapshot                  : snap1
Snap UUID                 : e5a1
Created                   : 2026-08-12 14:40:03
Snap Volumes:

\tSnap Volume Name          : b12c
\tOrigin Volume name        : gv0
\tSnaps taken for gv0      : 1
\tSnaps available for gv0  : 255
\tStatus                    : Stopped
"""


def test_snapshots_as_text_and_xml() -> None:
    assert said(SNAPSHOT) == {(Level.OK, "snap1 of gv0: Stopped")}
    with pytest.raises(Unreadable):
        explain(SNAPSHOT.partition("\tStatus")[0], NOW)
    inner = "<snapshot><name>snap1</name><createTime>2026-08-12 14:40:03</createTime><snapVolume><name>b</name>"
    inner += "<status>Stopped</status><originVolume><name>gv0</name></originVolume></snapVolume></snapshot>"
    body = f"<cliOutput><opRet>0</opRet><snapInfo><count>1</count><snapshots>{inner}</snapshots></snapInfo></cliOutput>"
    assert said(body) == said(SNAPSHOT)
    body = "<cliOutput><opRet>0</opRet><snapList><count>1</count><snapshot>snap1</snapshot></snapList></cliOutput>"
    assert said(body) == {(Level.OK, "snap1: state not said")}


STATE = """\
[Global]
MYUUID: 49c2
op-version: 31100

[Global options]

[Peers]
Peer1.primary_hostname: web2
Peer1.uuid: u2
Peer1.state: Peer in Cluster
Peer1.connected: Connected
Peer1.othernames:

[Volumes]
Volume1.name: gv0
Volume1.type: Replicate
Volume1.status: Started
Volume1.brickcount: 2
Volume1.Brick1.path: web1:/b/gv0
Volume1.Brick1.hostname: web1
Volume1.Brick1.port: 49152
Volume1.Brick1.status: Started
Volume1.Brick2.path: web2:/b/gv0
Volume1.Brick2.hostname: web2
Volume1.quorum_status: meets

[Services]
svc1.name: glustershd
svc1.online_status: Online

[Misc]
Base port: 49152
"""


def test_the_file_of_get_state() -> None:
    assert explain(STATE, NOW).level is Level.OK
    for change, found in (
        (("quorum_status: meets", "quorum_status: does_not_meet"), (Level.CRIT, "gv0: server quorum does not meet")),
        (("online_status: Online", "online_status: Offline"), (Level.WARN, "the self-heal daemon does not run")),
        (("Volume1.status: Started", "Volume1.status: Stopped"), (Level.CRIT, "gv0: stopped")),
        (("Peer in Cluster", "Peer Rejected"), (Level.CRIT, "peer web2: Peer Rejected")),
    ):
        assert found in said(STATE.replace(*change))
    stopped = said(STATE.replace("Brick1.status: Started", "Brick1.status: Stopped"))
    assert {level for level, sentence in stopped if "web1:/b/gv0 is stopped" in sentence} == {Level.UNKNOWN}


@pytest.mark.parametrize("end", range(0, len(STATE) - 30, 11))
def test_half_of_get_state_is_none(end: int) -> None:
    with pytest.raises(Unreadable):
        explain(STATE[:end], NOW)


def test_the_kernel_said_less_than_which_process() -> None:
    line = "Nov 23 03:00:01 web1 kernel: java invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0\n"
    assert said(line) == {(Level.UNKNOWN, "memory ran out; which process was killed does not stand here")}
    disk = "[   10.1] end_request: I/O error, dev sdb, sector 1\n[   10.2] end_request: I/O error, dev sdb, sector 2\n"
    assert said(disk) == {(Level.CRIT, "io-error on sdb, 2 lines")}


@pytest.mark.parametrize(
    "slow",
    ["\n" * 300_000, "1" * 300_000, "\x00" * 300_000, "Brick a:/b\n" * 60_000, "<cliOutput>" * 60_000, " " * 9_000],
)
def test_nothing_is_slow_to_refuse(slow: str) -> None:
    began = datetime.now(UTC)
    with pytest.raises(Unreadable):
        explain(slow, NOW)
    assert (datetime.now(UTC) - began).total_seconds() < 5
    with pytest.raises(Unreadable, match="longer"):
        explain("x" * (LIMIT + 1), NOW)


def test_a_file_of_a_windows_editor(tmp_path: Path) -> None:
    file = tmp_path / "peers.txt"
    file.write_bytes(PEERS.format("Connected").replace("\n", "\r\n").encode("utf-16"))
    run = [sys.executable, "-m", "incident_tui", "explain", str(file), "--json"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert (done.returncode, '"what": "gluster peer status"' in done.stdout) == (0, True)


def test_several_commands_that_all_failed_are_each_said() -> None:
    found = explain(
        "[root@a ~]# gluster volume status gv0\nAnother transaction is in progress for gv0. Please try again after some"
        " time.\n[root@a ~]# gluster peer status\nConnection failed. Please check if gluster daemon is operational.\n",
        NOW,
    )
    assert found.what == "commands that failed"
    assert [(one.level, one.sentence) for one in found.said] == [
        (Level.CRIT, "gluster peer status: glusterd does not run"),
        (Level.UNKNOWN, "gluster volume status gv0: GlusterFS is busy with another transaction"),
    ]


def test_the_words_of_an_error_that_nobody_knows() -> None:
    error = (
        "<cliOutput><opRet>-1</opRet><opErrno>30800</opErrno><opErrstr>LVM commands not found</opErrstr></cliOutput>"
    )
    with pytest.raises(Unreadable, match="LVM commands not found"):
        explain(error, NOW)
    assert said("quota command failed : Quota is disabled, please enable quota\n") == {
        (Level.OK, "0 limits, none exceeded")
    }
    none = "No active geo-replication sessions for gv0\ngeo-replication command failed\n"
    assert said(none) == {(Level.OK, "no geo-replication session")}
    with pytest.raises(Unreadable):
        explain("geo-replication command failed\n", NOW)
