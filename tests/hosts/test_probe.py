"""probe.sh itself, under each shell that hosts have, against a scratch root with stand-in programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incident_tui.hosts import probe
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import GapKind, HostReading, Link, LinkState

ID = "c0ffee" + "0" * 58
NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
EL6 = {
    "/proc/loadavg": "4.10 3.00 2.00 2/310 4242\n",
    "/proc/uptime": "86400.50 1000.00\n",
    "/proc/stat": "cpu  100 0 50 800 50 0 0 0 0\ncpu0 100 0 50 800 50 0 0 0 0\nbtime 1700000000\n",
    "/proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n",
    "/proc/meminfo": "MemTotal:        1922000 kB\nMemFree:          100000 kB\nBuffers:           20000 kB\n"
    "Cached:           200000 kB\nShmem:             50000 kB\nSReclaimable:      40000 kB\n"
    "SwapTotal:       1000000 kB\nSwapFree:         400000 kB\n",
    "/proc/vmstat": "pgpgin 1\npswpin 1000\npswpout 2000\n",
    "/proc/mounts": "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /srv/my\\040data xfs ro,noatime 0 0\n"
    "web1:/gv0 /mnt/gv0 fuse.glusterfs rw 0 0\nnone /cgroup/memory cgroup rw,memory 0 0\n"
    "none /cgroup/cpuacct cgroup rw,cpuacct,cpu 0 0\n",
    "/proc/sys/kernel/hostname": "web2\n",
    "/proc/sys/kernel/osrelease": "2.6.32-754.el6.x86_64\n",
    "/etc/redhat-release": "CentOS release 6.10 (Final)\n",
    "/proc/77/cgroup": f"4:memory:/docker/{ID}\n3:cpuacct,cpu:/docker/{ID}\n",
    f"/cgroup/memory/docker/{ID}/memory.usage_in_bytes": "50000000\n",
    f"/cgroup/memory/docker/{ID}/memory.limit_in_bytes": "67108864\n",
    f"/cgroup/memory/docker/{ID}/memory.failcnt": "12\n",
    f"/cgroup/cpuacct/docker/{ID}/cpuacct.usage": "7500000000\n",
    f"/cgroup/memory/docker/{ID}/memory.stat": "cache 9\ntotal_inactive_file 1000000\n",
}
DF = """shift; case " $* " in *" -i "*) echo 'Filesystem Inodes IUsed IFree IUse% Mounted on'; n=1000 ;;
*) echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; n=100000 ;; esac
for m; do case $m in /mnt/*) exit 9 ;; /*) echo "/dev/x $n 500 500 50% $m" ;; esac; done
"""
DOCKER = f"""case "$*" in
--version) echo 'Docker version 1.6.2, build 7c8fca2' ;;
'ps -aq --no-trunc') echo {ID} ;;
'inspect {ID}') cat "$ITUI_ROOT/inspect.json" ;;
*) echo 'flag provided but not defined' >&2; exit 2 ;;
esac
"""
INSPECT = f"""[{{"Id": "{ID}", "Name": "/drupal-a", "Config": {{"Env": ["PASSWORD=hunter2"], "Image": "drupal:7"}},
"RestartCount": 2, "HostConfig": {{"RestartPolicy": {{"Name": "always"}}, "Memory": 67108864}},
"State": {{"Running": true, "Paused": false, "Restarting": false, "Pid": 77, "ExitCode": 0, "OOMKilled": false,
"StartedAt": "2026-11-23T03:00:00.123456789Z", "FinishedAt": "0001-01-01T00:00:00Z"}}}}]
"""


def assembled(*rounds: dict[str, Any]) -> HostReading:
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    assembler = Assembler("web2", (), link)
    for number, sections in enumerate(rounds):
        at = datetime.fromtimestamp(NOW.timestamp() + 10 * number, UTC)
        assembler.take(sections.values(), at, at)
    return assembler.reading


def test_an_el6_host_with_docker_1_6(
    shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path]
) -> None:
    scratch = root({**EL6, "/inspect.json": INSPECT})
    date = "echo 1795403400 -0500"
    dmesg = "echo 'dmesg: klogctl: Operation not permitted' >&2; exit 1"
    running = run_probe(shell, programs={"docker": DOCKER, "df": DF, "date": date, "dmesg": dmesg})
    first = running.ask("hello", "clock", "proc", "disk", "oom", "docker")
    (scratch / "proc/vmstat").write_text("pswpin 1500\npswpout 2100\n")
    second = running.ask("proc", f"cg:77:{ID}")
    assert running.end() == 0
    reading = assembled(first, second)
    assert reading.system is not None
    assert (reading.system.os, reading.system.cpus) == ("CentOS release 6.10 (Final)", 2)
    assert (reading.system.hostname, reading.system.docker, reading.system.gluster) == ("web2", "1.6.2", "")
    assert reading.memory is not None and reading.memory.estimated
    assert reading.memory.available == (100000 + 20000 + 200000 - 50000 + 20000) * 1024
    assert reading.swapping is not None and (reading.swapping.pages_in, reading.swapping.pages_out) == (50.0, 10.0)
    if shell[0] != "busybox":  # which takes its own date, df and dmesg before those on PATH
        assert reading.clock is not None and reading.clock.utc_offset_seconds == -5 * 3600
        assert reading.disks is not None
        assert [(d.mount, d.read_only) for d in reading.disks.filesystems] == [("/", False), ("/srv/my data", True)]
        assert reading.gaps["ooms"].kind is GapKind.DENIED
    assert reading.gaps["pressure"].kind is GapKind.ABSENT
    assert reading.gaps["gluster"].kind is GapKind.ABSENT
    assert reading.docker is not None
    (container,) = reading.docker.containers
    assert (container.name, container.state, container.restart_policy) == ("drupal-a", "running", "always")
    assert container.memory is not None
    assert (container.memory.working_set, container.memory.limit, container.memory.failures) == (49000000, 67108864, 12)
    assert "hunter2" not in repr(reading)


def test_cgroup_v2(shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path]) -> None:
    scope = f"/system.slice/docker-{ID}.scope"
    root(
        {
            "/proc/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
            "/proc/88/cgroup": f"0::{scope}\n",
            "/proc/89/cgroup": "0::/user.slice/somebody-else\n",
            f"/sys/fs/cgroup{scope}/memory.current": "9000\n",
            f"/sys/fs/cgroup{scope}/memory.max": "max\n",
            f"/sys/fs/cgroup{scope}/memory.stat": "anon 1\ninactive_file 4000\n",
            f"/sys/fs/cgroup{scope}/cpu.stat": "usage_usec 2500000\nuser_usec 9\n",
            f"/sys/fs/cgroup{scope}/memory.events": "low 0\nmax 3\noom 1\noom_kill 1\n",
        }
    )
    from incident_tui.hosts.cgroups import parse_cpu, parse_memory

    body = run_probe(shell).ask(f"cg:88:{ID}", f"cg:89:{ID}")["cgroup"].body
    memory = parse_memory(body, 1 << 30, NOW)[ID]
    assert (memory.usage, memory.working_set, memory.limit, memory.oom_kills) == (9000, 5000, 0, 1)
    assert parse_cpu(body) == {ID: 2.5}


GLUSTER = """printf '%s\\n' "$*" >> "$ITUI_ROOT/asked"
case "$*" in
--version) echo 'glusterfs 3.7.9 built on Mar 20 2016' ;;
'--mode=script --xml peer status') cat "$ITUI_ROOT/peers.xml" ;;
'--mode=script --xml volume info') cat "$ITUI_ROOT/volumes.xml" ;;
'--mode=script --xml volume status gv0') cat "$ITUI_ROOT/status.xml" ;;
'--mode=script --xml volume heal gv0 info') cat "$ITUI_ROOT/heal.txt" ;;
'--mode=script --xml volume heal gv0 info split-brain') cat "$ITUI_ROOT/split.txt" ;;
*) echo 'unrecognized word'; exit 1 ;;
esac
"""


def test_a_gluster_peer_without_and_with_locks(
    shell: list[str],
    run_probe: Callable[..., Any],
    root: Callable[[dict[str, str]], Path],
    fixture: Callable[[str], str],
) -> None:
    brick = "/usr/sbin/glusterfsd\0-s\0web1\0--brick-name\0/b/gv0\0--brick-port\00049152\0"
    scratch = root(
        {
            "/var/lib/glusterd/glusterd.info": "UUID=00000000-0000-4000-8000-000000000001\noperating-version=30707\n",
            "/var/lib/glusterd/vols/gv0/bricks/web1:-b-gv0": "hostname=web1\npath=/b/gv0\nlisten-port=49152\n",
            "/var/lib/glusterd/vols/gv0/run/web1-b-gv0.pid": "900\n",
            "/proc/900/stat": "900 (glusterfsd) S 1 900 900 0 -1 0\n",
            "/proc/900/cmdline": brick.replace("\00049152", "\x0049152"),
            "/proc/901/stat": "901 (bash) S 1 900 900 0 -1 0\n",
            "/b/gv0/.glusterfs/indices/xattrop/xattrop-1f": "",
            "/b/gv0/.glusterfs/indices/xattrop/0a0a0a0a-0000-4000-8000-000000000001": "",
            "/b/gv0/.glusterfs/indices/xattrop/0b0b0b0b-0000-4000-8000-000000000001": "",
            "/peers.xml": fixture("peers-3.7.xml"),
            "/volumes.xml": fixture("volumes-3.7.xml"),
            "/status.xml": fixture("status-3.7.xml"),
            "/heal.txt": fixture("heal-3.7.txt"),
            "/split.txt": fixture("split-3.7.txt"),
        }
    )
    running = run_probe(shell, "slow", programs={"gluster": GLUSTER})
    hello, local = running.ask("hello"), running.ask("gluster")
    assert "status" not in (scratch / "asked").read_text().replace("peer status", "")
    locked = running.ask("status:gv0", "heal:gv0", "split:gv0", "status:evil:x", "status:-x")
    assert running.end() == 0
    reading = assembled(hello, local, locked)
    assert reading.gluster is not None, reading.gaps
    assert reading.gluster.glusterd_alive is True and reading.gluster.version == "3.7.9"
    assert [peer.hostname for peer in reading.gluster.peers] == ["web2", "web3"]
    (mine,) = reading.gluster.bricks
    assert (mine.path, mine.pid, mine.alive, mine.pending) == ("/b/gv0", 900, True, 2)
    assert probe.brick_words(reading.gluster) == ["brick:900"]
    assert [row.online for row in reading.volume_status["gv0"].bricks] == [True, True]
    assert reading.heals["gv0"].pending == 3 and reading.heals["gv0"].split_brain == 1
    assert "evil" not in (scratch / "asked").read_text()


def test_a_child_does_not_eat_the_script_and_is_killed_at_its_limit(
    shell: list[str], run_probe: Callable[..., Any]
) -> None:
    docker = "case $1 in --version) cat >/dev/null; echo 'Docker version 1.6.2, build x' ;; ps) cat; sleep 60 ;; esac"
    script = probe.script().replace("docker-ps 12 ", "docker-ps 1 ").replace("$itui_rc 12\n", "$itui_rc 1\n")
    for limiter in ("timeout", "no timeout"):
        running = run_probe_with(run_probe, shell, script, docker, limiter)
        assert running.ask("hello")["docker-version"].rc == 0
        began = time.monotonic()
        section = running.ask("docker")["docker-ps"]
        assert section.timed_out and time.monotonic() - began < 5, (limiter, section)
        assert running.ask("proc")["proc"].rc == 0
        assert running.end() == 0


def run_probe_with(run_probe: Callable[..., Any], shell: list[str], script: str, docker: str, limiter: str) -> Any:
    programs = {"docker": docker}
    programs["timeout"] = 'exec /usr/bin/timeout "$@"' if limiter == "timeout" else "exit 1"
    original = probe.script
    probe.script = lambda: script  # type: ignore[assignment]
    try:
        return run_probe(shell, programs=programs)
    finally:
        probe.script = original


def test_output_that_imitates_the_framing_stays_output(shell: list[str], run_probe: Callable[..., Any]) -> None:
    said = "END docker-ps 0 0 0\\nffff END docker-ps 0\\nDONE 1"
    docker = f"case $1 in --version) echo x;; ps) printf '{said}'; exit 3 ;; esac"
    section = run_probe(shell, programs={"docker": docker}).ask("docker")["docker-ps"]
    assert section.rc == 3 and section.body.endswith("DONE 1")


def test_the_follower_ends_with_the_input(shell: list[str], run_probe: Callable[..., Any], tmp_path: Path) -> None:
    docker = 'case $1 in events) echo $$ > "$ITUI_ROOT/pid"; exec sleep 300 ;; esac'
    running = run_probe(shell, "events", programs={"docker": docker})
    pid_file = tmp_path / "root" / "pid"
    deadline = time.monotonic() + 10
    while not pid_file.exists() or not pid_file.read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stat = Path("/proc") / pid_file.read_text().strip() / "stat"

    def runs() -> bool:
        try:
            return "Z" not in stat.read_text().split()[2]
        except OSError:  # it may go while it is looked at
            return False

    assert runs()
    assert running.end() == 0
    while runs():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_silent_client_ends_the_probe(shell: list[str], run_probe: Callable[..., Any]) -> None:
    running = run_probe(shell, idle=1)
    running.ask("clock")
    assert running.process.wait(10) == -9
