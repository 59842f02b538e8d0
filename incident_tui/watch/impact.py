"""Which public sites a finding touches: sites <- containers <- hosts <- volumes. Pure.

What `[[sites]] hosts` says is configured. The rest is inferred, and is said to be: a container serves a site whose host
name it names, or whose port it publishes on one of the site's hosts; what else runs on such a host may serve it; and a
volume is under the sites of the containers that have a directory of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from incident_tui.hosts.blind import volume_of
from incident_tui.hosts.cluster import ClusterView
from incident_tui.hosts.readings import Container, HostReading
from incident_tui.incident.finding import Finding
from incident_tui.watch.settings import Site

Touched = Mapping[str, bool]
"""By site: whether it is inferred; False means configured."""
_NOTHING: Touched = {}
_PUBLISHED = re.compile(r"(?:.*:)?(\d+)->")


class Impact(msgspec.Struct, frozen=True):
    """The sites over each host, container ("HOST NAME") and volume, and the volumes with a brick on each host."""

    sites: tuple[str, ...]
    hosts: dict[str, dict[str, bool]]
    containers: dict[str, dict[str, bool]]
    volumes: dict[str, dict[str, bool]]
    bricks: dict[str, tuple[str, ...]]

    def of(self, finding: Finding) -> Touched:
        """The sites that a finding touches; none for a finding about a site itself."""
        room, subject = finding.rule.partition(".")[0], finding.subject
        if room == "site":
            return _NOTHING
        if room == "docker" and finding.rule.startswith("docker.container-"):
            return self.containers.get(subject, _NOTHING)
        if room == "gluster":
            mine = subject.removeprefix(f"{finding.host} ") if finding.host else subject
            for name in (volume_of(subject), volume_of(mine)):
                if name in self.volumes:
                    return self.volumes[name]
            peer = subject.removeprefix("peer ") if subject.startswith("peer ") else finding.host
            return self.of_peer(peer)
        return self.hosts.get(finding.host, _NOTHING)

    def of_peer(self, host: str) -> Touched:
        """Of a host as a peer: the sites over the volumes of its bricks."""
        found: dict[str, bool] = {}
        for volume in self.bricks.get(host, ()):
            _add(found, self.volumes.get(volume, _NOTHING))
        return found

    def under(self, site: str, findings: Iterable[Finding]) -> list[tuple[Finding, bool]]:
        """The findings that touch this site, in their order, each with whether that is inferred."""
        return [(one, touched[site]) for one in findings if site in (touched := self.of(one))]


def words(touched: Touched) -> str:
    """ "reliefweb, response (inferred)"; empty when nothing is touched."""
    said = [name for name, inferred in touched.items() if not inferred]
    guessed = [name for name, inferred in touched.items() if inferred]
    return "; ".join(part for part in (", ".join(said), f"{', '.join(guessed)} (inferred)" if guessed else "") if part)


def impact(sites: Sequence[Site], hosts: Mapping[str, HostReading], cluster: ClusterView) -> Impact:
    """From the configuration and the latest readings, however old: where things run does not grow stale in minutes."""
    over_hosts: dict[str, dict[str, bool]] = {}
    over_containers: dict[str, dict[str, bool]] = {}
    over_volumes: dict[str, dict[str, bool]] = {}
    bricks: dict[str, list[str]] = {}
    for site in sites:
        for host in site.hosts:
            over_hosts.setdefault(host, {})[site.name] = False
    for volume in cluster.volumes:
        over_volumes[volume.name] = {}
        for brick in volume.bricks:
            bricks.setdefault(brick.host, []).append(volume.name)
    for host, reading in hosts.items():
        behind = [site for site in sites if host in site.hosts]
        places = list(_places(reading))
        told = False
        for container in reading.docker.containers if reading.docker is not None else ():
            served = _served(container, sites, behind)
            over_containers[f"{host} {container.name or container.id[:12]}"] = served
            _add(over_hosts.setdefault(host, {}), served)
            told = told or bool(container.mounts)
            for path, name in places:
                if any(_within(mount, path) for mount in container.mounts):
                    _add(over_volumes.setdefault(name, {}), served)
        if not told:
            # No container says which directories it has: what the host has mounted may be for the sites behind it.
            for mount in reading.mounts.gluster if reading.mounts is not None else ():
                over = over_volumes.setdefault(volume_of(mount.volume), {})
                _add(over, {site.name: True for site in behind})
    return Impact(
        sites=tuple(site.name for site in sites),
        hosts={host: touched for host, touched in over_hosts.items() if touched},
        containers=over_containers,
        volumes=over_volumes,
        bricks={host: tuple(dict.fromkeys(names)) for host, names in bricks.items()},
    )


def _served(container: Container, sites: Sequence[Site], behind: Sequence[Site]) -> dict[str, bool]:
    """By its names; else by a port that it publishes; else all sites of its host, unless its names are of others."""
    if container.names:
        return {site.name: True for site in sites if any(_named(name, site) for name in container.names)}
    ports = {int(found[1]) for port in container.ports if (found := _PUBLISHED.match(port)) is not None}
    by_port = [site for site in behind if _port(site) in ports]
    return {site.name: True for site in by_port or behind}


def _named(name: str, site: Site) -> bool:
    wanted, name = (urlsplit(site.url).hostname or "").casefold(), name.casefold()
    return wanted == name or (name.startswith("*.") and wanted.endswith(name[1:]))


def _port(site: Site) -> int:
    parts = urlsplit(site.url)
    try:
        port = parts.port
    except ValueError:
        return 0
    return port or (443 if parts.scheme == "https" else 80)


def _places(reading: HostReading) -> Iterator[tuple[str, str]]:
    """Directories of this host that belong to a volume, with its name: where it is mounted, and its bricks."""
    for mount in reading.mounts.gluster if reading.mounts is not None else ():
        yield mount.mount, volume_of(mount.volume)
    for brick in reading.gluster.bricks if reading.gluster is not None else ():
        yield brick.path, brick.volume


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _add(to: dict[str, bool], touched: Touched) -> None:
    """What is configured stays so."""
    for site, inferred in touched.items():
        to[site] = to.get(site, True) and inferred
