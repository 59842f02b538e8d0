"""A daemon that hangs: its files and the kernel say what runs; a file alone makes nothing green."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.hosts import docker_files, health, probe
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
WEB, DB, OLD = "ab" * 32, "cd" * 32, "ef" * 32


def config(name: str, pid: int, *, running: bool, code: int = 0, env: str = "") -> str:
    state = (
        f'"Running":{str(running).lower()},"Paused":false,"Dead":false,"OOMKilled":false,"Pid":{pid},"ExitCode":{code}'
    )
    times = '"StartedAt":"2026-11-24T01:00:00Z","FinishedAt":"2026-11-24T02:00:00Z"'
    nested = '"Health":{"Log":[{"ExitCode":9}]}'
    return f'{{"State":{{{state},{times},{nested}}},"Name":"/{name}","Config":{{"Env":["{env}"]}}}}'


FILES = {
    f"/var/lib/docker/containers/{WEB}/config.v2.json": config("web", 71, running=True, env='x\\"Running\\":false'),
    f"/var/lib/docker/containers/{DB}/config.v2.json": config("db", 72, running=True),
    f"/var/lib/docker/containers/{OLD}/config.json": config("old", 0, running=False, code=3),
    "/proc/71/cgroup": f"4:memory:/docker/{WEB}\n",
    "/proc/72/cgroup": "4:memory:/user.slice\n",  # the pid was used again
}


@pytest.fixture
def section(
    shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path], monkeypatch: Any
) -> Section:
    script = probe.script().replace("docker-ps 12 ", "docker-ps 1 ").replace("$itui_rc 12\n", "$itui_rc 1\n")
    monkeypatch.setattr(probe, "script", lambda: script)
    root(FILES)
    hung = '[ "$1" = --version ] && { echo Docker version 1.6.2, build x; exit; }; exec sleep 60'
    running = run_probe(shell, "slow", programs={"docker": hung})
    answer = running.ask("docker")
    assert answer["docker-ps"].timed_out
    found: Section = answer["docker-files"]
    return found


def test_what_runs_by_file_and_kernel(section: Section) -> None:
    found = {one.name: one for one in docker_files.parse_files(section.body)}
    assert {name: one.state for name, one in found.items()} == {"web": "running", "db": "unknown", "old": "exited"}
    assert (found["old"].exit_code, found["web"].pid, found["db"].pid) == (3, 71, 0)


def test_the_daemon_stays_hung_and_what_is_known_is_renewed(section: Section) -> None:
    assembler = Assembler("web1", ("docker",), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))
    hung = Section(name="docker-ps", body="", rc=137, seconds=12.0, limit=12.0)
    reading = assembler.take([hung, section], NOW, NOW)
    assert reading.docker is not None and reading.docker.source == "files"
    found = {(one.rule, one.subject): one.level for one in health.findings([reading], Thresholds(), NOW)}
    assert found["docker.daemon-hung", "web1"] is Level.WARN
    assert found["docker.container-unknown", "web1 db"] is Level.UNKNOWN
    assert ("docker.container-unknown", "web1 web") not in found
    nothing = assembler.take([hung, msgspec.structs.replace(section, body="")], NOW, NOW)
    assert nothing.docker == reading.docker  # an account that may not look renews nothing


@pytest.mark.parametrize("damage", ['"Running":tru', "x", f'/containers/{WEB}/config.json:"Running":true'])
def test_damage_is_never_running(damage: str) -> None:
    assert all(one.state == "unknown" for one in docker_files.parse_files(damage))
