"""A brick process that has gone is seen in the fast round, under each shell, without a fork."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tui.hosts import cluster, probe
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import (
    Brick,
    BrickStatus,
    Gluster,
    HostReading,
    Link,
    LinkState,
    LocalBrick,
    Volume,
    VolumeStatus,
)
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def peer() -> HostReading:
    """web1 with three running bricks; volume status, read just now, says that all are online."""
    paths = {"/b/a": 900, "/b/b": 901, "/b/c": 902}
    volume = Volume(
        name="gv0",
        id="v",
        status="started",
        kind="Distribute",
        bricks=tuple(Brick(host="web1", path=path, uuid="u1") for path in paths),
    )
    bricks = tuple(
        LocalBrick(volume="gv0", path=path, name=f"web1:{path}", pid=pid, alive=True, process_state="S")
        for path, pid in paths.items()
    )
    rows = tuple(BrickStatus(host="web1", path=path, uuid="u1", online=True, pid=pid) for path, pid in paths.items())
    soon = NOW + timedelta(seconds=2)
    return HostReading(
        host="web1",
        at=soon,
        roles=("gluster",),
        link=Link(state=LinkState.UP, sentence="", since=NOW, at=soon),
        gluster=Gluster(at=NOW, uuid="u1", glusterd_alive=True, volumes=(volume,), bricks=bricks),
        volume_status={"gv0": VolumeStatus(at=soon, volume="gv0", bricks=rows)},
    )


def test_a_process_that_is_gone_or_another_is_a_brick_down_at_once(
    shell: list[str], run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path]
) -> None:
    reading = peer()
    words = probe.brick_words(reading.gluster)
    assert words == ["brick:900", "brick:901", "brick:902"]
    root({"/proc/900/stat": "900 (glusterfsd) S 1 900 900 0 -1 0\n", "/proc/901/stat": "901 (bash) S 1 900 0\n"})
    running = run_probe(shell, "fast")
    sections = running.ask(*words)
    assert running.end() == 0
    assembler = Assembler("web1", ("gluster",), reading.link)
    assembler.reading = reading
    assembler.take(sections.values(), LATER, LATER)
    now = assembler.reading
    assert now.gluster is not None
    assert [brick.alive for brick in now.gluster.bricks] == [True, False, False]
    assert probe.brick_words(now.gluster) == ["brick:900"]
    (volume,) = cluster.view([now], Thresholds(), LATER).volumes
    assert [(brick.up, brick.why) for brick in volume.bricks] == [
        (True, ""),
        (False, "its process is gone"),
        (False, "its process is gone"),
    ]
    assert volume.bricks[1].at == LATER
