"""A glusterd that hangs, here or on another peer, holds up nothing that is read without it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.fleet.test_link import GLUSTER, STATUS, VOLUMES, docker_host, linked

__all__ = ["docker_host"]


async def test_a_command_that_waits_for_another_peer_holds_up_neither_docker_nor_gluster(
    docker_host: Any, stand_ins: Any, tmp_path: Path
) -> None:
    stand_ins({"gluster": GLUSTER.replace("sleep 0.3", "touch $STATE_DIR/asked; sleep 600")})
    (tmp_path / "state" / "volumes.xml").write_text(VOLUMES)
    (tmp_path / "state" / "status.xml").write_text(STATUS)
    async with linked(docker_host.host(roles=("docker", "gluster"))) as (link, until):
        await until(lambda r: r.gluster is not None)
        link.elected = True
        await until(lambda r: (tmp_path / "state" / "asked").exists())
        later = link.reading.at + timedelta(seconds=2)
        reading = await until(lambda r: r.docker.at > later and r.gluster.at > later)
    assert not reading.volume_status and reading.docker.containers[0].state == "running"


async def test_a_glusterd_that_hangs_here_holds_up_no_container(docker_host: Any, stand_ins: Any) -> None:
    stand_ins({"gluster": "case $* in --version) echo 'glusterfs 3.7.9 built on Mar 20 2016' ;; *) sleep 600 ;; esac"})
    async with linked(docker_host.host(roles=("docker", "gluster"))) as (_, until):
        reading = await until(lambda r: r.docker is not None)
        assert reading.gluster is None and reading.docker.containers[0].state == "running"
