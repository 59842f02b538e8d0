"""Real sshd of this machine on 127.0.0.0/8, with keys of its own; what it and all it started have used of the CPU."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from incident_tui.fleet.settings import Host

ADDRESSES = 16
"""An sshd listens on no more."""
TOOLS = "awk cat date df dmesg find grep head id ls printf ps rm sed sh sleep stat tail timeout true"


def clean_home(directory: Path) -> None:
    """No key, agent or ssh configuration of whoever measures; programs that we start have it so, too."""
    os.environ["HOME"] = str(directory)
    os.environ.pop("SSH_AUTH_SOCK", None)


def keys(directory: Path) -> None:
    """`host` and `key` in the directory, with known_hosts for any name and address of 127.0.0.0/8."""
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)
    public = " ".join((directory / "host.pub").read_text().split()[:2])
    (directory / "known_hosts").write_text(f"* {public}\n")


def basic_tools(directory: Path) -> Path:
    """A PATH with what every host has."""
    tools = directory / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in TOOLS.split():
            if (found := shutil.which(name, path="/usr/bin:/bin")) is not None:
                (tools / name).symlink_to(found)
    return tools


class Sshd:
    """One daemon on a free port of up to 16 addresses. Ends the benchmark with one sentence where there is no sshd."""

    def __init__(self, directory: Path, *addresses: str) -> None:
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
        if program is None:
            sys.exit("no sshd on this machine; install openssh-server")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.directory, self.addresses = directory, addresses or ("127.0.0.1",)
        if not (directory / "key").exists():
            keys(directory)
        with socket.socket() as free:
            free.bind((self.addresses[0], 0))
            self.port: int = free.getsockname()[1]
        lines = [
            f"Port {self.port}",
            *(f"ListenAddress {address}" for address in self.addresses),
            f"HostKey {directory}/host",
            f"AuthorizedKeysFile {directory}/key.pub",
            "MaxStartups 500",
            "PermitRootLogin yes",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            # No .bashrc, which every `ssh HOST command` would read; no docker and gluster of this machine.
            f"SetEnv HOME={directory} ITUI_PATH={basic_tools(directory)}",
        ]
        configuration = directory / f"sshd-{self.port}"
        configuration.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen([program, "-D", "-f", str(configuration), "-E", str(directory / "log")])
        for _ in range(200):
            try:
                socket.create_connection((self.addresses[-1], self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"sshd did not start: {(directory / 'log').read_text()[-300:]}")

    def host(self, name: str = "bench", address: str = "") -> Host:
        return Host(
            name=name,
            address=address or self.addresses[0],
            port=self.port,
            user="root" if os.getuid() == 0 else os.environ.get("USER", ""),
            identity_file=str(self.directory / "key"),
            known_hosts=str(self.directory / "known_hosts"),
        )

    def end(self) -> float:
        """Stop it; seconds of CPU it and its sessions have used, as the kernel counted them."""
        for _ in range(100):  # sessions that are about to end are counted when they have been waited for
            if not Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().strip():
                break
            time.sleep(0.05)
        self.process.terminate()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime
