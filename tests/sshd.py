"""A real sshd on 127.0.0.1 with a key and host key of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incident_tui.fleet.settings import Host


class Sshd:
    """One running sshd. `host()` makes the settings that reach it."""

    def __init__(self, directory: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.port = port
        self.process = process
        self.known_hosts = directory / "known_hosts"
        self.key = directory / "key"

    def host(self, name: str = "web1", **changes: object) -> Host:
        wanted: dict[str, object] = {
            "name": name,
            "address": "127.0.0.1",
            "port": self.port,
            "user": os.environ.get("USER", "root") if os.getuid() else "root",
            "identity_file": str(self.key),
            "known_hosts": str(self.known_hosts),
        }
        return Host(**(wanted | changes))  # type: ignore[arg-type]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keygen(path: Path, kind: str = "ed25519") -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)


@pytest.fixture
def start_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have sshd (package openssh-server)")
        pytest.skip("no sshd on this machine (package openssh-server)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    running: list[Sshd] = []

    def start(*lines: str, environment: dict[str, str] | None = None) -> Sshd:
        directory = tmp_path / f"sshd{len(running)}"
        directory.mkdir()
        keygen(directory / "host")
        keygen(directory / "key")
        (directory / "authorized_keys").write_text((directory / "key.pub").read_text())
        port = _free_port()
        public = " ".join((directory / "host.pub").read_text().split()[:2])
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        configuration = [
            *lines,
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {directory}/host",
            f"AuthorizedKeysFile {directory}/authorized_keys",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
        ]
        # A home of its own: what the account's login files do would be in every test, and in the way of all others.
        home = directory / "home"
        home.mkdir()
        environment = {"HOME": str(home), **(environment or {})}
        configuration.append("SetEnv " + " ".join(f'{key}="{value}"' for key, value in environment.items()))
        (directory / "config").write_text("\n".join(configuration) + "\n")
        process = subprocess.Popen(
            [program, "-D", "-f", str(directory / "config"), "-E", str(directory / "log")], start_new_session=True
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(f"sshd did not start: {(directory / 'log').read_text()}")
        running.append(Sshd(directory, port, process))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def sshd(start_sshd: Callable[..., Sshd]) -> Sshd:
    return start_sshd()
