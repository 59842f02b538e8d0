"""What `docker inspect` and `podman inspect` say of a container, version by version, as far as the fields differ."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incident_tui.hosts.docker import parse_inspect

ID = "ab" * 32
BOOLEANS = {"Running": True, "Paused": False, "Restarting": False, "OOMKilled": False, "Dead": False}
STATE = {**BOOLEANS, "Pid": 7, "ExitCode": 0, "Error": "", "StartedAt": "2026-11-24T03:00:00.123456789Z"}
STATE["FinishedAt"] = "0001-01-01T00:00:00Z"
PORTS = {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}
BASE: dict[str, Any] = {"Id": ID, "Name": "/web", "RestartCount": 2, "NetworkSettings": PORTS, "State": STATE}
MOUNT = {"Source": "/mnt/gv0/web", "Destination": "/var/www", "Mode": "", "RW": True}
POLICY = {"Name": "always", "MaximumRetryCount": 0}
VERSIONS: dict[str, dict[str, Any]] = {
    "docker 1.6": {
        "Config": {"Image": "app:1", "Memory": 67108864, "Env": ["VIRTUAL_HOST=a.example"], "Labels": {}},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY},
        "Volumes": {"/var/www": "/mnt/gv0/web"},
    },
    "docker 1.8": {
        "Config": {"Image": "app:1", "Env": ["VIRTUAL_HOST=a.example"], "Labels": {}},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY},
        "Mounts": [MOUNT],
    },
    "docker 1.12 and later": {
        "Config": {"Image": "app:1", "Env": ["VIRTUAL_HOST=a.example"], "Labels": None},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY},
        "Mounts": [{**MOUNT, "Type": "bind", "Propagation": "rprivate"}],
        "State": {**STATE, "Status": "running", "Health": {"Status": "healthy", "FailingStreak": 0, "Log": []}},
    },
    "docker 29": {
        "Config": {"Image": "app:1", "Env": None, "Labels": {"traefik.http.routers.a.rule": "Host(`a.example`)"}},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY, "Annotations": None},
        "Mounts": [{**MOUNT, "Type": "volume", "Name": "www", "Driver": "local"}],
        "State": {**STATE, "Status": "running", "Health": {"Status": "healthy", "FailingStreak": 0, "Log": None}},
        "ImageManifestDescriptor": {"mediaType": "x", "digest": "sha256:1", "size": 1},
    },
    "podman 3": {
        "Name": "web",
        "Config": {"Image": "app:1", "Env": ["VIRTUAL_HOST=a.example"], "Labels": None},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY},
        "Mounts": [{**MOUNT, "Type": "bind", "Options": ["rbind"]}],
        "State": {**STATE, "Status": "running", "OciVersion": "1.0.2-dev", "Healthcheck": {"Status": "healthy"}},
    },
    "podman 5": {
        "Name": "web",
        "Config": {"Image": "app:1", "Env": ["VIRTUAL_HOST=a.example"], "Labels": {}},
        "HostConfig": {"Memory": 67108864, "RestartPolicy": POLICY},
        "Mounts": [{**MOUNT, "Type": "bind", "Options": ["rbind"]}],
        "State": {**STATE, "Status": "running", "Health": {"Status": "healthy"}, "StoppedByUser": False},
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_inspect_of_each_version(version: str) -> None:
    (container,) = parse_inspect(json.dumps([BASE | VERSIONS[version]]))
    assert (container.name, container.image, container.state, container.pid) == ("web", "app:1", "running", 7)
    assert (container.memory_limit, container.restart_policy, container.restart_count) == (67108864, "always", 2)
    assert (container.ports, container.mounts) == (("8080->80/tcp",), ("/mnt/gv0/web",))
    assert container.names == ("a.example",)
    assert container.health == ("" if version in ("docker 1.6", "docker 1.8") else "healthy")
    assert container.started_at is not None and container.finished_at is None
