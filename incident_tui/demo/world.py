"""The machines of the demo as plain state, and how that state moves. Pure: time comes in as seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta


def fake_hex(seed: str, length: int = 64) -> str:
    """A stable id, so that two runs of the demo look alike."""
    return hashlib.sha256(seed.encode()).hexdigest()[:length]


def fake_uuid(seed: str) -> str:
    digits = fake_hex(seed, 32)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


@dataclass
class Container:
    """One container. `share` is the part of the host's memory it uses while it runs, in percent."""

    name: str
    image: str
    share: float
    policy: str = "always"
    """Restart policy; "on-failure:3" gives up after three restarts."""
    state: str = "running"
    """running, restarting, exited."""
    exit_code: int = 0
    pid: int = 0
    restarts: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    restart_due: datetime | None = None

    @property
    def id(self) -> str:
        return fake_hex("container " + self.name)


@dataclass
class Brick:
    """One brick. `pending` counts entries that wait to be healed onto other bricks."""

    volume: str
    peer: str
    path: str
    pid: int
    port: int
    alive: bool = True
    pending: float = 0.0


@dataclass
class Peer:
    """One machine. `modern` answers as today's; otherwise as CentOS 6 with Docker 1.6.2 and GlusterFS 3.6."""

    name: str
    modern: bool
    memory_kb: int
    containers: list[Container]
    gluster: bool
    cpus: int = 4
    used: float = 55.0
    """Percent of memory in use now, moving towards `target`."""
    target: float = 55.0
    load: float = 0.4
    swapped_pages: float = 40_000.0
    busy_ticks: float = 500_000.0
    reachable: bool = True
    glusterd: bool = True
    dockerd: bool = True
    kernel_log: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return fake_uuid(self.name)

    @property
    def swapping(self) -> float:
        """Pages a second in and out: none below 85 % of memory, thousands when it is full."""
        return max(0.0, self.used - 85.0) ** 2 * 9.0


@dataclass
class Volume:
    """A replicated volume. `split` holds the files in split-brain."""

    name: str
    bricks: list[Brick]
    split: list[str] = field(default_factory=list)
    started: bool = True


@dataclass
class Site:
    """A public site and the container it needs."""

    name: str
    peer: str
    container: str


class World:
    """Everything that is simulated. `now` advances by `tick`; `do` carries out events and repairs."""

    def __init__(self, now: datetime, peers: list[Peer], volumes: list[Volume], sites: list[Site]) -> None:
        self.started = now
        self.now = now
        self.booted = now - timedelta(days=41, hours=7)
        self.peers = {peer.name: peer for peer in peers}
        self.volumes = {volume.name: volume for volume in volumes}
        self.sites = {site.name: site for site in sites}
        self._pid = 4100
        for peer in peers:
            for container in peer.containers:
                container.pid = self.next_pid()
                container.started = now - timedelta(days=6)

    def next_pid(self) -> int:
        self._pid += 37
        return self._pid

    @property
    def uptime(self) -> float:
        return (self.now - self.booted).total_seconds()

    def site_status(self, name: str) -> int:
        """The HTTP status the site answers with now; 502 while the container behind it is away."""
        site = self.sites[name]
        peer = self.peers[site.peer]
        container = self.container(site.peer, site.container)
        return 200 if container is not None and container.state == "running" and peer.reachable else 502

    def container(self, peer: str, name: str) -> Container | None:
        return next((item for item in self.peers[peer].containers if item.name == name), None)

    def tick(self, seconds: float) -> None:
        """Lets `seconds` pass."""
        self.now += timedelta(seconds=seconds)
        for peer in self.peers.values():
            step = 3.0 * seconds
            peer.used += max(-step, min(step, peer.target - peer.used))
            pressure = max(0.0, peer.used - 85.0)
            peer.load += (0.4 + pressure * 0.5 - peer.load) * min(1.0, seconds / 8)
            peer.swapped_pages += peer.swapping * seconds
            peer.busy_ticks += seconds * 100 * min(float(peer.cpus), peer.load)
            for container in peer.containers:
                if container.restart_due is not None and self.now >= container.restart_due:
                    self._start(peer, container, again=True)
        for volume in self.volumes.values():
            self._heal(volume, seconds)

    def _heal(self, volume: Volume, seconds: float) -> None:
        up = [brick for brick in volume.bricks if brick.alive]
        whole = len(up) == len(volume.bricks)
        for brick in up:
            brick.pending = max(0.0, brick.pending - 25 * seconds) if whole else brick.pending + 3 * seconds

    # ------------------------------------------------------------------ what happens to machines

    def oom_container(self, peer: Peer, container: Container) -> None:
        """The kernel kills the container's process: exit 137, restarted while its policy lasts."""
        self._log_oom(peer, container.pid, "php-fpm")
        self._event(peer, container, "oom" if peer.modern else "die")
        container.exit_code, container.finished, container.pid = 137, self.now, 0
        limit = int(container.policy.partition(":")[2] or 1_000_000)
        if container.policy != "no" and container.restarts < limit:
            container.state = "restarting"
            container.restart_due = self.now + timedelta(seconds=3)
        else:
            container.state, container.restart_due = "exited", None

    def oom_brick(self, brick: Brick) -> None:
        """The kernel kills the brick's process for want of memory on the whole machine."""
        self._log_oom(self.peers[brick.peer], brick.pid, "glusterfsd")
        brick.alive = False

    def _log_oom(self, peer: Peer, pid: int, name: str) -> None:
        """The whole machine is out of memory; a kernel 2.6.32 names no cgroup then."""
        stamp = f"{self.now:%b} {self.now.day:2d} {self.now:%H:%M:%S} {peer.name} kernel: "
        rss = int(peer.memory_kb * 0.11)
        peer.kernel_log.append(f"{stamp}Out of memory: Kill process {pid} ({name}) score 412 or sacrifice child")
        peer.kernel_log.append(
            f"{stamp}Killed process {pid}, UID 33, ({name}) total-vm:{rss * 3}kB, anon-rss:{rss}kB, file-rss:412kB"
        )

    def _event(self, peer: Peer, container: Container, word: str) -> None:
        stamp = f"{self.now:%Y-%m-%dT%H:%M:%S.%f}000Z"
        if peer.modern:
            peer.events.append(
                f"{stamp} container {word} {container.id} (image={container.image}, name={container.name})"
            )
        else:
            peer.events.append(f"{stamp} {container.id}: (from {container.image}) {word}")

    def _start(self, peer: Peer, container: Container, *, again: bool = False) -> None:
        container.restarts = container.restarts + 1 if again else 0
        container.state, container.exit_code, container.restart_due = "running", 0, None
        container.pid, container.started = self.next_pid(), self.now
        self._event(peer, container, "start")

    def start_container(self, peer: Peer, container: Container) -> None:
        """`docker start` or `restart` by a person."""
        if container.state == "exited" and container.exit_code == 0:
            peer.target = min(97.0, peer.target + container.share)
        self._start(peer, container)

    def stop_container(self, peer: Peer, container: Container) -> None:
        """`docker stop`: its memory becomes free."""
        if container.state != "exited":
            peer.target = max(20.0, peer.target - container.share)
        container.state, container.exit_code, container.restart_due = "exited", 0, None
        container.pid, container.finished = 0, self.now
        self._event(peer, container, "stop" if peer.modern else "die")

    def start_bricks(self, volume: Volume) -> None:
        """`gluster volume start V force`: every brick whose machine can be reached runs again."""
        volume.started = True
        for brick in volume.bricks:
            if not brick.alive and self.peers[brick.peer].reachable:
                brick.alive, brick.pid = True, self.next_pid()
