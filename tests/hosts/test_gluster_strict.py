"""What GlusterFS 3.4 to 11 print that an eager reader takes for well: odd states, old tables, half rows, tiers."""

from __future__ import annotations

import pytest

from incident_tui.hosts import gluster, gluster_text
from incident_tui.hosts.errors import Unreadable


def xml(inner: str) -> str:
    return f"<?xml version='1.0'?><cliOutput><opRet>0</opRet><opErrstr/>{inner}</cliOutput>"


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Peer in Cluster", 3),
        ("Sent and Received peer request", 5),
        ("Accepted peer request", 4),
        ("Peer Rejected", 6),
        ("Probe Received from Peer", 2),
        ("Something of a later version", 11),
    ],
)
def test_each_state_of_a_peer_in_text_and_xml(words: str, state: int) -> None:
    said = f"Number of Peers: 1\n\nHostname: web2\nPort: 24007\nUuid: u2\nState: {words} (Connected)\n"
    (peer,) = gluster_text.peers_text(said.replace("\n", "\r\n"))
    assert (peer.connected, peer.state, peer.state_text) == (True, state, words)
    listed = f"<peer><uuid>u</uuid><hostname>w</hostname><connected>1</connected><stateStr>{words}</stateStr></peer>"
    (peer,) = gluster.peers_xml(xml(f"<peerStatus>{listed}</peerStatus>"))
    assert peer.state == state


def test_a_peer_without_any_state_is_damage() -> None:
    listed = "<peer><uuid>u</uuid><hostname>w</hostname><connected>1</connected></peer>"
    with pytest.raises(Unreadable):
        gluster.peers_xml(xml(f"<peerStatus>{listed}</peerStatus>"))
    with pytest.raises(Unreadable):
        gluster_text.peers_text("Number of Peers: 1\n\nHostname: web2\nUuid: u2\nState:  (Connected)\n")


HEAL_34 = """\
Gathering list of split brain entries on volume gv0 has been successful

Brick web1:/b/gv0
Number of entries: 2
at                    path on brick
-----------------------------------
2014-05-16 19:55:19 /a file.txt
2014-05-16 19:45:19 /a file.txt

Brick web2:/b/gv0
Number of entries: 0
"""


def test_split_brain_of_3_4_has_a_table_after_its_number() -> None:
    one, two = gluster_text.heals_text(HEAL_34, split_brain_only=True)
    assert (one.split_brain, one.split_entries) == (2, ("/a file.txt",))
    assert (two.split_brain, two.split_entries) == (0, ())


@pytest.mark.parametrize(
    ("rest", "pending"),
    [
        ("Number of entries: 1\n/after\n", 1),
        ("/before\nNumber of entries: 1\n", 1),
        ("/named\nNumber of entries: 0\n", None),
        ("/a\nNumber of entries: 0\nStatus: Connected\nNumber of entries: 2\n", 2),
        ("/a\nNumber of entries: -\nStatus: Connected\nNumber of entries: 2\n", None),
        (f"Number of entries: {'9' * 5000}\n", None),
    ],
)
def test_entries_and_their_number(rest: str, pending: int | None) -> None:
    (brick,) = gluster_text.heals_text(f"Brick web1:/b/gv0/\n{rest}")
    assert (brick.name, brick.pending) == ("web1:/b/gv0", pending)


def test_entries_named_and_none_counted_in_xml() -> None:
    brick = "<brick><name>a:/b</name><file gfid='g'>/f</file><status>Connected</status>"
    for tag, only in (("pending", False), ("split_brain", True)):
        said = f"<healInfo><bricks>{brick}<numberOfEntries>0</numberOfEntries></brick></bricks></healInfo>"
        (read,) = gluster.heals_xml(xml(said), split_brain_only=only)
        assert getattr(read, tag) is None


ROWS = """\
Status of volume: gv0
Gluster process                             TCP Port  RDMA Port  Online  Pid
------------------------------------------------------------------------------
Brick web1:/b/gv0                           49152     0          Y       900
Brick web2:/b/gv0                           N/A       N/A        N       N/A

Task Status of Volume gv0
------------------------------------------------------------------------------
There are no active volume tasks
"""


@pytest.mark.parametrize(
    "damaged",
    [
        ROWS[: ROWS.index("Brick web1")],
        ROWS.replace("N/A        N       N/A", "N/A"),
        ROWS.replace("Brick web2", "Grick web2"),
        ROWS.replace("Brick web1", "Brick" + " " * 20_000 + "web1"),
        ROWS.replace("900", "9" * 5000),
    ],
)
def test_half_a_status_is_none(damaged: str) -> None:
    with pytest.raises(Unreadable):
        gluster_text.status_text(damaged)


def test_what_gluster_says_of_other_volumes_stands_between() -> None:
    said = f"Volume gv9 is not started\n \n{ROWS}\nVolume gv8 is not started\n"
    assert [rows.volume for rows in gluster_text.status_text(said)] == ["gv0"]


def test_status_of_tasks_only() -> None:
    said = "Task Status of Volume gv0\n----------------\nTask                 : Rebalance\nID : 1\nStatus : failed\n"
    (rows,) = gluster_text.status_text(said)
    assert (rows.volume, rows.bricks, [task.status for task in rows.tasks]) == ("gv0", (), ["failed"])


@pytest.mark.parametrize(
    "node",
    [
        "<hostname>web2</hostname><path/><status>0</status><pid>-1</pid>",
        "<hostname>web2</hostname><status>0</status>",
        "",
    ],
)
def test_a_row_that_cannot_be_placed_is_damage(node: str) -> None:
    row = "<node><hostname>web1</hostname><path>/b</path><status>1</status><pid>9</pid></node>"
    volume = f"<volume><volName>gv0</volName><nodeCount>2</nodeCount>{row}<node>{node}</node></volume>"
    with pytest.raises(Unreadable):
        gluster.status_xml(xml(f"<volStatus><volumes>{volume}</volumes></volStatus>"))


def test_a_status_without_a_row_is_none() -> None:
    volume = "<volume><volName>gv0</volName><nodeCount>3</nodeCount></volume>"
    with pytest.raises(Unreadable):
        gluster.status_xml(xml(f"<volStatus><volumes>{volume}</volumes></volStatus>"))


TIER = """\
Volume Name: gv0
Type: Tier
Volume ID: 1-2
Status: Started
Snapshot Count: 0
Number of Bricks: 4
Transport-type: tcp
Hot Tier :
Hot Tier Type : Replicate
Number of Bricks: 1 x 2 = 2
Brick1: d:/h
Brick2: c:/h
Cold Tier:
Cold Tier Type : Replicate
Number of Bricks: 1 x 2 = 2
Brick3: a:/c
Brick4: b:/c
Options Reconfigured:
cluster.tier-mode: cache
"""


def tier_xml(hot: int, cold: int, disperse: int = 0) -> str:
    def brick(name: str) -> str:
        return f"<brick uuid='u'>{name}:/b<name>{name}:/b</name><hostUuid>u</hostUuid></brick>"

    bricks = (
        f"<bricks><hotBricks><hotBrickType>x</hotBrickType><hotreplicaCount>{hot}</hotreplicaCount>"
        f"{brick('a')}{brick('b')}</hotBricks><coldBricks><coldreplicaCount>{cold}</coldreplicaCount>"
        f"<colddisperseCount>{disperse}</colddisperseCount>{brick('c')}{brick('d')}</coldBricks></bricks>"
    )
    return xml(
        "<volInfo><volumes><volume><name>gv0</name><status>1</status><brickCount>4</brickCount>"
        f"<replicaCount>2</replicaCount><typeStr>Tier</typeStr>{bricks}</volume></volumes></volInfo>"
    )


def test_tiers_of_equal_sets_and_others() -> None:
    (volume,) = gluster_text.volumes_text(TIER)
    assert (volume.set_size, [brick.host for brick in volume.bricks]) == (2, ["d", "c", "a", "b"])
    hot = TIER.replace(
        "Hot Tier Type : Replicate\nNumber of Bricks: 1 x 2 = 2", "Hot Tier Type : Distribute\nNumber of Bricks: 2"
    )
    (volume,) = gluster_text.volumes_text(hot)
    assert volume.set_size == 1  # no brick may be down
    assert [gluster.volumes_xml(tier_xml(*sizes))[0].set_size for sizes in ((2, 2), (1, 2), (1, 1))] == [2, 1, 1]
    assert gluster.volumes_xml(tier_xml(2, 1, disperse=3))[0].set_size == 1


def test_rows_of_a_tiered_volume() -> None:
    said = ROWS.replace("Brick web1", "Hot Bricks:\nBrick web1").replace("Brick web2", "Cold Bricks:\nBrick web2")
    (rows,) = gluster_text.status_text(said.replace("\n\nTask", "\nTier Daemon on localhost  N/A N/A Y 5\n\nTask"))
    assert ([brick.online for brick in rows.bricks], [s.kind for s in rows.services]) == (
        [True, False],
        ["Tier Daemon"],
    )
    node = "<node><hostname>{}</hostname><path>/b</path><status>{}</status></node>"
    inner = f"<hotBricks>{node.format('a', 1)}</hotBricks><coldBricks>{node.format('b', 0)}</coldBricks>"
    volume = f"<volStatus><volumes><volume><volName>gv0</volName>{inner}</volume></volumes></volStatus>"
    assert [brick.online for brick in gluster.status_xml(xml(volume))[0].bricks] == [True, False]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("<status>1</status><statusStr>Started</statusStr>", "started"),
        ("<statusStr>Stopped</statusStr>", "stopped"),
        ("<status>1</status>", "started"),
        ("<status>1</status><statusStr>Stopped</statusStr>", "stopped"),
        ("<status>1</status><statusStr>Created</statusStr>", "unknown"),
        ("<status>9</status>", "unknown"),
        ("", "unknown"),
    ],
)
def test_whether_a_volume_is_started(said: str, status: str) -> None:
    volume = f"<volume><name>g</name>{said}<typeStr>Distribute</typeStr><bricks><brick>a:/b/</brick></bricks></volume>"
    (read,) = gluster.volumes_xml(xml(f"<volInfo><volumes>{volume}</volumes></volInfo>"))
    assert (read.status, read.bricks[0].path, read.set_size) == (status, "/b", 1)


def test_more_documents_than_any_version_prints() -> None:
    with pytest.raises(Unreadable):
        gluster.status_xml("<cliOutput>" * 500_000)
