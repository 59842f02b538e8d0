"""Damage never makes trouble look well: of every row that was bad, a damaged answer says bad, not known, or nothing.

The damage is what happens on the way: an answer cut anywhere, lines lost or doubled, bytes turned to noise. Letters and
digits are not changed into others: an answer that is whole and says something else is not damage that anybody can see.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.hosts import (
    docker,
    docker_tables,
    explain_hosts,
    explain_machine,
    gluster,
    gluster_state,
    gluster_tasks,
    gluster_text,
    local,
    machine,
)
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain
from incident_tui.hosts.readings import BrickHeal, Container, Peer, Volume
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
Verdicts = Mapping[str, bool | None]
"""Row -> whether it is bad; None where that is not known."""


def peers(rows: tuple[Peer, ...]) -> Verdicts:
    return {row.uuid or row.hostname: not row.connected or row.state != 3 for row in rows}


def volumes(rows: tuple[Volume, ...]) -> Verdicts:
    return {row.name: None if row.status == "unknown" else row.status == "stopped" for row in rows}


def status(rows: tuple[gluster.Rows, ...]) -> Verdicts:
    found: dict[str, bool | None] = {}
    for row in rows:
        for brick in row.bricks:
            found[f"{row.volume} {brick.name}"] = None if brick.online is None else not brick.online
            if brick.size:
                found[f"{row.volume} {brick.name} space"] = brick.free < 0.1 * brick.size
        for service in row.services:
            key = f"{row.volume} {service.kind} {service.host}"
            found[key] = None if service.online is None else not service.online
        for task in row.tasks:
            found[f"{row.volume} {task.kind} {task.id}"] = None if task.status == "unknown" else task.status == "failed"
    return found


def heals(rows: tuple[BrickHeal, ...]) -> Verdicts:
    found: dict[str, bool | None] = {}
    for row in rows:
        found[f"{row.name} pending"] = None if row.pending is None else row.pending > 0
        found[f"{row.name} split"] = None if row.split_brain is None else row.split_brain > 0
    return found


def split_only(parse: Callable[..., tuple[BrickHeal, ...]]) -> Callable[[str], Verdicts]:
    return lambda body: {k: v for k, v in heals(parse(body, split_brain_only=True)).items() if k.endswith("split")}


def pending_only(parse: Callable[..., tuple[BrickHeal, ...]]) -> Callable[[str], Verdicts]:
    """heal info; that a file lost its mark of split-brain is told by the command that lists them."""
    return lambda body: {k: v for k, v in heals(parse(body)).items() if k.endswith("pending")}


def counts(body: str) -> Verdicts:
    found = gluster_text.heal_counts_text(body)
    return {name: None if count is None else count > 0 for name, count in found.items()}


def rebalance(body: str) -> Verdicts:
    found = gluster_tasks.rebalance(body, "gv0", NOW)
    return {
        node.host: None if node.status == "unknown" else "failed" in node.status or node.failures > 0
        for node in found.nodes
    }


def quota(body: str) -> Verdicts:
    return {row.path: row.hard_exceeded for row in gluster_tasks.quota(body)}


def geo(body: str) -> Verdicts:
    levels = {row.primary_node: gluster_tasks.geo_level(row.status) for row in gluster_tasks.geo_replication(body)}
    return {node: None if level is Level.UNKNOWN else level is not Level.OK for node, level in levels.items()}


def state(body: str) -> Verdicts:
    found = gluster_state.state(body)
    said = dict(peers(found.peers))
    return said | {
        volume.name: None
        if volume.status == "unknown" or volume.quorum not in ("meets", "does_not_meet", "not_applicable")
        else volume.status == "stopped" or volume.quorum == "does_not_meet"
        for volume in found.volumes
    }


def containers(rows: tuple[Container, ...]) -> Verdicts:
    def bad(row: Container) -> bool | None:
        if row.state == "unknown":
            return None
        return row.state != "running" or row.health == "unhealthy"

    return {row.id: bad(row) for row in rows}


def disks(body: str) -> Verdicts:
    rows = machine.parse_disks("/dev/a / ext4 rw\n/dev/b /data xfs ro,x\n", body, "")
    return {disk.mount: disk.used_percent >= 90 or disk.read_only for disk in rows}


def filled(body: str) -> Verdicts:
    said: dict[str, bool | None] = {}  # the same mount may be listed twice ("rootfs")
    for row in explain_machine.disks(body, NOW)[0]:
        said[row.mount] = said.get(row.mount) or (None if row.percent is None else row.percent >= 90)
    return said


def short_of_memory(body: str) -> Verdicts:
    rows, _ = explain_machine.free(body, NOW)
    return {row.what: row.left < 0.1 * row.total for row in rows}


def hosts_said(body: str) -> Verdicts:
    """By the host that is named; one that is not named any more says nothing."""
    found: dict[str, bool | None] = {}
    for printed in explain_hosts.by_host(body):
        bad = None
        with contextlib.suppress(Unreadable):
            rows = () if printed.problem else gluster_text.peers_text(printed.output)
            bad = any(not row.connected for row in rows) if rows else None
        found[printed.host] = bad if printed.host not in found else None
    return found


def bricks(body: str) -> Verdicts:
    files, _, cmdlines = body.partition("@")
    said = local.bricks(local.parse_files(files), cmdlines, "", (), may_look=True)
    return {brick.path: None if brick.alive is None else not brick.alive for brick in said}


def xml(inner: str) -> str:
    return f"<cliOutput>\n<opRet>0</opRet>\n<opErrno>0</opErrno>\n<opErrstr/>\n{inner}\n</cliOutput>\n"


def lab(name: str) -> str:
    return (FIXTURES / "lab" / name).read_text(encoding="utf-8")


IDS = ["ab" * 32, "cd" * 32, "ef" * 32]
PEER = "Hostname: web{0}\nPort: 24007\nUuid: u{0}\nState: {1}\n\n"
STATUS = """\
Status of volume: gv0
Gluster process                             TCP Port  RDMA Port  Online  Pid
------------------------------------------------------------------------------
Brick web1:/b/gv0                           49152     0          Y       900
Brick web2:/b/gv0                           N/A       N/A        N       N/A
Brick web3.a.very.long.name.example:/b/a/lo
ng/path/gv0                                 N/A       N/A        N       N/A
Self-heal Daemon on localhost               N/A       N/A        Y       950
Self-heal Daemon on web2                    N/A       N/A        N       N/A

Task Status of Volume gv0
------------------------------------------------------------------------------
Task                 : Rebalance
ID                   : 12-ab
Status               : failed

"""
DETAIL = "Status of volume: gv0\n" + "".join(
    f"{'-' * 78}\nBrick                : Brick web{n}:/b/gv0\nTCP Port             : 49152\n"
    f"Online               : {up}\nPid                  : 1812\nDisk Space Free      : {free}\n"
    "Total Disk Space     : 10.0GB\n"
    for n, up, free in ((1, "N", "9.0GB"), (2, "Y", "0.5GB"), (3, "Y", "9.0GB"))
)
HEAL = "".join(
    f"Brick web{n}:/b/gv0\n{entries}Status: {status}\nNumber of entries: {number}\n\n"
    for n, entries, status, number in (
        (1, "/a - Is in split-brain\n\n/b c\n<gfid:6f0ddc7c>\n", "Connected", "3"),
        (2, "", "Transport endpoint is not connected", "-"),
        (3, "", "Connected", "0"),
    )
)
SPLIT = HEAL.replace("entries: 3", "entries in split-brain: 3").replace("- Is in split-brain", "")
SPLIT = SPLIT.replace("entries: -", "entries in split-brain: -").replace("entries: 0", "entries in split-brain: 0")
REBALANCE = """\
                                    Node Rebalanced-files          size       scanned      failures       skipped               status   run time in secs
                               ---------      -----------   -----------   -----------   -----------   -----------         ------------     --------------
                               localhost               12         1.5GB            30             2             0               failed             601.00
                                    web2                3        0Bytes             1             5             0            completed               1.00
                                    web3                3        0Bytes             1             0             0            completed               1.00
volume rebalance: gv0: success:
"""  # noqa: E501
QUOTA = """\
                  Path                   Hard-limit  Soft-limit      Used  Available  Soft-limit exceeded? Hard-limit exceeded?
-------------------------------------------------------------------------------------------------------------------------------
/full                                       1.0GB     80%(819.2MB)  1.0GB  0Bytes              Yes                  Yes
/well                                       1.0GB     80%(819.2MB)  0.1GB  0.9GB                No                   No
"""  # noqa: E501
GEO = """\
MASTER NODE    MASTER VOL    MASTER BRICK    SLAVE USER    SLAVE               SLAVE NODE    STATUS     CRAWL STATUS       LAST_SYNCED
--------------------------------------------------------------------------------------------------------------------------------------
web1           gv0           /b/gv0          root          backup::gv0-copy    N/A           Faulty     N/A                N/A
web2           gv0           /b/gv0          root          backup::gv0-copy    backup        Active     Changelog Crawl    2015-05-11 10:00:00
"""  # noqa: E501
VOLUMES = "".join(
    f"\nVolume Name: gv{n}\nType: Replicate\nVolume ID: id{n}\nStatus: {said}\nNumber of Bricks: 1 x 2 = 2\n"
    "Transport-type: tcp\nBricks:\nBrick1: a:/b\nBrick2: c:/b\nOptions Reconfigured:\nnfs.disable: on\n"
    for n, said in ((0, "Stopped"), (1, "Started"), (2, "Stopped"))
)
STATE = (
    "[Global]\nMYUUID: 49c2\n\n[Peers]\n"
    "Peer1.primary_hostname: web2\nPeer1.uuid: u2\nPeer1.state: Peer Rejected\nPeer1.connected: Connected\n"
    "Peer2.primary_hostname: web3\nPeer2.uuid: u3\nPeer2.state: Peer in Cluster\nPeer2.connected: Disconnected\n"
    "\n[Volumes]\nVolume1.name: gv0\nVolume1.status: Started\nVolume1.quorum_status: does_not_meet\n"
    "Volume2.name: gv1\nVolume2.status: Stopped\nVolume2.quorum_status: meets\n\n[Services]\nsvc1.name: glustershd\n"
    "\n[Misc]\nBase port: 49152\n"
)
LIMITS = "".join(
    f"<limit>\n<path>/{n}</path>\n<hard_limit>10</hard_limit>\n<used_space>{used}</used_space>\n"
    f"<hl_exceeded>{over}</hl_exceeded>\n</limit>\n"
    for n, used, over in (("full", 11, "Yes"), ("well", 1, "No"))
)
INSPECT = [
    {"Id": IDS[0], "Name": "/a", "State": {"Running": False, "ExitCode": 137, "StartedAt": "2026-11-24T00:00:00Z"}},
    {"Id": IDS[1], "Name": "/b", "State": {"Status": "dead", "Running": False, "Dead": True, "ExitCode": 1}},
    {"Id": IDS[2], "Name": "/c", "State": {"Status": "running", "Running": True, "Pid": 7}},
]
PS = "".join(
    f"{identity:15}{image:15}{command:12}{created:15}{said:28}{ports:12}{name}\n"
    for identity, image, command, created, said, ports, name in (
        ("CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"),
        ("abababababab", "solr:1", '"run"', "2 days ago", "Exited (137) 2 hours ago", "", "solr"),
        ("cdcdcdcdcdcd", "web:1", '"run"', "2 days ago", "Up 2 hours (unhealthy)", "80/tcp", "web"),
        ("efefefefefef", "db:1", '"run"', "2 days ago", "Up 2 hours", "", "db"),
    )
)
PS_JSON = "".join(
    json.dumps({"ID": identity, "Names": name, "Status": said, "State": state}) + "\n"
    for identity, name, said, state in (
        (IDS[0], "solr", "Exited (137) 2 hours ago", "exited"),
        (IDS[1], "db", "Up 2 hours", "running"),
    )
)
DISKS = "Filesystem 1024-blocks Used Available Capacity Mounted on\n"
DISKS += "/dev/a 100 95 5 95% /\n/dev/b 100 10 90 10% /data\n"
BRICKS = "/v/vols/gv0/bricks/w:-b:hostname=w\n/v/vols/gv0/bricks/w:-b:path=/b\n/v/vols/gv0/run/w-b.pid:9\n"
BRICKS += "/v/vols/gv1/bricks/w:-c:hostname=w\n/v/vols/gv1/bricks/w:-c:path=/c\n/v/vols/gv1/run/w-c.pid:8\n"
BRICKS += "8 (glusterfsd) S 1 8\n9 (glusterfs) S 1 8\n@==> /proc/8/cmdline <==\n--brick-name\n/c\n"
DF = "Filesystem            Size  Used Avail Use% Mounted on\n/dev/mapper/VolGroup-lv_root\n"
DF += "                       50G   48G  1.9G  97% /\n/dev/sdb1             100G   10G   90G  10% /data\n"
FREE = "             total       used       free     shared    buffers     cached\n"
FREE += "Mem:          1869       1850         19          0         20         40\n"
FREE += "-/+ buffers/cache:       1790         79\nSwap:         1023       1000         23\n"
TWO = [PEER.format(9, f"Peer in Cluster ({word})") for word in ("Disconnected", "Connected")]
ANSIBLE = "".join(f"web{n} | CHANGED | rc=0 >>\nNumber of Peers: 1\n\n{body}" for n, body in enumerate(TWO, 1))
SALT = "".join(
    f"web{n}:\n" + "".join(f"    {line}\n" for line in f"Number of Peers: 1\n\n{body}".splitlines())
    for n, body in enumerate(TWO, 1)
)
CASES: dict[str, tuple[str, Callable[[str], Verdicts]]] = {
    "peers text": (
        "Number of Peers: 3\n\n"
        + PEER.format(2, "Peer Rejected (Connected)")
        + PEER.format(3, "Peer in Cluster (Disconnected)")
        + PEER.format(4, "Peer in Cluster (Connected)"),
        lambda body: peers(gluster_text.peers_text(body)),
    ),
    "peers xml": (lab("peer-status-peer-down.xml"), lambda body: peers(gluster.peers_xml(body))),
    "volumes text": (VOLUMES, lambda body: volumes(gluster_text.volumes_text(body))),
    "volumes xml": (
        (FIXTURES / "volumes-3.7.xml").read_text().replace("<status>1<", "<status>2<").replace("Started", "Stopped"),
        lambda body: volumes(gluster.volumes_xml(body)),
    ),
    "status text": (STATUS, lambda body: status(gluster_text.status_text(body))),
    "status detail": (DETAIL, lambda body: status(gluster_text.status_text(body))),
    "status xml": (lab("volume-status-brick-down.xml"), lambda body: status(gluster.status_xml(body))),
    "heals text": (HEAL, pending_only(gluster_text.heals_text)),
    "split text": (SPLIT, split_only(gluster_text.heals_text)),
    "heals xml": (lab("heal-info-split-brain.xml"), pending_only(gluster.heals_xml)),
    "split xml": (lab("heal-split-split-brain.xml"), split_only(gluster.heals_xml)),
    "summary xml": (lab("heal-summary-split-brain.xml"), lambda body: heals(gluster.heals_xml(body))),
    "heal counts": (lab("heal-count-arb.txt").replace("entries: 0", "entries: 7"), counts),
    "rebalance text": (REBALANCE, rebalance),
    "rebalance xml": (lab("rebalance-done.xml").replace("<failures>0<", "<failures>3<"), rebalance),
    "quota text": (QUOTA, quota),
    "quota xml": (xml(f"<volQuota>\n{LIMITS}</volQuota>"), quota),
    "geo text": (GEO, geo),
    "get-state": (STATE, state),
    "inspect": (json.dumps(INSPECT, indent=1), lambda body: containers(docker.parse_inspect(body))),
    "ps table": (PS, lambda body: containers(docker_tables.parse_ps_table(body))),
    "ps json": (PS_JSON, lambda body: containers(docker_tables.parse_ps_json(body))),
    "disks": (DISKS, disks),
    "ps rows": (PS.partition("\n")[2], lambda body: containers(docker_tables.parse_ps_rows(body))),
    "df wrapped": (DF, filled),
    "free of 6": (FREE, short_of_memory),
    "hosts of ansible": (ANSIBLE, hosts_said),
    "hosts of salt": (SALT, hosts_said),
    "bricks": (BRICKS, bricks),
}
NOISE = "\x00\xff#\n <&\u2603\r\t}"


def damages(body: str, dice: random.Random) -> Iterator[str]:
    """Without end: cut, lines lost or doubled, characters lost among blanks and signs, noise over or between others."""
    lines = body.splitlines(keepends=True)
    while True:
        at, line = dice.randrange(len(body)), dice.randrange(len(lines))
        match dice.randrange(5):
            case 0:
                yield body[:at]
            case 1:
                yield "".join(lines[:line] + lines[line + dice.randint(1, 3) :])
            case 2:
                yield "".join(lines[: line + 1] + lines[line:])
            case 3:
                yield body[:at] + dice.choice(NOISE) + body[at + 1 :]
            case _:
                yield body[:at] + dice.choice(NOISE) + body[at:]


def better(before: Verdicts, after: Verdicts) -> list[str]:
    """The rows that were bad and are said to be well."""
    return [row for row, bad in before.items() if bad and after.get(row) is False]


def betrayed(name: str, damaged: str) -> list[str]:
    """What a damaged answer of this case makes look well."""
    body, verdicts = CASES[name]
    try:
        return better(verdicts(body), verdicts(damaged))
    except Unreadable:
        return []


@pytest.mark.parametrize("name", CASES)
def test_damage_never_makes_a_bad_row_well(name: str) -> None:
    body, verdicts = CASES[name]
    assert any(verdicts(body).values()), "a case must have something bad"
    source = damages(body, random.Random(name))
    for _ in range(1200):
        damaged = next(source)
        assert not betrayed(name, damaged), damaged


@pytest.mark.parametrize("name", [n for n in CASES if n.split()[0] in ("peers", "status", "heals", "quota", "ps")])
def test_a_paste_that_lost_its_end_is_not_well_for_what_it_shows(name: str) -> None:
    """Of rows that are left nothing changes but that the last may be missing; a bad one that is left is said."""
    body, verdicts = CASES[name]
    before = verdicts(body)
    for end in range(0, len(body), 5):
        try:
            left = verdicts(body[:end])
        except Unreadable:
            continue
        if any(left.get(row) for row in before):
            assert explain(body[:end], NOW).level is not Level.OK, body[:end]


def test_the_check_itself_sees_a_parser_that_is_fooled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that takes what it does not find for well."""

    def fooled(body: str) -> Verdicts:
        return {word: f"{word}: bad" in body for word in ("one", "two")}

    monkeypatch.setitem(CASES, "fooled", ("one: bad\ntwo: good\n", fooled))
    source = damages("one: bad\ntwo: good\n", random.Random(1))
    assert any(betrayed("fooled", next(source)) for _ in range(50))


def seeds() -> list[str]:
    """The bodies of all cases, for those who damage them at length."""
    return [body for body, _ in CASES.values()]


def run(number: int, seed: int) -> Iterator[tuple[str, str, list[Any]]]:
    """`number` damaged answers of all cases in turn: (case, what it was, what it made look well)."""
    dice = random.Random(seed)
    sources = [(name, damages(body, dice)) for name, (body, _) in CASES.items()]
    for n in range(number):
        name, source = sources[n % len(sources)]
        damaged = next(source)
        yield name, damaged, betrayed(name, damaged)
