"""Scenarios: TOML files that say what happens when, and the repairs that people's actions bring about."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import msgspec
import tomli

from incident_tui.demo.world import Brick, Container, Peer, Site, Volume, World


class ContainerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    image: str
    share: float
    policy: str = "always"


class PeerPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    modern: bool = False
    memory_mb: int = 2048
    gluster: bool = False
    used: float = 55.0
    containers: tuple[ContainerPlan, ...] = ()


class VolumePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    peers: tuple[str, ...]
    path: str


class SitePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    needs: str
    """HOST/CONTAINER."""


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`do` at `at` seconds from the start; see `happen` for the words."""

    at: float
    do: str


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    title: str
    peers: tuple[PeerPlan, ...]
    volumes: tuple[VolumePlan, ...] = ()
    sites: tuple[SitePlan, ...] = ()
    events: tuple[Event, ...] = ()


class ScenarioError(ValueError):
    """A scenario cannot be played; the message names the file and what is wrong."""


def names() -> list[str]:
    return sorted(path.stem for path in _directory().glob("*.toml"))


def load(name: str) -> Scenario:
    path = _directory() / f"{name}.toml"
    if name not in names():
        raise ScenarioError(f"there is no scenario {name!r}; there are {', '.join(names())}")
    try:
        return msgspec.convert(tomli.loads(path.read_text(encoding="utf-8")), Scenario)
    except (msgspec.ValidationError, tomli.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def _directory() -> Path:
    return Path(__file__).parent / "scenarios"


def build(scenario: Scenario, now: datetime) -> World:
    """The machines as the scenario finds them: all well."""
    peers = [
        Peer(
            plan.name,
            plan.modern,
            plan.memory_mb * 1024,
            [Container(item.name, item.image, item.share, item.policy) for item in plan.containers],
            plan.gluster,
            used=plan.used,
            target=plan.used,
        )
        for plan in scenario.peers
    ]
    volumes = [
        Volume(
            plan.name,
            [
                Brick(plan.name, peer, plan.path, 2300 + 10 * number + 100 * which, 49152 + number)
                for which, peer in enumerate(plan.peers)
            ],
        )
        for number, plan in enumerate(scenario.volumes)
    ]
    sites = [Site(plan.name, *plan.needs.split("/", 1)) for plan in scenario.sites]
    return World(now, peers, volumes, sites)


def happen(world: World, do: str) -> bool:
    """Carries out one line of a scenario or one repair. False when it means nothing here.

    memory HOST PERCENT · oom HOST/CONTAINER · oom-brick VOLUME HOST · unreachable HOST · reachable HOST ·
    split VOLUME FILE · glusterd-down HOST · glusterd-up HOST · docker start|restart|stop|kill NAME ·
    volume start VOLUME · volume heal VOLUME [FILE]
    """
    words = do.split()
    try:
        return _happen(world, words[0], words[1:])
    except (KeyError, IndexError, ValueError):
        return False


def _happen(world: World, word: str, rest: list[str]) -> bool:
    if word == "memory":
        world.peers[rest[0]].target = float(rest[1])
    elif word == "oom":
        host, name = rest[0].split("/", 1)
        container = world.container(host, name)
        if container is None or container.state != "running" or world.peers[host].used < 90:
            return False
        world.oom_container(world.peers[host], container)
    elif word == "oom-brick":
        world.oom_brick(_brick(world, rest[0], rest[1]))
    elif word in ("unreachable", "reachable"):
        world.peers[rest[0]].reachable = word == "reachable"
    elif word == "split":
        if rest[1] not in world.volumes[rest[0]].split:
            world.volumes[rest[0]].split.append(rest[1])
    elif word in ("glusterd-down", "glusterd-up"):
        world.peers[rest[0]].glusterd = word == "glusterd-up"
    elif word == "docker":
        return _docker(world, rest[0], rest[1:])
    elif word == "volume" and rest[0] == "start":
        world.start_bricks(world.volumes[rest[1]])
    elif word == "volume" and rest[0] == "heal":
        volume = world.volumes[rest[1]]
        volume.split = [file for file in volume.split if len(rest) > 2 and file != rest[2]]
    else:
        return False
    return True


def _brick(world: World, volume: str, host: str) -> Brick:
    return next(brick for brick in world.volumes[volume].bricks if brick.peer == host)


def _docker(world: World, verb: str, targets: list[str]) -> bool:
    done = False
    for peer in world.peers.values():
        for container in peer.containers:
            if container.name not in targets and container.id[:12] not in {target[:12] for target in targets}:
                continue
            done = True
            if verb in ("start", "restart"):
                world.start_container(peer, container)
            else:
                world.stop_container(peer, container)
    return done


def repairs(world: World, action: str) -> list[str]:
    """What a logged action ("restarted drupal-a on web2") does to the machines, as lines for `happen`.

    In the demo, people's sentences are their hands: a container named with start, restart or stop; a volume named
    with start, brick, force or glusterd; a volume or file named with source, split or heal.
    """
    words = set(re.findall(r"[\w./-]+", action.lower()))

    def says(*stems: str) -> bool:
        return any(word.startswith(stem) for word in words for stem in stems)

    found = []
    for peer in world.peers.values():
        for container in peer.containers:
            if container.name in words and says("stop", "kill"):
                found.append(f"docker stop {container.name}")
            elif container.name in words and says("start", "restart"):
                found.append(f"docker start {container.name}")
    for volume in world.volumes.values():
        named = volume.name in words
        if any(file.lower() in words or (named and says("source", "split", "chose")) for file in volume.split):
            found.append(f"volume heal {volume.name}")
        if (named or any(brick.path in action for brick in volume.bricks)) and says(
            "start", "restart", "brick", "force"
        ):
            found.append(f"volume start {volume.name}")
    for peer in world.peers.values():
        if peer.name in words and says("glusterd"):
            found.append(f"glusterd-up {peer.name}")
            found += [
                f"volume start {volume.name}"
                for volume in world.volumes.values()
                if any(brick.peer == peer.name and not brick.alive for brick in volume.bricks)
            ]
    return list(dict.fromkeys(found))
