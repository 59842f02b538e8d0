"""A container's death by docker's event: seen before inspect has answered, and never taken for well."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import docker, health
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
WEB, DB = "ab" * 32, "cd" * 32


@pytest.fixture
def host() -> Assembler:
    assembler = Assembler("web1", ("docker",), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))
    state = {"Running": True, "Pid": 7, "ExitCode": 0, "StartedAt": "2026-11-24T03:00:00Z"}
    policy = {"RestartPolicy": {"Name": "always"}}
    found = [{"Id": i, "Name": n, "State": state, "HostConfig": policy} for i, n in ((WEB, "/web"), (DB, "/db"))]
    sections = [
        Section(name="docker-ps", body=f"{WEB}\n{DB}", rc=0),
        Section(name="docker-inspect", body=json.dumps(found), rc=0),
    ]
    assembler.take(sections, NOW, NOW)
    return assembler


def said(host: Assembler) -> dict[str, tuple[Level, str]]:
    found = health.findings([host.reading], Thresholds(), NOW)
    return {f.subject: (f.level, f.sentence) for f in found if f.rule == "docker.container-down"}


def hear(host: Assembler, line: str) -> None:
    event = docker.parse_event(line)
    assert event is not None
    host.event(event, NOW + timedelta(seconds=1))


def test_a_death_with_its_code(host: Assembler) -> None:
    hear(host, f"2026-11-24T03:10:01.000000000Z container die {WEB} (exitCode=137, image=app, name=web)")
    assert said(host) == {"web1 web": (Level.CRIT, "web1 web: exited 137 (killed)")}
    assert host.reading.docker is not None and host.reading.docker.at == NOW  # the others are as old as they were


def test_a_death_of_1_6_has_no_code_and_is_not_well(host: Assembler) -> None:
    hear(host, f"2026-11-24T03:10:01.000000000Z {WEB}: (from app:latest) die")
    level, sentence = said(host)["web1 web"]
    assert level is Level.CRIT
    assert sentence.endswith("its exit code is not read yet")


def test_a_stop_explains_the_death(host: Assembler) -> None:
    hear(host, f"2026-11-24T03:10:00.000000000Z container kill {WEB} (image=app, name=web, signal=15)")
    hear(host, f"2026-11-24T03:10:01.000000000Z container die {WEB} (exitCode=143, image=app, name=web)")
    assert all(level is not Level.CRIT for level, _ in said(host).values())


def test_a_start_alone_makes_nothing_well(host: Assembler) -> None:
    hear(host, f"2026-11-24T03:10:01.000000000Z container die {WEB} (exitCode=1, image=app, name=web)")
    hear(host, f"2026-11-24T03:10:02.000000000Z container start {WEB} (image=app, name=web)")
    assert "web1 web" in said(host)
