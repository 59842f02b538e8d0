"""A brick's process killed by the kernel: named by the pid it had, before and after it was started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import health
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import Link, LinkState, OomKill
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
PEERS = "<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/><peerStatus/></cliOutput>"
BRICKS = "".join(f'<brick uuid="u{n}">web{n}:/b/{{v}}<name>web{n}:/b/{{v}}</name></brick>' for n in (1, 2, 3))
VOLUME = (
    "<volume><name>{v}</name><id>{v}</id><status>1</status><statusStr>Started</statusStr><brickCount>3</brickCount>"
    f"<replicaCount>3</replicaCount><typeStr>Replicate</typeStr><bricks>{BRICKS}</bricks><options>{{options}}</options>"
    "</volume>"
)
MULTIPLEX = "<option><name>cluster.brick-multiplex</name><value>enable</value></option>"
FORMS = {
    "2.6.32": "[ {t}] glusterfsd invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0\n"
    "[ {t}] Out of memory: Kill process {pid} (glusterfsd) score 61 or sacrifice child\n"
    "[ {t}] Killed process {pid}, UID 0, (glusterfsd) total-vm:900kB, anon-rss:800kB, file-rss:0kB\n",
    "4.18": "[ {t}] Out of memory: Kill process {pid} (glfs_epoll000) score 61 or sacrifice child\n"
    "[ {t}] Killed process {pid} (glfs_epoll000) total-vm:900kB, anon-rss:800kB, file-rss:0kB, shmem-rss:0kB\n",
    "6.1": "[ {t}] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice/glusterd.service,task=glusterfsd,pid={pid},uid=0\n"
    "[ {t}] Out of memory: Killed process {pid} (glusterfsd) total-vm:900kB, anon-rss:800kB, UID:0 pgtables:9kB\n",
}


class Peer:
    """web2's rounds. `running` is the pid of the process that serves its bricks, 0 when there is none."""

    def __init__(self, *volumes: str) -> None:
        self.at, self.volumes, self.file = NOW, volumes or ("gv0",), 0
        self.multiplex = len(volumes) > 1
        self.assembler = Assembler("web2", (), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))

    def gluster(self, running: int) -> None:
        self.file = running or self.file  # a killed process leaves its pid file
        files, lines = "/var/lib/glusterd/glusterd.info:UUID=u2\n/var/run/glusterd.pid:5\n5 (glusterd) S 1 5\n", ""
        for volume in self.volumes:
            place = f"/var/lib/glusterd/vols/{volume}/bricks/web2:-b-{volume}"
            files += f"{place}:hostname=web2\n{place}:path=/b/{volume}\n"
            files += f"/var/run/gluster/vols/{volume}/web2-b-{volume}.pid:{self.file}\n"
        if running:
            files += f"{running} (glusterfsd) S 1 {running}\n"
            lines = f"==> /proc/{running}/cmdline <==\n/usr/sbin/glusterfsd\n--brick-name\n/b/{self.volumes[0]}\n"
        options = MULTIPLEX if self.multiplex else ""
        told = "".join(VOLUME.replace("{v}", v).replace("{options}", options) for v in self.volumes)
        xml = f"<cliOutput><opRet>0</opRet><opErrno>0</opErrno><opErrstr/><volInfo><volumes>{told}</volumes></volInfo>"
        self.take(
            Section(name="gluster-files", body=files, rc=0),
            Section(name="gluster-bricks", body=lines, rc=0),
            Section(name="gluster-peers", body=PEERS, rc=0),
            Section(name="gluster-volumes", body=f"{xml}</cliOutput>", rc=0),
        )

    def log(self, pid: int, form: str = "6.1", name: str = "glusterfsd") -> None:
        """The kernel's log, whose only kill is 10 s old at NOW."""
        uptime = 1000.0 + (self.at - NOW).total_seconds()
        lines = FORMS[form].replace("{pid}", str(pid)).replace("{t}", "990.000000").replace("glusterfsd", name)
        proc = f"/proc/loadavg:0.1 0.1 0.1 1/99 1\n/proc/uptime:{uptime} 1.0\n"
        self.take(Section(name="proc", body=proc, rc=0), Section(name="oom-dmesg", body=lines, rc=0))

    def take(self, *sections: Section) -> None:
        self.assembler.take(sections, self.at, self.at)

    def kill(self) -> OomKill:
        ooms = self.assembler.reading.ooms
        assert ooms is not None
        (kill,) = ooms.kills
        return kill

    def said(self) -> dict[str, tuple[Level, str]]:
        found = health.findings([self.assembler.reading], Thresholds(), self.at)
        return {one.subject: (one.level, one.sentence) for one in found if one.rule == "gluster.brick-oom"}


KILLED = "gv0 web2:/b/gv0: its brick process was killed, out of memory"


@pytest.mark.parametrize("form", FORMS)
def test_the_sentence_names_the_brick(form: str) -> None:
    peer = Peer()
    peer.gluster(900)
    peer.log(900, form)
    assert peer.said() == {"gv0 web2:/b/gv0": (Level.CRIT, KILLED)}
    assert (peer.kill().joined_by, peer.kill().container_id) == ("pid", "")


def test_a_brick_that_was_started_again_is_still_named_and_settles() -> None:
    peer = Peer("gv0", "gv1")
    peer.gluster(900)
    peer.log(900)
    peer.gluster(901)
    assert peer.said()["gv0 web2:/b/gv0"] == (Level.CRIT, KILLED)
    peer.at += timedelta(minutes=3)
    peer.log(900)
    peer.gluster(901)
    level, sentence = peer.said()["gv0 web2:/b/gv0"]
    assert (level, sentence) == (Level.WARN, f"{KILLED[:-15]} at 03:09:50Z, out of memory; it runs again")
    peer.at += timedelta(minutes=30)
    peer.log(900)
    peer.gluster(901)
    assert peer.said() == {}


def test_a_process_nobody_saw_alive_is_known_by_its_pid_file() -> None:
    peer = Peer("gv0", "gv1")
    peer.gluster(0)
    peer.file = 900
    peer.gluster(0)
    peer.log(900)
    assert set(peer.said()) == {"gv0 web2:/b/gv0", "gv1 web2:/b/gv1"}


def test_the_only_brick_of_a_host_is_known_without_its_pid() -> None:
    peer = Peer()
    peer.gluster(901)  # started again before we came
    peer.log(900)
    assert set(peer.said()) == {"gv0 web2:/b/gv0"} and peer.kill().joined_by == "name"
    several = Peer("gv0", "gv1")
    several.gluster(901)
    several.log(900)
    assert several.said() == {}


def test_a_multiplexed_process_serves_bricks_its_command_line_does_not_name() -> None:
    """The option is set for the whole cluster; without it another volume's process is no proof."""
    peer = Peer("gv0", "gv1")
    peer.gluster(900)
    gluster = peer.assembler.reading.gluster
    assert gluster is not None
    assert {brick.volume: (brick.pid, brick.alive) for brick in gluster.bricks} == {
        "gv0": (900, True),
        "gv1": (900, True),
    }
    peer.multiplex = False
    peer.gluster(900)
    gluster = peer.assembler.reading.gluster
    assert gluster is not None and {b.volume: b.alive for b in gluster.bricks} == {"gv0": True, "gv1": False}


def test_a_multiplexed_process_takes_all_its_bricks_with_it() -> None:
    peer = Peer("gv0", "gv1")
    peer.gluster(900)
    peer.log(900)
    assert set(peer.said()) == {"gv0 web2:/b/gv0", "gv1 web2:/b/gv1"}


@pytest.mark.parametrize("name", ["php-fpm", "glusterfs", "glusterd"])
def test_another_process_with_that_pid_is_no_brick(name: str) -> None:
    peer = Peer()
    peer.gluster(900)
    peer.log(900, name=name)
    assert peer.said() == {} and peer.kill().bricks == ()
