"""Three real peers on this machine, for tests and for trying the program: OpenSSH, glusterd and Docker Engine.

    python3 -m tests.lab.peers [--directory DIR] [--prefix NAME] [--subnet A.B.C] COMMAND
        up              make them, or what is missing of them; needs root. DIR/config.toml is for incident-tui
        down            end them and remove everything that `up` made, and only that
        exec N COMMAND  run a command inside peer N; its exit status is the command's
        cut N, join N   pull and plug the network cable of peer N
        start N WHAT    start sshd, glusterd or dockerd of peer N again, detached
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
from pathlib import Path

from tests.lab.machine import (
    BUSYBOX,
    DOCKER,
    DOCKERD,
    GLUSTERD,
    SSHD,
    LabError,
    call,
    file,
    missing,
    started_at,
    until,
)

PEERS = (1, 2, 3)
IMAGE = "busybox:lab"
DOCKER_ROOT = Path("/var/lib/docker")
"""Where dockerd keeps its files on every host; each peer sees its own there."""


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
            raise LabError(f"peer {n} does not run; make lab makes it")
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
            lines.append(f"{self.address(n)},peer{n} {kind} {public}\n")
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
        (place / "sshd_config").write_text(file("sshd_config", address=self.address(n), place=place))
        (place / "glusterd.vol").write_text(file("glusterd.vol"))
        (place / "dmesg").write_text(file("dmesg", real="/run/dmesg", place=place, space=self.space(n)))
        (place / "dmesg").chmod(0o755)
        (place / "dmesg-since").write_text(Path("/proc/uptime").read_text().split()[0])
        script = place / "init"
        programs = {"sshd": SSHD, "docker": DOCKER, "docker_root": DOCKER_ROOT, "dmesg": shutil.which("dmesg")}
        script.write_text(file("init", place=place, n=n, **programs))
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
        if what == "sshd":
            self.run(n, SSHD, "-f", str(place / "sshd_config"), "-E", "/var/log/sshd")
            return
        self.run(n, "rm", "-f", "/run/docker.pid", "/run/docker/containerd/containerd.pid")
        options = [f"--data-root={DOCKER_ROOT}", "--exec-root=/run/docker", "--pidfile=/run/docker.pid"]
        options += ["--host=unix:///run/docker.sock", f"--cgroup-parent=/{self.space(n)}", "--bridge=none"]
        options += ["--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        options += ["--storage-driver=vfs", "--exec-opt=native.cgroupdriver=cgroupfs", "--shutdown-timeout=5"]
        # Its parent must be inside: nsenter stops itself with a child that is stopped, and then reaps nothing.
        detached = f"setsid {shlex.join([DOCKERD, *options])} >>{place / 'dockerd.log'} 2>&1 </dev/null &"
        self.run(n, "/bin/sh", "-c", detached)

    def _pid_of(self, n: int, what: str) -> bool:
        name = {"dockerd": "docker"}.get(what, what)
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
        (self.directory / "config.toml").write_text("\n".join([*out, file("paces.toml")]))

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


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="peers", description=__doc__.split("\n", 1)[0] if __doc__ else None)
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
            sub.add_argument("what", choices=("sshd", "glusterd", "dockerd"))
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
        print(f"peers: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
