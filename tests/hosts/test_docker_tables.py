"""The tables of docker 1.6 to 29 and podman, by the rules of their sources: widths, empty cells, cut commands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_tui.hosts import docker_tables as tables
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.readings_docker import Container

ID = "ea09c3c82f6e"


def table(*rows: tuple[str, ...], width: int = 20) -> str:
    """As Go's tabwriter prints it: each column as wide as its longest cell and three more, at least `width`."""
    wide = [max(width, *(len(row[n]) + 3 for row in rows)) for n in range(len(rows[0]) - 1)]
    return "".join(
        "".join(cell.ljust(size) for cell, size in zip(row, [*wide, 0], strict=True)).rstrip() + "\n" for row in rows
    )


HEAD = ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES")


def one(status: str, *, width: int = 20, ports: str = "", names: str = "web") -> Container:
    row = (ID, "app:latest", "\"/bin/sh -c 'while t", "2 weeks ago", status, ports, names)
    (found,) = tables.parse_ps_table(table(HEAD, row, width=width))
    return found


@pytest.mark.parametrize("width", [20, 10])
@pytest.mark.parametrize(
    ("status", "state", "health", "code"),
    [
        ("Up 3 hours", "running", "", 0),
        ("Up Less than a second", "running", "", 0),
        ("Up About an hour (healthy)", "running", "healthy", 0),
        ("Up 1 second (health: starting)", "running", "starting", 0),
        ("Up 4 days (unhealthy)", "running", "unhealthy", 0),
        ("Up 16 seconds (Paused)", "paused", "", 0),
        ("Exited (137) About a minute ago", "exited", "", 137),
        ("Exited (-1) 2 weeks ago", "exited", "", -1),
        ("Exited (0) 1.234567 years ago", "exited", "", 0),
        ("Restarting (1) 4 seconds ago", "restarting", "", 1),
        ("Created", "created", "", 0),
        ("", "created", "", 0),
        ("Dead", "dead", "", 0),
        ("Removal In Progress", "removing", "", 0),
        ("Verbing (3) now", "unknown", "", 0),
        ("Up 2 hours (melting)", "unknown", "", 0),
    ],
)
def test_each_status(status: str, state: str, health: str, code: int, width: int) -> None:
    found = one(status, width=width)
    assert (found.state, found.health, found.exit_code) == (state, health, code)
    assert (found.name, found.image, found.ports) == ("web", "app:latest", ())


def test_empty_cells_links_and_ports() -> None:
    found = one("", ports="127.0.0.1:5000->5000/tcp, 80/tcp", names="redis,webapp/db")
    assert found.name == "redis"
    assert found.ports == ("127.0.0.1:5000->5000/tcp", "80/tcp")


def test_wide_characters_are_counted_as_characters() -> None:
    row = (ID, "app:latest", '"/r\u00fcn \u00e9t\u00e9"', "2 weeks ago", "Exited (1) 2 weeks ago", "", "caf\u00e9")
    (found,) = tables.parse_ps_table(table(HEAD, row))
    assert (found.state, found.exit_code, found.name) == ("exited", 1, "caf\u00e9")


def test_nothing_runs_is_an_answer_and_no_table_is_none() -> None:
    assert tables.parse_ps_table("   ".join(HEAD) + "\n") == ()
    for damage in ("", "Cannot connect to the Docker daemon", "CONTAINER ID  IMAGE\n"):
        with pytest.raises(Unreadable):
            tables.parse_ps_table(damage)


def test_the_last_frame_of_stats_counts() -> None:
    frame = "\x1b[2J\x1b[HCONTAINER           CPU %               MEM USAGE/LIMIT     MEM %               NET I/O\n"
    first = frame + "redis1              0.00%               0 B/0 B             0.00%               0 B/0 B\n"
    last = frame + "redis1              0.07%               796 KiB/64 MiB      1.21%               788 B/648 B\n"
    (found,) = tables.parse_stats_table(first + last)
    assert (found.name, found.cpu_percent, found.usage, found.limit) == ("redis1", 0.07, 796 * 1024, 64 << 20)


def test_newer_stats_name_the_container_and_may_say_nothing() -> None:
    head = ("CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS")
    row = (ID, "web", "150.10%", "1.5GiB / 1.9GiB", "78.9%", "1kB / 2kB", "0B / 0B", "3")
    gone = ("ba09c3c82f6e", "db", "--", "-- / --", "--", "--", "--", "--")
    found, unsaid = tables.parse_stats_table(table(head, row, gone, width=10))
    assert (found.name, found.cpu_percent, found.usage) == ("web", 150.1, int(1.5 * (1 << 30)))
    assert (unsaid.cpu_percent, unsaid.usage, unsaid.memory_percent) == (None, None, None)


def test_json_of_docker_and_podman() -> None:
    line = {"ID": ID, "Names": "web", "Image": "app", "State": "exited", "Status": "Exited (3) 2 days ago", "Ports": ""}
    podman = [{"Id": "ab" * 32, "Names": ["db"], "State": "exited", "ExitCode": 1, "Status": "", "StartedAt": 0}]
    (docker,) = tables.parse_ps_json(json.dumps(line) + "\n")
    assert (docker.name, docker.state, docker.exit_code) == ("web", "exited", 3)
    (other,) = tables.parse_ps_json(json.dumps(podman, indent=2))
    assert (other.name, other.state, other.exit_code) == ("db", "exited", 1)
    (unsaid,) = tables.parse_ps_json(json.dumps({"ID": ID, "Names": "web", "State": "exited", "Status": ""}))
    assert unsaid.state == "unknown"  # how it ended was not said


def listed(**fields: Any) -> Container:
    (container,) = tables.parse_ps_json(json.dumps([{"Id": "ab" * 32, "Names": ["web"], "State": "running", **fields}]))
    return container


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("0.0.0.0:8080->80/tcp, 443/tcp", ("0.0.0.0:8080->80/tcp", "443/tcp")),
        (
            [{"PrivatePort": 443, "Type": "tcp"}, {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
            ("443/tcp", "8080->80/tcp"),
        ),
        ([{"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1, "protocol": "tcp"}], ("8080->80/tcp",)),
        (None, ()),
        ([None, 3], ()),
    ],
)
def test_ports_as_each_engine_lists_them(ports: Any, expected: tuple[str, ...]) -> None:
    assert listed(Status="Up 2 hours", Ports=ports).ports == expected


def test_health_of_the_newest_api() -> None:
    assert listed(Status="Up 2 hours", Health={"Status": "Unhealthy", "FailingStreak": 3}).health == "unhealthy"
