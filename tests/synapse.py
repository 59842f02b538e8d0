"""A real Matrix server: Synapse on 127.0.0.1, installed once into an environment of its own beside the project's.

`python -m tests.synapse` installs it, which CI does while it has other work. A test that finds none installs it itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements-synapse.txt"
ENVIRONMENT = ROOT / ".venv" / "synapse"
_STARTS_WITHIN = 60.0
_SERVER = "localhost"
_GENEROUS = {
    "rc_message": {"per_second": 1000, "burst_count": 1000},
    "rc_login": {name: {"per_second": 1000, "burst_count": 1000} for name in ("address", "account")},
}


class CannotInstall(Exception):
    """pip could not make the environment; the text is its last words."""


def install() -> Path:
    """The Python that has Synapse; makes its environment first when it is not there or not the one of the pins.

    Two test runs may ask at once. Raises CannotInstall.
    """
    stamp, wanted = ENVIRONMENT / "installed", hashlib.sha256(PINS.read_bytes()).hexdigest()
    python = ENVIRONMENT / "bin" / "python"
    ENVIRONMENT.parent.mkdir(exist_ok=True)
    with (ENVIRONMENT.parent / "synapse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return python
        for words in (
            [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(PINS)],
        ):
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                raise CannotInstall((done.stdout + done.stderr)[-600:])
        stamp.write_text(wanted)
    return python


class Account(msgspec.Struct, frozen=True):
    user: str
    """@ana:localhost"""
    token: str


class Synapse:
    """One server, whose rooms survive `stop` and `start`. Every call waits until it has been carried out."""

    def __init__(self, python: Path, directory: Path) -> None:
        self._python = python
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._accounts = 0
        self.limited = False
        generate = ["--server-name", _SERVER, "--config-path", "homeserver.yaml", "--generate-config"]
        generate += ["--report-stats=no", "--data-directory", str(directory)]
        subprocess.run(
            [str(python), "-m", "synapse.app.homeserver", *generate], cwd=directory, check=True, capture_output=True
        )
        found = re.search(r'registration_shared_secret: "([^"]+)"', (directory / "homeserver.yaml").read_text())
        assert found is not None
        self._secret = found[1]

    def start(self, *, limits: bool = False) -> None:
        """Ends when it answers. `limits`: with Synapse's own limits of pace, else with none that a test could meet."""
        assert self._process is None
        self.limited = limits
        listener = {
            "port": self.port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "tls": False,
            "x_forwarded": False,
            "resources": [{"names": ["client"], "compress": False}],
        }
        extra: dict[str, Any] = {
            "listeners": [listener],
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
        }
        # JSON is YAML.
        (self.directory / "extra.yaml").write_text(json.dumps(extra if limits else extra | _GENEROUS))
        with (self.directory / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(self._python), "-m", "synapse.app.homeserver", "-c", "homeserver.yaml", "-c", "extra.yaml"],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        end = time.monotonic() + _STARTS_WITHIN
        while True:
            with contextlib.suppress(OSError):
                self.ask("GET", "/_matrix/client/versions")
                return
            ended = self._process.poll()
            assert ended is None and time.monotonic() < end, f"Synapse: {ended}: {self._said()}"
            time.sleep(0.1)

    def stop(self) -> None:
        """As an administrator stops it. Nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def running(self) -> bool:
        return self._process is not None

    def _said(self) -> str:
        return (self.directory / "output").read_text(errors="replace")[-2000:]

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = "", seconds: float = 40.0
    ) -> dict[str, Any]:
        """One request of the client API. Raises urllib.error.HTTPError when it is refused."""
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode()
        )
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def account(self, name: str = "") -> Account:
        """A new user, whose name begins with `name`."""
        self._accounts += 1
        user, secret = f"{name or 'user'}{self._accounts}", "test-" + hashlib.sha256(name.encode()).hexdigest()[:16]
        nonce = self.ask("GET", "/_synapse/admin/v1/register")["nonce"]
        parts = "\0".join((nonce, user, secret, "notadmin")).encode()
        mac = hmac.new(self._secret.encode(), parts, hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "password": secret, "admin": False, "mac": mac}
        made = self.ask("POST", "/_synapse/admin/v1/register", body)
        return Account(made["user_id"], made["access_token"])

    def room(self, owner: Account, *others: Account, encrypted: bool = False) -> str:
        """A new room, "!…:localhost", which the others have joined."""
        state = (
            [{"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}]
            if encrypted
            else []
        )
        body = {"preset": "public_chat", "visibility": "private", "initial_state": state}
        room: str = self.ask("POST", "/_matrix/client/v3/createRoom", body, token=owner.token)["room_id"]
        for other in others:
            self.ask("POST", f"/_matrix/client/v3/join/{quoted(room)}", {}, token=other.token)
        return room

    def messages(self, room: str, reader: Account) -> list[dict[str, Any]]:
        """The room's messages as events, oldest first."""
        query = urllib.parse.urlencode({"dir": "b", "limit": 1000, "filter": '{"types":["m.room.message"]}'})
        path = f"/_matrix/client/v3/rooms/{quoted(room)}/messages?{query}"
        found: list[dict[str, Any]] = self.ask("GET", path, token=reader.token)["chunk"]
        return found[::-1]


def quoted(room: str) -> str:
    """A room's or event's id as a part of a path."""
    return urllib.parse.quote(room, safe="")


@pytest.fixture(scope="session")
def synapse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    try:
        python = install()
    except CannotInstall as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have Synapse: {problem}")
        pytest.skip(f"Synapse cannot be installed here: {problem}")
    server = Synapse(python, tmp_path_factory.mktemp("synapse"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def synapse(synapse_server: Synapse) -> Synapse:
    """The session's server, running and without limits of pace. A test may stop it, and start it with limits."""
    if synapse_server.limited or not synapse_server.running:
        synapse_server.stop()
        synapse_server.start()
    return synapse_server


if __name__ == "__main__":
    try:
        install()
    except CannotInstall as problem:
        sys.exit(f"Synapse cannot be installed: {problem}")
