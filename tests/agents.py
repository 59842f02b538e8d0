"""A real ssh-agent with keys of its own, ended with the test, and within ten seconds by a test that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sshd import keygen


class SshAgent:
    """One running ssh-agent. `socket` is what SSH_AUTH_SOCK would be."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.socket = str(directory / "agent")
        # An agent given a command ends after it, and the command ends with its input, which is ours.
        tells = ["sh", "-c", 'echo "$SSH_AGENT_PID"; exec cat']
        self._command = subprocess.Popen(
            ["ssh-agent", "-a", self.socket, *tells], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._command.stdout is not None
        self.pid = int(self._command.stdout.readline())

    def run(self, *words: str, text: str | None = None) -> None:
        environ = os.environ | {"SSH_AUTH_SOCK": self.socket}
        subprocess.run(words, check=True, env=environ, capture_output=True, text=True, input=text)

    def add(self, kind: str = "ed25519") -> str:
        """Make a key and give it to the agent; the line of its `.pub` file."""
        path = self.directory / f"key-{len(list(self.directory.iterdir()))}"
        keygen(path, kind)
        self.run("ssh-add", "-q", str(path))
        return path.with_name(path.name + ".pub").read_text().strip()

    def lock(self) -> None:
        """As `ssh-add -x`, which wants a terminal for the password: SSH_AGENTC_LOCK over its socket."""
        import socket

        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(self.socket)
            agent.sendall(b"\x00\x00\x00\x07" + b"\x16" + b"\x00\x00\x00\x02pw")
            assert agent.recv(5) == b"\x00\x00\x00\x01\x06"

    def end(self) -> None:
        if self._command.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            self._command.communicate()
            while Path(self.socket).exists():  # it removes that on its way
                time.sleep(0.01)


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[[], SshAgent]]:
    running: list[SshAgent] = []

    def start() -> SshAgent:
        running.append(SshAgent(tmp_path / f"agent-{len(running)}"))
        return running[-1]

    yield start
    for one in running:
        one.end()
