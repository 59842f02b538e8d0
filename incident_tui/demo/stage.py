"""Sets the demo's stage: a directory, the process that plays the machines, and the configuration for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from incident_tui.config import Settings
from incident_tui.demo.serve import Endpoints
from incident_tui.replica.settings import Replica

CHAT_VARIABLE: Final = "INCIDENT_TUI_CHAT_URL"
MARK: Final = "DEMO"
_START_SECONDS: Final = 20.0


class StageError(Exception):
    """The demo could not be started; the message is one sentence."""


class Stage:
    """A running demo. Use as a context manager; leaving it ends the machines."""

    def __init__(self, directory: Path, journal: Path | None, settings: Settings, scenario: str, speed: float) -> None:
        self.directory = directory
        self.journal = journal or directory / "journal"
        self.settings = settings
        self._scenario = scenario
        self._speed = speed
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stage:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.journal.mkdir(parents=True, exist_ok=True)
        (self.journal / MARK).touch()
        if self.journal != self.directory / "journal":
            (self.directory / "journal").symlink_to(self.journal)
        log = (self.directory / "machines.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "incident_tui.demo.serve", str(self.directory), self._scenario, str(self._speed)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        endpoints = self._wait()
        config = self.directory / "config.toml"
        config.write_bytes(toml_for(self.settings, endpoints, self.journal))
        os.environ[CHAT_VARIABLE] = f"http://127.0.0.1:{endpoints.web}/chat/demo"
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # The journal and the chat stay, for the report; the machines and their keys go.
        for gone in ("machines", "bin"):
            shutil.rmtree(self.directory / gone, ignore_errors=True)
        for path in (*self.directory.glob("id_demo*"), self.directory / "known_hosts", self.directory / "ready"):
            path.unlink(missing_ok=True)

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def chat(self) -> str:
        """What has reached the demo's chat, one message a line."""
        path = self.directory / "chat.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _wait(self) -> Endpoints:
        assert self._process is not None
        end = time.monotonic() + _START_SECONDS
        ready = self.directory / "ready"
        while time.monotonic() < end:
            if ready.exists():
                return msgspec.json.decode(ready.read_bytes(), type=Endpoints)
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise StageError(
            f"the demo's machines did not start within {_START_SECONDS:g} s; the reason is in "
            f"{self.directory / 'machines.log'}"
        )


def toml_for(settings: Settings, endpoints: Endpoints, journal: Path) -> bytes:
    """The example configuration with its hosts, sites and chat on loopback, and a pace fit for a demo."""
    replace = msgspec.structs.replace
    hosts = tuple(
        replace(
            host,
            address="127.0.0.1",
            port=endpoints.ports[host.name],
            user="root",
            identity_file=endpoints.identity_file,
            known_hosts=endpoints.known_hosts,
            jump="",
            sudo=False,
        )
        for host in settings.hosts
        if host.name in endpoints.ports
    )
    sites = tuple(
        replace(site, url=f"http://127.0.0.1:{endpoints.web}/site/{site.name}", seconds=5.0) for site in settings.sites
    )
    quick = replace(
        settings,
        hosts=hosts,
        sites=sites,
        journal=replace(settings.journal, directory=str(journal)),
        fleet=replace(settings.fleet, fast_seconds=2.0, slow_seconds=5.0, gluster_seconds=30.0, heal_seconds=30.0),
        commands=replace(settings.commands, keys="hosts"),  # the demo's machines know one key, made for them
        watch=replace(settings.watch, hold_seconds=3.0, linger_seconds=5.0),
        # Nothing outside of the demo is asked or listened for.
        alerts=(),
        alert_rules=(),
        hooks=(),
        rooms=(),
        sync=(),
        replica=Replica(),
        listener=replace(settings.listener, bind="", token_env="", token_file="", cert="", key=""),
    )
    return _toml(msgspec.to_builtins(quick)).encode()


def _toml(tables: dict[str, Any], place: str = "") -> str:
    """Tables of plain values, and arrays of such tables. A JSON value of these types is a TOML value too."""
    out = [f"{key} = {json.dumps(value)}\n" for key, value in tables.items() if not _holds_tables(value)]
    for name, body in tables.items():
        for table in (body if isinstance(body, tuple) else (body,)) if _holds_tables(body) else ():
            head = f"[[{place}{name}]]" if isinstance(body, tuple) else f"[{place}{name}]"
            out.append(f"{head}\n{_toml(table, f'{place}{name}.')}")
    return "".join(out)


def _holds_tables(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, tuple) and any(isinstance(one, dict) for one in value))
