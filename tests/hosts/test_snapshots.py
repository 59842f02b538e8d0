"""Snapshots of a volume: names and states where the version says them, asked for only where there are some."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_tui.hosts import cluster, gluster, gluster_state
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.readings import GapKind, HostReading, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)


def snapshot(name: str, status: str) -> str:
    return (
        f"<snapshot><name>{name}</name><uuid>u</uuid><createTime>2026-11-27 02:00:00</createTime>"
        f"<volCount>1</volCount><snapVolume><name>x</name><status>{status}</status></snapVolume></snapshot>"
    )


def answer(*snapshots: str, count: int = 2) -> str:
    inside = f"<originVolume><name>gv0</name><snapCount>{count}</snapCount></originVolume><count>{count}</count>"
    listed = "".join(snapshots)
    return f"<cliOutput><opRet>0</opRet><snapInfo>{inside}<snapshots>{listed}</snapshots></snapInfo></cliOutput>"


XML = answer(snapshot("nightly_1", "Stopped"), snapshot("nightly_2", "Started"))
TEXT = """\
Volume Name               : gv0
Snaps Taken               : 2
Snaps Available           : 254
Snapshot                  : nightly_1
Snap UUID                 : u1
Created                   : 2026-11-27 02:00:00
Status                    : Stopped

Snapshot                  : nightly_2
Snap UUID                 : u2
Created                   : 2026-11-27 02:00:00
Status                    : Started
"""


def read(fixture: Callable[[str], str], body: str, at: datetime = NOW, peer: Assembler | None = None) -> Assembler:
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    peer = peer or Assembler("web1", ("gluster",), link)
    volumes = fixture("volumes-3.7.xml").replace("<brickCount>", "<snapshotCount>2</snapshotCount><brickCount>")
    parts = {"gluster-files": "", "gluster-peers": fixture("peers-3.7.xml"), "gluster-volumes": volumes}
    parts["snaps:gv0"] = body
    peer.take([Section(name=name, body=text, rc=0, limit=60.0) for name, text in parts.items()], at, at)
    return peer


def listed(reading: HostReading, now: datetime = NOW) -> list[tuple[str, str, str]]:
    (volume,) = cluster.view([reading], Thresholds(), now).volumes
    assert volume.definition.snapshots == 2
    return [(one.name, one.status, one.created) for one in volume.snapshots.rows] if volume.snapshots else []


@pytest.mark.parametrize("body", [XML, TEXT, TEXT.replace("\n", "\r\n")])
def test_name_state_and_time_of_each(body: str, fixture: Callable[[str], str]) -> None:
    assert listed(read(fixture, body).reading) == [
        ("nightly_1", "Stopped", "2026-11-27 02:00:00"),
        ("nightly_2", "Started", "2026-11-27 02:00:00"),
    ]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("unrecognized word: snapshot (position 0)", GapKind.ABSENT),
        ("Another transaction is in progress for gv0. Please try again after some time.", GapKind.BUSY),
        (answer(snapshot("nightly_1", "Stopped")), GapKind.FAILED),
        ("Snapshot                  : nightly_1\n", GapKind.FAILED),
        ("", GapKind.FAILED),
    ],
)
def test_no_answer_is_no_empty_list(body: str, kind: GapKind, fixture: Callable[[str], str]) -> None:
    peer = read(fixture, body)
    assert peer.reading.gaps["snapshots:gv0"].kind is kind and listed(peer.reading) == []
    whole = read(fixture, XML)
    later = NOW + timedelta(minutes=5)
    read(fixture, body, later, whole)
    assert len(listed(whole.reading, later)) == 2, "what was read before stays, with its age"


LAB = Path(__file__).parent / "fixtures" / "lab"
TAKEN = "nightly_GMT-2026.11.28-07.09.55"


def printed(name: str) -> str:
    """By a real glusterd 10.3 with two snapshots, one of them activated. Only LVM was stood in for: lvs, lvcreate."""
    return (LAB / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["snapshot-info-volume.xml", "snapshot-info-volume.txt", "snapshot-info.xml"])
def test_what_glusterd_says_of_two_real_ones(form: str, fixture: Callable[[str], str]) -> None:
    rows = listed(read(fixture, printed(form)).reading)
    day = "2026-11-28 07:09"
    assert rows == [("snap1", "Started", f"{day}:54 +0000"), (TAKEN, "Stopped", f"{day}:55 +0000")]


def test_how_many_there_are_stands_in_volume_info() -> None:
    (volume,) = gluster.volumes_xml(printed("volume-info-snapshots.xml"))
    assert volume.snapshots == 2


@pytest.mark.parametrize("form", ["snapshot-status.xml", "snapshot-status.txt"])
def test_status_knows_only_how_full_those_are_that_run(form: str) -> None:
    rows = gluster_state.snapshot_bricks(printed(form))
    assert [(row.name, row.running, row.percent) for row in rows] == [("snap1", True, 3.14), (TAKEN, False, None)]
    assert all(row.brick.startswith("10.99.0.1:/run/gluster/snaps/") for row in rows)
    full = printed(form).replace("3.14", "99.90")
    assert [row.percent for row in gluster_state.snapshot_bricks(full)] == [99.9, None]
    with pytest.raises(Unreadable):
        gluster_state.snapshot_bricks(printed(form).replace("Yes", "Y\x00s"))
