"""Rebalance, quota, geo-replication, tasks and details, as 3.4 to 11 print them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_tui.hosts import gluster, gluster_tasks, gluster_text
from incident_tui.hosts.errors import Unreadable
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)


def xml(inner: str, ret: int = 0, said: str = "") -> str:
    return f"<?xml version='1.0'?><cliOutput><opRet>{ret}</opRet><opErrstr>{said}</opErrstr>{inner}</cliOutput>"


REBALANCE_37 = """\
                                    Node Rebalanced-files          size       scanned      failures       skipped               status   run time in secs
                               ---------      -----------   -----------   -----------   -----------   -----------         ------------     --------------
                               localhost               12         1.5GB            30             2             0          in progress             601.00
                                    web2                0        0Bytes             1             0             0            completed               1.00
volume rebalance: gv0: success:
"""  # noqa: E501
REBALANCE_34 = """\
                                    Node Rebalanced-files          size       scanned      failures         status
                               ---------      -----------   -----------   -----------   -----------   ------------
                               localhost               12         1.5GB            30             0         failed
volume rebalance: gv0: success:
"""


def test_rebalance_as_text() -> None:
    found = gluster_tasks.rebalance(REBALANCE_37, "gv0", NOW)
    assert found.status == "in progress"
    assert [(n.host, n.files, n.failures, n.seconds) for n in found.nodes] == [
        ("localhost", 12, 2, 601.0),
        ("web2", 0, 0, 1.0),
    ]
    assert gluster_tasks.rebalance(REBALANCE_34, "gv0", NOW).status == "failed"
    assert gluster_tasks.rebalance(REBALANCE_37.replace("601.00", "0:10:01"), "gv0", NOW).nodes[0].seconds == 601


@pytest.mark.parametrize(
    ("number", "status"), [(0, "not started"), (1, "in progress"), (3, "completed"), (4, "failed")]
)
def test_rebalance_as_xml_with_and_without_words(number: int, status: str) -> None:
    node = f"<node><nodeName>a</nodeName><files>1</files><failures>0</failures><status>{number}</status></node>"
    found = gluster_tasks.rebalance(xml(f"<volRebalance>{node}</volRebalance>"), "gv0", NOW)
    assert (found.status, found.nodes[0].skipped) == (status, None)


def test_a_rebalance_that_never_ran_is_no_error() -> None:
    said = "volume rebalance: gv0: failed: Rebalance not started for volume gv0."
    assert gluster_tasks.rebalance(said, "gv0", NOW).status == "not started"
    assert gluster_tasks.rebalance(xml("", -1, "Rebalance not started."), "gv0", NOW).status == "not started"
    for damage in (xml("<volRebalance/>"), REBALANCE_37.partition("localhost")[0], "", xml("", -1, "strange")):
        with pytest.raises(Unreadable):
            gluster_tasks.rebalance(damage, "gv0", NOW)


QUOTA = """\
                  Path                   Hard-limit  Soft-limit      Used  Available  Soft-limit exceeded? Hard-limit exceeded?
-------------------------------------------------------------------------------------------------------------------------------
/two words                                 10.0MB     80%(8.0MB)    9.5MB  512.0KB             Yes                   No
/full                                       1.0GB     80%(819.2MB)  1.0GB  0Bytes              Yes                  Yes
/gone                                       1.0GB     80%(819.2MB)    N/A     N/A              N/A                  N/A
"""  # noqa: E501


def test_quota_as_text() -> None:
    soft, full, gone = gluster_tasks.quota(QUOTA)
    assert (soft.path, soft.hard, soft.soft_exceeded, soft.hard_exceeded) == ("/two words", 10 << 20, True, False)
    assert (full.hard_exceeded, full.available) == (True, 0)
    assert (gone.used, gone.soft_exceeded, gone.hard_exceeded) == (None, None, None)
    assert gluster_tasks.quota("quota command failed : Quota is disabled, please enable quota") == ()
    with pytest.raises(Unreadable):
        gluster_tasks.quota(QUOTA.replace("Yes                   No", "Y"))


GEO = """\

MASTER NODE    MASTER VOL    MASTER BRICK    SLAVE USER    SLAVE               SLAVE NODE    STATUS     CRAWL STATUS       LAST_SYNCED
--------------------------------------------------------------------------------------------------------------------------------------
web1           gv0           /b/gv0          root          backup::gv0-copy    backup        Active     Changelog Crawl    2015-05-11 10:00:00
web2           gv0           /b/gv0          root          backup::gv0-copy    N/A           Faulty     N/A                N/A
"""  # noqa: E501


@pytest.mark.parametrize("words", [("MASTER", "SLAVE"), ("PRIMARY", "SECONDARY")])
def test_geo_replication_as_text_in_both_words(words: tuple[str, str]) -> None:
    body = GEO
    if words[0] == "PRIMARY":  # the columns grow with their headings
        body = body.replace("MASTER NODE    MASTER VOL    MASTER BRICK ", "PRIMARY NODE   PRIMARY VOL   PRIMARY BRICK")
        body = body.replace(
            "SLAVE USER    SLAVE               SLAVE NODE", "SECOND USER   SECONDARY           SECOND NODE"
        )
    active, faulty = gluster_tasks.geo_replication(body)
    assert (active.primary_node, active.secondary, active.status) == ("web1", "backup::gv0-copy", "Active")
    assert [gluster_tasks.geo_level(pair.status) for pair in (active, faulty)] == [Level.OK, Level.CRIT]
    assert gluster_tasks.geo_level("Sulking") is Level.UNKNOWN
    assert gluster_tasks.geo_replication("No active geo-replication sessions") == ()


@pytest.mark.parametrize(("primary", "secondary"), [("master", "slave"), ("primary", "secondary")])
def test_geo_replication_as_xml_in_both_words(primary: str, secondary: str) -> None:
    pair = f"<{primary}_node>web1</{primary}_node><{secondary}>b::c</{secondary}><status>Faulty</status>"
    inner = (
        f"<geoRep><volume><name>gv0</name><sessions><session><pair>{pair}</pair></session></sessions></volume></geoRep>"
    )
    (found,) = gluster_tasks.geo_replication(xml(inner))
    assert (found.volume, found.primary_node, found.secondary, found.status) == ("gv0", "web1", "b::c", "Faulty")
    with pytest.raises(Unreadable):
        gluster_tasks.geo_replication(xml(inner.replace("<status>Faulty</status>", "")))


DETAIL = """\
Status of volume: gv0
------------------------------------------------------------------------------
Brick                : Brick web1:/b/gv0
TCP Port             : 49152
RDMA Port            : 0
Online               : Y
Pid                  : 1812
File System          : xfs
Device               : /dev/sdb1
Mount Options        : rw
Inode Size           : 512
Disk Space Free      : 512.0MB
Total Disk Space     : 10.0GB
Inode Count          : 1000
Free Inodes          : 900
------------------------------------------------------------------------------
Brick                : Brick fe80::2:/b/gv0
TCP Port             : N/A
RDMA Port            : N/A
Online               : N
Pid                  : N/A
File System          : N/A
Device               : N/A
Mount Options        : N/A
Inode Size           : N/A
Disk Space Free      : N/A
Total Disk Space     : N/A
Inode Count          : N/A
Free Inodes          : N/A
"""


def test_status_detail_as_text() -> None:
    (rows,) = gluster_text.status_text(DETAIL)
    up, down = rows.bricks
    assert (up.name, up.online, up.port, up.pid, up.size, up.free) == (
        *("web1:/b/gv0", True, 49152, 1812),
        *(10 << 30, 512 << 20),
    )
    assert (up.inodes, up.inodes_free, up.device, up.file_system) == (1000, 900, "/dev/sdb1", "xfs")
    assert (down.name, down.online, down.size, down.inodes) == ("fe80::2:/b/gv0", False, 0, 0)
    with pytest.raises(Unreadable):
        gluster_text.status_text(DETAIL.replace("Online               : N\n", ""))


def test_tasks_of_a_volume_in_text_and_xml() -> None:
    text = "Status of volume: gv0\nBrick web1:/b/gv0   49152  0  Y  1812\n\nTask Status of Volume gv0\n-----\n"
    text += "Task                 : Rebalance\nID                   : 12-ab\nStatus               : in progress\n"
    (rows,) = gluster_text.status_text(text)
    assert [(task.kind, task.status) for task in rows.tasks] == [("Rebalance", "in progress")]
    inner = "<volStatus><volumes><volume><volName>gv0</volName><tasks><task><type>Remove brick</type><id>1</id>"
    inner += "<status>4</status></task></tasks></volume></volumes></volStatus>"
    (rows,) = gluster.status_xml(xml(inner))
    assert [(task.kind, task.status) for task in rows.tasks] == [("Remove brick", "failed")]


def test_heal_counts() -> None:
    said = "Gathering count of entries to be healed on volume gv0 has been successful \n\nBrick a:/b\n"
    said += "Number of entries: 7\n"
    said += "\nBrick c:/b\nNumber of entries: -\n"
    assert gluster_text.heal_counts_text(said) == {"a:/b": 7, "c:/b": None}
    assert gluster_text.heal_counts_text(said.replace("successful", "unsuccessful")) == {"a:/b": None, "c:/b": None}


QUOTA_34 = """\
\tpath\t\t  limit_set\t     size
----------------------------------------------------------------------------------
/                          10GB                8.0KB
/two words                  1GB                1.5GB
"""


def test_quota_of_3_4_says_no_more_than_numbers() -> None:
    root, full = gluster_tasks.quota(QUOTA_34)
    assert (root.path, root.hard, root.used, root.hard_exceeded) == ("/", 10 << 30, 8 << 10, False)
    assert (full.path, full.soft_exceeded, full.hard_exceeded) == ("/two words", None, True)
    with pytest.raises(Unreadable):
        gluster_tasks.quota(QUOTA_34.replace("8.0KB", "8.0"))


def test_a_limit_that_is_reached_and_of_which_nothing_is_said() -> None:
    limit = "<limit><path>/a</path><hard_limit>10</hard_limit><used_space>{}</used_space></limit>"
    for used, over in (("9", False), ("10", True), ("N/A", None)):
        (found,) = gluster_tasks.quota(xml(f"<volQuota>{limit.format(used)}</volQuota>"))
        assert found.hard_exceeded is over


@pytest.mark.parametrize("root", ["volRebalance", "volRemoveBrick"])
def test_what_moves_files_off_bricks_has_the_same_rows(root: str) -> None:
    node = "<node><nodeName>a</nodeName><files>1</files><failures>3</failures><status>4</status></node>"
    assert gluster_tasks.rebalance(xml(f"<{root}>{node}</{root}>"), "gv0", NOW).status == "failed"


def test_a_peer_that_cannot_say_how_far_it_is() -> None:
    done = REBALANCE_37.replace("in progress", "completed")
    assert gluster_tasks.rebalance(done, "gv0", NOW).status == "completed"
    warned = done + "WARNING: glusterd might be down on one or more nodes. Please check the nodes that are down\n"
    assert gluster_tasks.rebalance(warned, "gv0", NOW).status == "unknown"


@pytest.mark.parametrize("digits", ["9" * 20, "9" * 5000])
def test_numbers_that_no_version_prints(digits: str) -> None:
    for body in (REBALANCE_37.replace("601.00", digits), REBALANCE_37.replace("12 ", f"{digits} ")):
        with pytest.raises(Unreadable):
            gluster_tasks.rebalance(body, "gv0", NOW)
