"""A real Alertmanager on loopback: Debian's prometheus-alertmanager, or one in $PATH of that name or `alertmanager`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Alertmanager:
    """`post` and `resolve` act as Prometheus does. `stop` and `start` keep its data."""

    def __init__(self, program: str, directory: Path, receiver: str, token_file: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._program, self._directory = program, directory
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        hooks = ""
        if receiver:
            auth = f"      authorization: {{credentials_file: '{token_file}'}}\n" if token_file else ""
            hooks = f"  webhook_configs:\n  - url: {receiver}\n    send_resolved: true\n    http_config:\n{auth}"
            hooks += "      follow_redirects: false\n"
        (directory / "am.yml").write_text(
            "route: {receiver: tui, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers:\n- name: tui\n{hooks}"
        )
        self.start()

    def start(self) -> None:
        out = (self._directory / "am.out").open("ab")
        self._process = subprocess.Popen(
            [
                self._program,
                f"--config.file={self._directory / 'am.yml'}",
                f"--storage.path={self._directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        out.close()
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).close()
                return
            except OSError:
                assert self._process.poll() is None, (self._directory / "am.out").read_text()
                assert time.monotonic() < end, "Alertmanager does not become ready"
                time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def call(self, path: str, body: Any) -> None:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def post(self, *alerts: dict[str, str], ends: str = "", **annotations: str) -> None:
        """Alerts of these labels fire, or have ended."""
        more = {"endsAt": ends} if ends else {}
        self.call("/api/v2/alerts", [{"labels": labels, "annotations": annotations, **more} for labels in alerts])

    def resolve(self, *alerts: dict[str, str]) -> None:
        self.post(*alerts, ends=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    def log(self) -> str:
        return (self._directory / "am.out").read_text()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Callable[..., Alertmanager]]:
    """`alertmanager(receiver="http://…", token_file="…")` starts one; without a receiver it can be polled."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI installs prometheus-alertmanager (.ci/run), and it is not here")
        pytest.skip("needs an Alertmanager (Debian: apt install prometheus-alertmanager)")
    started: list[Alertmanager] = []

    def start(receiver: str = "", token_file: str = "") -> Alertmanager:
        started.append(Alertmanager(program, tmp_path / f"am{len(started)}", receiver, token_file))
        return started[-1]

    yield start
    for one in started:
        one.stop()
