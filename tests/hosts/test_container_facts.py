"""What is known of a container besides its state: host names, ports, directories, processor time, followed events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import served_names
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.docker import parse_inspect
from incident_tui.hosts.readings import Container, Link, LinkState
from incident_tui.hosts.sections import Section

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
WEB = "ab" * 32


@pytest.mark.parametrize(
    ("environment", "labels", "names"),
    [
        (["VIRTUAL_HOST=www.shop.example,shop.example:8080, https://pay.example/cart"], {}, "www.shop pay shop"),
        (["LETSENCRYPT_HOST=shop.example", "VIRTUAL_HOST=shop.example"], None, "shop"),
        (["VIRTUAL_HOST=*.shop.example"], {}, "*.shop"),
        (["VIRTUAL_HOST=~^www\\..*\\.example$"], {}, ""),
        (["VIRTUAL_HOST_PASSWORD=so.secret", "PASSWORD=a.b.example", "NOTHING", 7], {}, ""),
        (["VIRTUAL_HOST=`rm -rf .x`,\x1b[31mred.example,localhost"], {}, ""),
        ([], {"traefik.frontend.rule": "Host:Shop.example,www.shop.example;PathPrefix:/a"}, "shop www.shop"),
        ([], {"traefik.api.frontend.rule": "HostRegexp:{any:.*}.example"}, ""),
        ([], {"traefik.http.routers.a.rule": "Host(`shop.example`) || Host(`www.shop.example`)"}, "shop www.shop"),
        ([], {"traefik.http.routers.a-b.rule": 'Host("shop.example", "pay.example") && Path(`/x`)'}, "shop pay"),
        ([], {"traefik.tcp.routers.db.rule": "HostSNI(`db.example`)"}, "db"),
        ([], {"traefik.http.routers.a.rule": "HostRegexp(`.*\\.example`) && !Host(`shop.example`)"}, ""),
        ([], {"traefik.http.services.a.rule": "Host(`shop.example`)", "x": None}, ""),
        ([], {"caddy": "shop.example www.shop.example", "caddy_1": "pay.example"}, "shop www.shop pay"),
        ("VIRTUAL_HOST=shop.example", "traefik", ""),
    ],
)
def test_names_that_are_served(environment: object, labels: object, names: str) -> None:
    expected = {f"{name}.example" for name in names.split()}
    found = served_names.names(environment, labels)
    assert set(found) == expected and len(found) == len(expected)


def inspected(**more: object) -> Container:
    item = {"Id": WEB, "Name": "/web", "State": {"Running": True, "Pid": 7, "ExitCode": 0}, **more}
    (container,) = parse_inspect(json.dumps([item]))
    return container


def test_inspect_gives_ports_directories_and_names_and_nothing_else_of_the_environment() -> None:
    container = inspected(
        Config={"Env": ["VIRTUAL_HOST=shop.example", "MYSQL_PASSWORD=hunter2"], "Labels": {"secret": "hunter3"}},
        NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "443/tcp": None}},
        Mounts=[
            {"Type": "bind", "Source": "/mnt/gv0/shop", "Destination": "/var/www"},
            {"Type": "tmpfs", "Source": "", "Destination": "/tmp"},
            {"Type": "volume", "Source": "/mnt/gv0/shop", "Destination": "/again"},
        ],
    )
    assert (container.names, container.ports) == (("shop.example",), ("8080->80/tcp",))
    assert container.mounts == ("/mnt/gv0/shop",)
    assert "hunter" not in repr(container)


def test_directories_as_1_6_says_them() -> None:
    assert inspected(Volumes={"/var/www": "/mnt/gv0/shop", "/x": None}).mounts == ("/mnt/gv0/shop",)
    assert inspected(Mounts="damaged", Volumes=7).mounts == ()


def host() -> Assembler:
    assembler = Assembler("web1", ("docker",), Link(state=LinkState.UP, sentence="", since=NOW, at=NOW))
    take_containers(assembler)
    return assembler


def take_containers(assembler: Assembler) -> None:
    state = {"Running": True, "Pid": 7, "ExitCode": 0, "StartedAt": "2026-11-24T03:00:00Z"}
    sections = [
        Section(name="docker-ps", body=WEB, rc=0),
        Section(name="docker-inspect", body=json.dumps([{"Id": WEB, "Name": "/web", "State": state}]), rc=0),
    ]
    assembler.take(sections, NOW, NOW)


def percent(assembler: Assembler, uptime: float, line: str, *, late: float = 0.0) -> float | None:
    """Of the container after one more round whose answer came `late` seconds late."""
    at = NOW + timedelta(seconds=uptime + late)
    sections = [
        Section(name="proc", body=f"/proc/loadavg:0.1 0.1 0.1 1/9 9\n/proc/uptime:{uptime:.2f} 9.0\n", rc=0),
        Section(name="cgroup", body=line, rc=0),
    ]
    docker = assembler.take(sections, at, at).docker
    assert docker is not None
    return docker.containers[0].cpu_percent


V1, V2 = f"/cgroup/cpuacct/docker/{WEB}/cpuacct.usage:%d\n", f"/docker/{WEB}/cpu.stat:usage_usec %d\n"


@pytest.mark.parametrize(("form", "second"), [(V1, 10**9), (V2, 10**6)])
def test_processor_time_between_two_readings_by_the_hosts_own_clock(form: str, second: int) -> None:
    assembler = host()
    assert percent(assembler, 100, form % (50 * second)) is None  # one reading says nothing
    assert percent(assembler, 110, form % (65 * second), late=3) == pytest.approx(150)
    take_containers(assembler)  # inspect keeps it
    docker = assembler.reading.docker
    assert docker is not None and docker.containers[0].cpu_percent == pytest.approx(150)
    assert percent(assembler, 120, form % second) is None  # started anew: its cgroup counts from 0
    assert percent(assembler, 130, form % (2 * second)) == pytest.approx(10)
    assert percent(assembler, 140, "") is None  # not read: not what it was


def test_events_that_cannot_be_followed_are_said_until_they_can() -> None:
    assembler = host()
    assembler.follows(False)
    take_containers(assembler)
    assert assembler.reading.docker is not None and assembler.reading.docker.polled
    assembler.follows(True)
    assert not assembler.reading.docker.polled
