"""The demo's machines: scenarios are sound, what people say repairs them, and the old programs refuse new flags."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.config import load as load_config
from incident_tui.demo.peers import install_programs
from incident_tui.demo.scenario import build, happen, load, names, repairs
from incident_tui.demo.tree import Tree
from incident_tui.demo.world import World
from incident_tui.hosts.gluster import Rows, peers_xml, status_xml
from incident_tui.hosts.gluster_text import peers_text, status_text
from incident_tui.shipped import shipped

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return build(load("outage"), NOW)


def play(world: World, seconds: float, scenario: str = "outage") -> None:
    due = sorted(load(scenario).events, key=lambda event: event.at)
    for second in range(int(seconds)):
        for event in [event for event in due if second <= event.at < second + 1]:
            happen(world, event.do)
        world.tick(1.0)


@pytest.mark.parametrize("name", names())
def test_every_scenario_fits_the_example_configuration(name: str) -> None:
    scenario, settings = load(name), load_config(shipped("config.toml"))
    assert {plan.name for plan in scenario.peers} == {host.name for host in settings.hosts}
    assert {plan.name for plan in scenario.sites} == {site.name for site in settings.sites}
    world = build(scenario, NOW)
    for event in scenario.events:
        assert happen(world, event.do) or event.do.startswith("oom "), event.do


def test_the_outage_breaks_what_it_says_and_repairs_mend_it(world: World) -> None:
    play(world, 90)
    drupal = world.container("web2", "drupal-a")
    assert drupal is not None and drupal.state == "exited" and drupal.exit_code == 137
    assert world.site_status("reliefweb") == 502 and world.site_status("response") == 200
    gv0 = world.volumes["gv0"]
    assert gv0.split == ["/files/a.pdf"] and sum(brick.alive for brick in gv0.bricks) == 2
    assert max(brick.pending for brick in gv0.bricks) > 100
    for action in (
        "stopped solr on web2",
        "restarted drupal-a on web2",
        "gluster volume start gv0 force",
        "chose web1 as source for /files/a.pdf",
    ):
        done = repairs(world, action)
        assert done, action
        for line in done:
            assert happen(world, line)
    for _ in range(60):
        world.tick(1.0)
    assert world.peers["web2"].used < 85 and drupal.state == "running"
    assert world.site_status("reliefweb") == 200
    assert not gv0.split and all(brick.alive and brick.pending == 0 for brick in gv0.bricks)


@pytest.mark.parametrize("words", ["", "looked at web2", "drupal-a is slow", "nonsense \x1b[31m", "docker stop"])
def test_other_sentences_change_nothing(world: World, words: str) -> None:
    assert repairs(world, words) == []
    assert not happen(world, words or " nothing")


class Machine:
    def __init__(self, tree: Tree, programs: Path) -> None:
        self.tree = tree
        self.programs = programs

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {"ITUI_ROOT": str(self.tree.root), "PATH": f"{self.programs}:{os.environ['PATH']}"}
        return subprocess.run([self.programs / words[0], *words[1:]], env=environment, capture_output=True, text=True)


@pytest.fixture
def machine(world: World, tmp_path: Path) -> Machine:
    tree = Tree(tmp_path / "web1")
    tree.write(world, world.peers["web1"])
    return Machine(tree, install_programs(tmp_path))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("docker", "ps", "--format", "x"), 2, "flag provided but not defined: --format"),
        (("docker", "stats", "--no-stream"), 2, "flag provided but not defined: --no-stream"),
        (("docker", "inspect", "--type=container", "x"), 2, "flag provided but not defined"),
        (("docker", "inspect", "nothing"), 1, "No such image or container: nothing"),
        (("gluster", "volume", "heal", "gv0", "info", "summary"), 1, "Usage: volume heal"),
        (("gluster", "get-state"), 1, "unrecognized word"),
        (("gluster", "--timeout=5", "peer", "status"), 1, "unrecognized option"),
        (("gluster", "volume", "status", "nope"), 1, "does not exist"),
    ],
)
def test_the_old_programs_refuse_what_did_not_exist_then(
    machine: Machine, words: tuple[str, ...], status: int, said: str
) -> None:
    done = machine.run(*words)
    assert done.returncode == status and said in done.stdout + done.stderr


def test_a_repair_typed_on_the_machine_reaches_the_simulation(machine: Machine, world: World) -> None:
    play(world, 90)
    machine.run("docker", "start", "drupal-a")
    machine.run("gluster", "volume", "start", "gv0", "force")
    lines = machine.tree.requests()
    assert lines == ["docker start drupal-a", "volume start gv0"] and machine.tree.requests() == []
    assert all(happen(world, line) for line in lines)
    assert all(brick.alive for brick in world.volumes["gv0"].bricks)


def test_a_daemon_that_is_down_says_so_as_that_version_did(machine: Machine, world: World) -> None:
    world.peers["web1"].dockerd = world.peers["web1"].glusterd = False
    machine.tree.write(world, world.peers["web1"])
    assert "FATA[0000]" in machine.run("docker", "ps", "-aq").stderr
    assert "Connection failed" in machine.run("gluster", "peer", "status").stdout


def test_a_person_is_told_the_same_as_the_probe_and_without_xml(machine: Machine, world: World) -> None:
    play(world, 90)
    machine.tree.write(world, world.peers["web1"])
    ask = ("volume", "status", "gv0")
    (read,) = status_xml(machine.run("gluster", "--mode=script", "--xml", *ask).stdout)
    said = machine.run("gluster", *ask).stdout
    (rows,) = status_text(said)

    def plain(of: Rows) -> list[tuple[object, ...]]:
        return [*((one.host, one.online, one.pid) for one in of.bricks), *((one.host,) for one in of.services)]

    assert "xml" not in said and plain(rows) == plain(read)
    assert any(not brick.alive for brick in world.volumes["gv0"].bricks) and " N       N/A" in said
    assert machine.run("gluster", "volume", "status").stdout.count("Status of volume: ") == len(world.volumes)
    peers = peers_xml(machine.run("gluster", "--xml", "peer", "status").stdout)
    told = peers_text(machine.run("gluster", "peer", "status").stdout)
    assert [(one.names, one.connected) for one in told] == [(one.names, one.connected) for one in peers]
