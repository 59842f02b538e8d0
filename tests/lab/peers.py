#!/usr/bin/env python3
"""Three real peers on this machine, for tests and for trying the program: OpenSSH, glusterd and Docker Engine.

    peers.py [--directory DIR] [--prefix NAME] [--subnet A.B.C] COMMAND
        up              make them, or what is missing of them; needs root. DIR/config.toml is for incident-tui
        down            end them and remove everything that `up` made, and only that
        exec N COMMAND  run a command inside peer N; its exit status is the command's
        cut N, join N   pull and plug the network cable of peer N
        start N WHAT    start glusterd or dockerd of peer N again, detached
        missing         say what this machine lacks for a lab; exit status 1 when anything

Each peer is a network, mount, uts and pid namespace of its own, at SUBNET.1 to SUBNET.3; this machine is SUBNET.254
on a bridge. Ending a peer's first process ends, by the kernel, all that runs in it: nothing is ended by name. All files
are in DIR. Needs only the standard library and the Debian packages named in .ci/run.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PEERS = (1, 2, 3)
IMAGE = "busybox:lab"
SSHD, GLUSTERD, DOCKERD, DOCKER, BUSYBOX = (
    "/usr/sbin/sshd",
    "/usr/sbin/glusterd",
    "/usr/sbin/dockerd",
    "/usr/bin/docker",
    "/bin/busybox",
)
TOOLS = {
    SSHD: "openssh-server",
    GLUSTERD: "glusterfs-server",
    DOCKERD: "docker.io",
    DOCKER: "docker.io",
    BUSYBOX: "busybox-static",
    "/sbin/mount.glusterfs": "glusterfs-client",
    "ssh-keygen": "openssh-client",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
START_SECONDS = 60.0
DOCKER_ROOT = Path("/var/lib/docker")
"""Where dockerd keeps its files on every host; each peer sees its own there."""


class LabError(Exception):
    """The lab could not be made or used; the message is one sentence."""


def call(*words: str, check: bool = True, text: str | None = None) -> str:
    """A command of this machine; its standard output. Raises LabError with what it said."""
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=120)
    if check and done.returncode:
        raise LabError(f"{shlex.join(words)}: status {done.returncode}: {(done.stderr or done.stdout).strip()[:400]}")
    return done.stdout


def until(ask: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)


def started_at(pid: int) -> str:
    """When a process began, in the kernel's ticks: with the pid it names one process for ever. Empty: there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def missing() -> str:
    """Why there can be no lab here, in one sentence; empty when there can be one."""
    if os.geteuid() != 0:
        return "root is needed for namespaces"
    lacking = sorted({package for tool, package in TOOLS.items() if shutil.which(tool) is None})
    if lacking:
        return f"not installed: {' '.join(lacking)}"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse, which mounting a volume needs"
    name = f"itp{os.getpid()}"
    for words in (
        ("unshare", "--mount", "--uts", "--pid", "--fork", "true"),
        ("ip", "netns", "add", name),
        ("ip", "link", "add", name, "type", "bridge"),
    ):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            call("ip", "netns", "del", name, check=False)
            return f"{shlex.join(words)}: {done.stderr.strip()[:160]}"
    call("ip", "netns", "del", name)
    call("ip", "link", "del", name)
    return ""


class Lab:
    """The lab in one directory. The names it was made with are kept there, so that `down` needs only the directory."""

    def __init__(self, directory: Path, prefix: str, subnet: str) -> None:
        self.directory = directory.absolute()
        self.state = self.directory / "lab.json"
        self.prefix, self.subnet = prefix, subnet
        self.pids: dict[str, list[str]] = {}
        self.made_root = False
        """DOCKER_ROOT, on which the peers mount theirs, was not there before."""
        if self.state.exists():
            kept = json.loads(self.state.read_text())
            self.prefix, self.subnet, self.pids = kept["prefix"], kept["subnet"], kept["pids"]
            self.made_root = kept["made_root"]

    # ------------------------------------------------------------------ names

    def place(self, n: int) -> Path:
        return self.directory / f"p{n}"

    def space(self, n: int) -> str:
        """The name of its network namespace, of its end of the cable and of its cgroup."""
        return f"{self.prefix}{n}"

    def address(self, n: int) -> str:
        return f"{self.subnet}.{n}"

    def first(self, n: int) -> int:
        """The pid, outside, of the peer's first process; 0 when it does not run."""
        pid, started = self.pids.get(str(n), ["0", ""])
        return int(pid) if started and started_at(int(pid)) == started else 0

    def inside(self, n: int, *words: str) -> list[str]:
        """The command that runs `words` in peer N."""
        pid = self.first(n)
        if not pid:
            raise LabError(f"peer {n} does not run; peers.py up makes it")
        return ["nsenter", "-t", str(pid), "-n", "-m", "-u", "-p", "--wd=/", *words]

    def run(self, n: int, *words: str, check: bool = True, text: str | None = None) -> str:
        return call(*self.inside(n, *words), check=check, text=text)

    # ------------------------------------------------------------------ up

    def up(self) -> None:
        if why := missing():
            raise LabError(why)
        if not self.state.exists():
            self._must_be_free()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not DOCKER_ROOT.exists():
            DOCKER_ROOT.mkdir(mode=0o710)
            self.made_root = True
        self._keep()
        self._keys()
        self._bridge()
        for n in PEERS:
            if not self.first(n):
                self._peer(n)
        for n in PEERS:
            until(lambda n=n: (self.place(n) / "ready").exists(), f"peer {n}")  # type: ignore[misc]
            for what in ("glusterd", "dockerd"):
                self.start(n, what)
        for n in PEERS:
            until(lambda n=n: self._answers(n), f"sshd, glusterd and dockerd of peer {n}")  # type: ignore[misc]
            if not self.run(n, DOCKER, "images", "-q", IMAGE).strip():
                self._import(n)
        self._pool()
        self._config()

    def _must_be_free(self) -> None:
        """What is there already is somebody else's, and would be removed by our `down`."""
        if self.directory.exists() and any(self.directory.iterdir()):
            raise LabError(f"{self.directory} is not empty and holds no lab; name another with --directory")
        names = [f"{self.prefix}br", *(self.space(n) for n in PEERS)]
        places = [Path(top) / name for top in ("/sys/class/net", "/run/netns") for name in names]
        if taken := [str(place) for place in places if place.exists()]:
            raise LabError(f"{taken[0]} is there already; name another prefix with --prefix")
        if f" {self.subnet}." in call("ip", "-o", "-4", "addr"):
            raise LabError(f"{self.subnet}.0/24 is in use on this machine; name another with --subnet")

    def _keep(self) -> None:
        kept = {"prefix": self.prefix, "subnet": self.subnet, "pids": self.pids, "made_root": self.made_root}
        new = self.state.with_suffix(".new")
        new.write_text(json.dumps(kept))
        new.replace(self.state)

    def _keys(self) -> None:
        lines = []
        for key in (self.directory / "key", *(self.place(n) / "ssh" / "host" for n in PEERS)):
            key.parent.mkdir(parents=True, exist_ok=True)
            if not key.exists():
                call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(key))
        for n in PEERS:
            kind, public, *_ = (self.place(n) / "ssh" / "host.pub").read_text().split()
            lines.append(f"{self.address(n)} {kind} {public}\n")
            accepted = self.place(n) / "ssh" / "authorized_keys"
            accepted.write_text((self.directory / "key.pub").read_text())
            accepted.chmod(0o600)
        (self.directory / "known_hosts").write_text("".join(lines))

    def _bridge(self) -> None:
        bridge = f"{self.prefix}br"
        if not Path(f"/sys/class/net/{bridge}").exists():
            call("ip", "link", "add", bridge, "type", "bridge")
            call("ip", "addr", "add", f"{self.subnet}.254/24", "dev", bridge)
        call("ip", "link", "set", bridge, "up")
        for n in PEERS:
            name = self.space(n)
            if not Path(f"/run/netns/{name}").exists():
                call("ip", "netns", "add", name)
            if not Path(f"/sys/class/net/{name}").exists():
                call("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
                call("ip", "-n", name, "addr", "add", f"{self.address(n)}/24", "dev", "eth0")
            call("ip", "link", "set", name, "master", bridge, "up")
            for device in ("eth0", "lo"):
                call("ip", "-n", name, "link", "set", device, "up")

    def _peer(self, n: int) -> None:
        place = self.place(n)
        for name in ("glusterd", "gluster-log", "bricks", "docker"):
            (place / name).mkdir(parents=True, exist_ok=True)
        (place / "ready").unlink(missing_ok=True)
        hosts = ["127.0.0.1 localhost\n", *(f"{self.address(k)} peer{k}\n" for k in PEERS)]
        (place / "hosts").write_text("".join(hosts))
        (place / "sshd_config").write_text(_SSHD_CONFIG.format(address=self.address(n), place=place))
        (place / "glusterd.vol").write_text(_GLUSTERD_VOL)
        (place / "dmesg").write_text(_DMESG.format(real="/run/dmesg", place=place, space=self.space(n)))
        (place / "dmesg").chmod(0o755)
        (place / "dmesg-since").write_text(Path("/proc/uptime").read_text().split()[0])
        script = place / "init"
        script.write_text(
            _INIT.format(
                place=place, n=n, dmesg=shutil.which("dmesg"), sshd=SSHD, docker=DOCKER, docker_root=DOCKER_ROOT
            )
        )
        # nsenter, not `ip netns exec`, which hides /sys/fs/cgroup.
        words = ["nsenter", f"--net=/run/netns/{self.space(n)}", "unshare", "--mount", "--uts", "--pid", "--fork"]
        with (place / "init.log").open("ab") as log:
            outer = subprocess.Popen(
                [*words, "--kill-child", "/bin/sh", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
            )
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        until(lambda: outer.poll() is not None or bool(children.read_text().split()), f"peer {n}", 10)
        if outer.poll() is not None:
            raise LabError(f"peer {n} did not start: {(place / 'init.log').read_text()[-400:]}")
        pid = children.read_text().split()[0]
        self.pids[str(n)] = [pid, started_at(int(pid))]
        self._keep()

    def start(self, n: int, what: str) -> None:
        """Start one of the peer's daemons when it does not run. Returns once it is started, before it answers."""
        if self._pid_of(n, what):
            return
        if what == "glusterd":
            self.run(n, GLUSTERD, "-p", "/run/glusterd.pid")
            return
        place = self.place(n)
        self.run(n, "rm", "-f", "/run/docker.pid", "/run/docker/containerd/containerd.pid")
        options = [f"--data-root={DOCKER_ROOT}", "--exec-root=/run/docker", "--pidfile=/run/docker.pid"]
        options += ["--host=unix:///run/docker.sock", f"--cgroup-parent=/{self.space(n)}", "--bridge=none"]
        options += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        options += ["--storage-driver=vfs", "--exec-opt=native.cgroupdriver=cgroupfs", "--shutdown-timeout=5"]
        # Its parent must be inside: nsenter stops itself with a child that is stopped, and then reaps nothing.
        detached = f"setsid {shlex.join([DOCKERD, *options])} >>{place / 'dockerd.log'} 2>&1 </dev/null &"
        self.run(n, "/bin/sh", "-c", detached)

    def _pid_of(self, n: int, what: str) -> bool:
        name = {"glusterd": "glusterd", "dockerd": "docker"}[what]
        script = f'p=$(cat /run/{name}.pid 2>/dev/null) && read -r c </proc/$p/comm && [ "$c" = {what} ]'
        return subprocess.run(self.inside(n, "/bin/sh", "-c", script), capture_output=True).returncode == 0

    def _answers(self, n: int) -> bool:
        try:
            socket.create_connection((self.address(n), 22), 2).close()
        except OSError:
            return False
        asks = ([DOCKER, "version"], ["gluster", "--mode=script", "peer", "status"])
        return all(subprocess.run(self.inside(n, *ask), capture_output=True).returncode == 0 for ask in asks)

    def _import(self, n: int) -> None:
        """A busybox image without any registry."""
        with tempfile.NamedTemporaryFile(dir=self.directory, suffix=".tar") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                tar.add(os.path.realpath(BUSYBOX), "bin/busybox")
                for applet in ("sh", "sleep", "tail", "cat", "dd", "true", "false", "httpd"):
                    link = tarfile.TarInfo(f"bin/{applet}")
                    link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(link)
                for directory in ("tmp", "etc"):
                    entry = tarfile.TarInfo(directory)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry, io.BytesIO())
            file.flush()
            self.run(n, DOCKER, "import", file.name, IMAGE)

    def _pool(self) -> None:
        """One trusted pool of all peers."""
        for n in PEERS[1:]:
            if f"peer{n}" not in self.run(1, "gluster", "--mode=script", "pool", "list"):
                self.run(1, "gluster", "--mode=script", "peer", "probe", f"peer{n}")
        for n in PEERS:

            def joined(n: int = n) -> bool:
                said = self.run(n, "gluster", "--mode=script", "peer", "status", check=False)
                return said.count("State: Peer in Cluster (Connected)") == len(PEERS) - 1

            until(joined, f"the trusted pool as peer {n} sees it")

    def _config(self) -> None:
        """A configuration for incident-tui with paces that suit an impatient person."""
        out = [f'[journal]\ndirectory = "{self.directory / "journal"}"\n']
        for n in PEERS:
            out.append(
                f'[[hosts]]\nname = "peer{n}"\naddress = "{self.address(n)}"\nuser = "root"\n'
                f'identity_file = "{self.directory / "key"}"\nknown_hosts = "{self.directory / "known_hosts"}"\n'
                'roles = ["docker", "gluster"]\n'
            )
        (self.directory / "config.toml").write_text("\n".join([*out, _PACES]))

    # ------------------------------------------------------------------ down

    def down(self) -> None:
        if not self.state.exists():
            return
        for n in PEERS:
            pid = self.first(n)
            if pid:
                os.kill(pid, signal.SIGKILL)
        for n in PEERS:
            until(lambda n=n: not self.first(n), f"the end of peer {n}")  # type: ignore[misc]
            name = self.space(n)
            if Path(f"/run/netns/{name}").exists():
                call("ip", "netns", "del", name)  # and with it the cable's inner end, and so the cable
        bridge = f"{self.prefix}br"
        if Path(f"/sys/class/net/{bridge}").exists():
            call("ip", "link", "del", bridge)
        for n in PEERS:
            for top in (*Path("/sys/fs/cgroup").glob(f"*/{self.space(n)}"), Path("/sys/fs/cgroup") / self.space(n)):
                for folder, _, _ in os.walk(top, topdown=False):
                    with contextlib.suppress(OSError):  # what is not empty is not ours any more
                        os.rmdir(folder)
        if self.made_root:
            with contextlib.suppress(OSError):  # somebody else uses it by now
                DOCKER_ROOT.rmdir()
        shutil.rmtree(self.directory)

    def cable(self, n: int, state: str) -> None:
        call("ip", "link", "set", self.space(n), state)


_SSHD_CONFIG = """\
Port 22
ListenAddress {address}
HostKey {place}/ssh/host
AuthorizedKeysFile {place}/ssh/authorized_keys
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
MaxStartups 100
"""

# Peers notice a lost one in seconds, not after minutes.
_GLUSTERD_VOL = """\
volume management
    type mgmt/glusterd
    option working-directory /var/lib/glusterd
    option transport-type socket
    option transport.socket.keepalive-time 2
    option transport.socket.keepalive-interval 1
    option transport.socket.keepalive-count 3
    option transport.tcp-user-timeout 5
    option transport.socket.read-fail-log off
    option transport.socket.listen-port 24007
    option ping-timeout 5
    option event-threads 1
end-volume
"""

# The peers share one kernel; this shows a peer the kills in its own cgroup, since it was made or its mark was moved.
_DMESG = """\
#!/bin/sh
{real} "$@" | awk -v since="$(cat {place}/dmesg-since)" '
    {{ at = $0; sub(/^\\[ */, "", at) }}
    at + 0 < since + 0 {{ next }}
    /invoked oom-killer/ {{ first = $0; ours = 0; next }}
    /oom-kill:constraint=/ {{ ours = index($0, "/{space}/"); if (ours && first != "") print first; first = "" }}
    /oom-kill:|Killed process|[Oo]ut of memory|Task in/ {{ if (ours) print; next }}
    {{ print }}'
"""

# The first process of a peer: hides what is this machine's own, starts sshd, and then only reaps.
_INIT = """\
mount --make-rprivate /
hostname peer{n}
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/gluster
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /var/log/glusterfs
mkdir -p /run/mnt
mount --bind {place}/gluster-log /var/log/glusterfs
mount --bind {place}/glusterd /var/lib/glusterd
mount --bind {place}/docker {docker_root}
mount --bind {place}/glusterd.vol /etc/glusterfs/glusterd.vol
mount --bind {place}/hosts /etc/hosts
cp {dmesg} /run/dmesg
mount --bind {place}/dmesg {dmesg}
[ ! -e /usr/local/bin/docker ] || mount --bind {docker} /usr/local/bin/docker
{sshd} -f {place}/sshd_config -E /var/log/sshd
: >{place}/ready
while :; do sleep 3600 & wait $!; done
"""

_PACES = """\
[thresholds]
# The peers share this machine's processors, memory and disk; how full those are is not the lab's subject.
memory_warn = 99.5
memory_crit = 99.9
swap_rate_warn = 1e9
swap_rate_crit = 1e9
load_warn = 1000.0
load_crit = 1000.0
disk_warn = 99.9
disk_crit = 100.0
inodes_warn = 99.9
inodes_crit = 100.0
pressure_warn = 99.9
pressure_crit = 100.0
slow_max_age = 20.0

[fleet]
fast_seconds = 1.0
slow_seconds = 2.0
gluster_seconds = 30.0
heal_seconds = 4.0
seldom_seconds = 10.0
connect_timeout = 3.0
keepalive_seconds = 2.0

[watch]
hold_seconds = 2.0
"""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="peers.py", description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--directory", type=Path, default=Path("/var/lib/incident-tui-lab"))
    parser.add_argument(
        "--prefix", default="itlab", help="of interface, namespace and cgroup names; at most 12 letters"
    )
    parser.add_argument("--subnet", default="10.213.77", help="the first three numbers of the peers' addresses")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "down", "missing"):
        verbs.add_parser(verb)
    for verb in ("exec", "cut", "join", "start"):
        sub = verbs.add_parser(verb)
        sub.add_argument("n", type=int, choices=PEERS)
        if verb == "exec":
            sub.add_argument("command", nargs=argparse.REMAINDER)
        elif verb == "start":
            sub.add_argument("what", choices=("glusterd", "dockerd"))
    given = parser.parse_args(words)
    lab = Lab(given.directory, given.prefix, given.subnet)
    try:
        match given.verb:
            case "up":
                lab.up()
                print(f"the lab is up; incident-tui --config {lab.directory / 'config.toml'}")
            case "down":
                lab.down()
            case "missing":
                why = missing()
                print(why, end="\n" if why else "")
                return 1 if why else 0
            case "exec":
                command = lab.inside(given.n, *given.command)
                os.execvp(command[0], command)
            case "cut" | "join":
                lab.cable(given.n, "down" if given.verb == "cut" else "up")
            case "start":
                lab.start(given.n, given.what)
    except LabError as error:
        print(f"peers.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
