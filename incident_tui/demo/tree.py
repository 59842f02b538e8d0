"""Writes a machine of the demo as files below a scratch root: what probe.sh and the stand-in programs read.

Layout below ROOT: proc/, sys/, var/, etc/, cgroup/ and the bricks as on a real machine; answers/ what docker and
gluster print; requests the lines that repairs typed over ssh leave for the simulation.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from incident_tui.demo import answers, answers_text
from incident_tui.demo.world import Brick, Container, Peer, World, fake_uuid

_XATTROP_SHOWN: Final = 400
"""Files made in a brick's index at most; the count stays an upper bound of what a person can read."""


class Tree:
    """One machine's scratch root. `write` changes only what differs from the last time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._written: dict[Path, str] = {}
        self._events = 0

    def write(self, world: World, peer: Peer) -> None:
        files = {**_proc(world, peer), **_etc(peer), **_docker(world, peer)}
        if peer.gluster:
            files |= _gluster(world, peer)
        for name, content in files.items():
            self._put(Path(name), content)
        for gone in [path for path in self._written if str(path) not in files]:
            del self._written[gone]
            with contextlib.suppress(OSError):
                (self.root / gone).unlink()
        self._follow_events(peer)
        if peer.gluster:
            for volume in world.volumes.values():
                for brick in volume.bricks:
                    if brick.peer == peer.name:
                        self._index(brick, len(volume.split))

    def requests(self) -> list[str]:
        """Repairs that somebody typed on the machine since the last call, as lines for `scenario.happen`."""
        path = self.root / "requests"
        taken = self.root / "requests.taken"
        try:
            os.replace(path, taken)
        except OSError:
            return []
        return taken.read_text(encoding="utf-8", errors="replace").splitlines()

    def _put(self, name: Path, content: str) -> None:
        if self._written.get(name) == content:
            return
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + "~")
        fresh.write_text(content, encoding="utf-8")
        os.replace(fresh, path)
        self._written[name] = content

    def _follow_events(self, peer: Peer) -> None:
        path = self.root / "answers" / "docker-events"
        with path.open("a", encoding="utf-8") as events:
            for line in peer.events[self._events :]:
                events.write(line + "\n")
        self._events = len(peer.events)

    def _index(self, brick: Brick, split: int) -> None:
        directory = self.root / brick.path.lstrip("/") / ".glusterfs/indices/xattrop"
        directory.mkdir(parents=True, exist_ok=True)
        wanted = {
            fake_uuid(f"{brick.volume}{number}") for number in range(min(int(brick.pending) + split, _XATTROP_SHOWN))
        }
        there = {name for name in os.listdir(directory) if not name.startswith("xattrop-")}
        for name in wanted - there:
            (directory / name).touch()
        for name in there - wanted:
            (directory / name).unlink()


def _proc(world: World, peer: Peer) -> dict[str, str]:
    total = peer.memory_kb
    free = max(0, int(total * (100 - peer.used) / 100))
    swap = total // 2
    swapped = min(swap, int(peer.swapped_pages * 0.4))
    meminfo = f"MemTotal:       {total} kB\nMemFree:        {free * 6 // 10} kB\n"
    if peer.modern:
        meminfo += f"MemAvailable:   {free} kB\n"
    meminfo += (
        f"Buffers:        {free // 10} kB\nCached:         {free * 3 // 10} kB\nShmem:          0 kB\n"
        f"SReclaimable:   0 kB\nSwapTotal:      {swap} kB\nSwapFree:       {swap - swapped} kB\n"
    )
    pages = int(peer.swapped_pages)
    busy = int(peer.busy_ticks)
    idle = int(world.uptime * 100 * peer.cpus) - busy
    files = {
        "proc/loadavg": f"{peer.load:.2f} {peer.load * 0.8:.2f} {peer.load * 0.6:.2f} 2/340 {world.next_pid()}\n",
        "proc/uptime": f"{world.uptime:.2f} {world.uptime * peer.cpus:.2f}\n",
        "proc/meminfo": meminfo,
        "proc/vmstat": f"pswpin {pages // 2}\npswpout {pages - pages // 2}\n",
        "proc/stat": f"cpu  {busy} 0 0 {idle} 0 0 0 0 0\nbtime {int(world.booted.timestamp())}\n",
        "proc/cpuinfo": "".join(f"processor\t: {number}\n" for number in range(peer.cpus)),
        "proc/sys/kernel/hostname": peer.name + "\n",
        "proc/sys/kernel/osrelease": "6.1.0-31-amd64\n" if peer.modern else "2.6.32-573.el6.x86_64\n",
        "proc/mounts": "/dev/sda1 / ext4 rw 0 0\n"
        + ("/dev/sdb1 /b xfs rw 0 0\n" if peer.gluster else "")
        + (
            "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n" if peer.modern else "cgroup /cgroup/memory cgroup rw,memory 0 0\n"
        ),
        "var/log/messages": "".join(line + "\n" for line in peer.kernel_log[-60:]),
    }
    if peer.modern:
        for kind in ("memory", "io", "cpu"):
            files[f"proc/pressure/{kind}"] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\n"
    return files


def _etc(peer: Peer) -> dict[str, str]:
    if peer.modern:
        return {"etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'}
    return {"etc/redhat-release": "CentOS release 6.7 (Final)\n"}


def _docker(world: World, peer: Peer) -> dict[str, str]:
    version = "28.0.4, build b8034c0" if peer.modern else "1.6.2, build 7c8fca2"
    files = {
        "answers/docker-version": f"Docker version {version}\n",
        "answers/docker-ids": "".join(container.id + "\n" for container in peer.containers),
        "answers/docker-running": "".join(c.id + "\n" for c in peer.containers if c.state == "running"),
        "answers/era": "modern\n" if peer.modern else "el6\n",
    }
    if not peer.dockerd:
        files["answers/docker-down"] = "\n"
    for container in peer.containers:
        files[f"answers/inspect/{container.id}"] = answers.inspect(container, peer)
        files[f"answers/names/{container.name}"] = container.id + "\n"
        files[f"answers/logs/{container.id}"] = answers.log(container, world.now)
        if container.pid:
            files |= _cgroup(peer, container)
    return files


def _cgroup(peer: Peer, container: Container) -> dict[str, str]:
    usage = int(peer.memory_kb * 1024 * container.share / 100)
    cache = usage // 8
    if peer.modern:
        group = f"system.slice/docker-{container.id}.scope"
        return {
            f"proc/{container.pid}/cgroup": f"0::/{group}\n",
            f"sys/fs/cgroup/{group}/memory.current": f"{usage}\n",
            f"sys/fs/cgroup/{group}/memory.max": "max\n",
            f"sys/fs/cgroup/{group}/memory.stat": f"anon {usage - cache}\ninactive_file {cache}\n",
            f"sys/fs/cgroup/{group}/memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n",
        }
    group = f"docker/{container.id}"
    return {
        f"proc/{container.pid}/cgroup": f"9:memory:/{group}\n3:cpu:/{group}\n",
        f"cgroup/memory/{group}/memory.usage_in_bytes": f"{usage}\n",
        f"cgroup/memory/{group}/memory.limit_in_bytes": f"{2**63 - 1}\n",
        f"cgroup/memory/{group}/memory.failcnt": "0\n",
        f"cgroup/memory/{group}/memory.stat": f"total_inactive_file {cache}\ntotal_rss {usage - cache}\n",
    }


def _gluster(world: World, peer: Peer) -> dict[str, str]:
    state = "var/lib/glusterd"
    files = {
        "answers/gluster-version": "glusterfs 3.6.9 built on Mar  2 2016 18:20:51\n",
        f"{state}/glusterd.info": f"UUID={peer.uuid}\noperating-version=30600\n",
        "answers/gluster/peer-status": answers.peer_status(world, peer),
        "answers/gluster/peer-status.txt": answers_text.peer_status(world, peer),
        "answers/gluster/volume-info": answers.volume_info(world),
    }
    if peer.glusterd:
        files["proc/1800/stat"] = "1800 (glusterd) S 1 1800 1800 0 -1\n"
        files["var/run/glusterd.pid"] = "1800\n"
    else:
        files["answers/gluster-down"] = "\n"
    for volume in world.volumes.values():
        files[f"answers/gluster/status-{volume.name}"] = answers.volume_status(world, volume, peer)
        files[f"answers/gluster/status-{volume.name}.txt"] = answers_text.volume_status(world, volume, peer)
        files[f"answers/gluster/heal-{volume.name}"] = answers.heal_info(world, volume, peer)
        files[f"answers/gluster/split-{volume.name}"] = answers.heal_info(world, volume, peer, split_only=True)
        for brick in volume.bricks:
            dashed = brick.path.replace("/", "-")
            files[f"{state}/vols/{volume.name}/bricks/{brick.peer}:{dashed}"] = (
                f"hostname={brick.peer}\npath={brick.path}\nlisten-port={brick.port}\n"
            )
            if brick.peer == peer.name:
                files[f"{state}/vols/{volume.name}/run/{brick.peer}{dashed}.pid"] = f"{brick.pid}\n"
                if brick.alive:
                    files[f"proc/{brick.pid}/stat"] = f"{brick.pid} (glusterfsd) S 1 {brick.pid} {brick.pid} 0 -1\n"
                    words = ["/usr/sbin/glusterfsd", "-s", brick.peer, "--brick-name", brick.path]
                    files[f"proc/{brick.pid}/cmdline"] = "\0".join(words) + "\0"
    return files
