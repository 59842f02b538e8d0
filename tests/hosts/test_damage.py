"""Damaged answers: no parser crashes on any bytes, and damage never makes trouble look well."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.hosts import (
    cgroups,
    docker,
    docker_tables,
    explain,
    explain_hosts,
    explain_machine,
    gluster,
    gluster_text,
    kernel,
    local,
    machine,
)
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import HostReading, Link, LinkState
from incident_tui.hosts.sections import Framer, Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
CLOCK = kernel.LogClock(now=NOW, uptime=1000.0)
PARSERS: dict[str, Callable[[str], Any]] = {
    "inspect": docker.parse_inspect,
    "event": docker.parse_event,
    "peers xml": gluster.peers_xml,
    "volumes xml": gluster.volumes_xml,
    "status xml": gluster.status_xml,
    "heals xml": gluster.heals_xml,
    "peers text": gluster_text.peers_text,
    "volumes text": gluster_text.volumes_text,
    "status text": gluster_text.status_text,
    "heals text": gluster_text.heals_text,
    "ooms": lambda body: kernel.parse_ooms(body, CLOCK),
    "files": local.parse_files,
    "cmdlines": local.parse_cmdlines,
    "pending": local.parse_pending,
    "proc": machine.parse_proc,
    "clock": lambda body: machine.parse_clock(body, NOW, NOW),
    "disks": lambda body: machine.parse_disks(body, body, body),
    "cgroups": lambda body: cgroups.parse_memory(body, 1 << 30, NOW),
    "watch": machine.parse_watch,
    "hello": lambda body: machine.parse_hello(body, body, body, NOW),
    "ps": docker_tables.parse_ps_table,
    "ps rows": docker_tables.parse_ps_rows,
    "free": lambda body: explain_machine.free(body, NOW),
    "df": lambda body: explain_machine.disks(body, NOW),
    "hosts": explain_hosts.by_host,
    "prefixes": explain_hosts.by_prefix,
    "explain": lambda body: explain.explain(body, NOW),
}
SEEDS = {
    "inspect": '[{"Id": "%s", "Name": "/a", "State": {"Running": true, "Pid": 7}}]' % ("ab" * 32),
    "event": f"2026-11-23T03:00:00.5Z container die {'ab' * 32} (exitCode=137, name=solr)",
    "peers text": "Number of Peers: 1\n\nHostname: web2\nUuid: u2\nState: Peer in Cluster (Connected)\n",
    "volumes text": "Volume Name: a\nType: Replicate\nStatus: Started\nNumber of Bricks: 1 x 1 = 1\nBrick1: h:/b\n",
    "status text": "Status of volume: a\nBrick h:/b  49152 0 Y 9\n",
    "ooms": "Nov 23 03:00:01 w kernel: Killed process 31, UID 500, (java) total-vm:79kB, anon-rss:35kB\n",
    "files": "/v/vols/gv0/run/h-b.pid:9\n9 (glusterfsd) S 1 9\n",
    "cmdlines": "==> /proc/9/cmdline <==\n--brick-name\n/b\n",
    "pending": "7 /b\n",
    "proc": "/proc/meminfo:MemTotal: 9 kB\n/proc/loadavg:1 2 3 1/2 3\n"
    "/proc/pressure/memory:some avg10=0.5 avg60=0 avg300=0 total=0\n",
    "clock": "1795403400.5 +0000",
    "disks": "/dev/a / ext4 rw\n/dev/a 100 50 50 50% /\n",
    "cgroups": f"/c/docker/{'ab' * 32}/memory.current:5\n",
    "watch": "9 (docker) D 1 1\n",
    "ps": "NAMES     STATUS\nweb       Up 2 hours (healthy)\n",
    "ps rows": '1af61235f8c9   nginx:1.9   "nginx"   2 weeks ago   Up 2 weeks   80/tcp   web\n',
    "free": "     total   used   free\nMem:   9   8   1\n-/+ buffers/cache:   5   4\nSwap:   1   0   1\n",
    "df": "Filesystem   Size  Used Avail Use% Mounted on\n/dev/mapper/a\n   50G   46G  1.9G  97% /\n",
    "hosts": 'web1 | CHANGED | rc=0 >>\nx\nweb2 | UNREACHABLE! => {"msg": "y"}\n',
    "prefixes": "web1: x\nweb1: y\n",
    "explain": "web1:\n    Number of Peers: 1\n\n    Hostname: a\n    Uuid: u\n    State: Peer Rejected (Connected)\n",
    "hello": "uid 0\nlimiter timeout\ncpus 2\nDocker version 1.6.2, build x\n",
}
FILES = {
    "peers xml": "peers-3.7.xml",
    "volumes xml": "volumes-3.7.xml",
    "status xml": "status-3.7.xml",
    "heals text": "heal-3.7.txt",
}
HEAL = (
    "<cliOutput><healInfo><bricks><brick hostUuid='u'><name>web1:/b</name><status>Connected</status>"
    "<numberOfEntries>3</numberOfEntries></brick></bricks></healInfo><opRet>0</opRet></cliOutput>"
)


def survives(parser: Callable[[str], Any], body: str) -> None:
    try:
        parser(body)
    except Unreadable as problem:
        assert problem.sentence and "\n" not in problem.sentence


def mutated(dice: random.Random, body: bytes) -> bytes:
    """One to five edits: a byte changed, a stretch cut, repeated or swapped for noise."""
    out = bytearray(body)
    for _ in range(dice.randint(1, 5)):
        start = dice.randrange(len(out) + 1)
        stop = min(len(out), start + dice.randrange(40))
        match dice.randrange(5):
            case 0:
                out[start:stop] = b""
            case 1:
                out[start:start] = out[start:stop]
            case 2:
                out[start:stop] = dice.randbytes(stop - start)
            case 3:
                del out[start:]
            case _:
                out[start : start + 1] = bytes([dice.randrange(256)])
    return bytes(out)


@pytest.mark.parametrize("name", sorted(PARSERS))
@settings(max_examples=60)
@given(body=st.one_of(st.text(max_size=300), st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "replace"))))
def test_no_parser_crashes_on_any_text(name: str, body: str) -> None:
    survives(PARSERS[name], body)


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_no_parser_crashes_on_damaged_answers(name: str, fixture: Callable[[str], str]) -> None:
    seed = fixture(FILES[name]) if name in FILES else HEAL if name == "heals xml" else SEEDS[name]
    dice = random.Random(name)
    for _ in range(300):
        survives(PARSERS[name], mutated(dice, seed.encode()).decode("utf-8", "replace"))


@settings(max_examples=200)
@given(chunks=st.lists(st.binary(max_size=120), max_size=12))
def test_the_framer_takes_any_bytes(chunks: list[bytes]) -> None:
    framer = Framer("0123456789abcdef")
    for chunk in [b"0123456789abcdef READY 1 fast\n", *chunks]:
        framer.feed(chunk)


@settings(max_examples=60)
@given(data=st.data())
def test_framing_does_not_depend_on_how_bytes_arrive(data: st.DataObject) -> None:
    mark = "0123456789abcdef"
    lines = ["hi", f"{mark} READY 1 fast", f"{mark} ROUND 1", f"{mark} SECTION a", "x", "y", "", f"{mark} END a 0 1 2"]
    stream = "\n".join([*lines, f"{mark} DONE 1", ""]).encode()
    whole = Framer(mark).feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    framer, parts = Framer(mark), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        parts += framer.feed(stream[start:stop])
    assert parts == whole


def judged(bodies: dict[str, str]) -> tuple[HostReading, set[Level]]:
    """A host whose Gluster says these bodies, with all else read well; and the levels of what is found."""
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    assembler = Assembler("web1", ("gluster",), link)
    sections = [Section(name=name, body=body, rc=0) for name, body in bodies.items()]
    assembler.take(sections, NOW, NOW)
    reading = assembler.reading
    found = findings([reading], Thresholds(), NOW)
    return reading, {f.level for f in found if f.rule.startswith("gluster") or "GlusterFS" in f.subject}


@pytest.mark.parametrize("section", ["gluster-peers", "gluster-volumes", "status:gv0", "heal:gv0", "split:gv0"])
def test_cutting_an_answer_short_never_makes_it_well(section: str, fixture: Callable[[str], str]) -> None:
    """web3 is disconnected, its brick has no row, and a file is split: no cut of one answer hides all of it."""
    bodies = {
        "gluster-files": "/var/lib/glusterd/glusterd.info:UUID=00000000-0000-4000-8000-000000000001\n",
        "gluster-peers": fixture("peers-3.7.xml"),
        "gluster-volumes": fixture("volumes-3.7.xml"),
        "status:gv0": fixture("status-3.7.xml"),
        "heal:gv0": fixture("heal-3.7.txt"),
        "split:gv0": fixture("split-3.7.txt"),
    }
    _, whole = judged(bodies)
    assert Level.CRIT in whole
    body = bodies[section]
    for length in range(0, len(body), 7):
        reading, levels = judged(bodies | {section: body[:length]})
        assert levels, (section, length)
        assert reading.gluster is None or len(reading.gluster.peers) in (0, 2) or "gluster" in reading.gaps
