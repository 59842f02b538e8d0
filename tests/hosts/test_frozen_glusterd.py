"""A glusterd that gives no answer: said, while its bricks are judged by their processes, and soon critical."""

from __future__ import annotations

from datetime import timedelta

from incident_tui.hosts import health
from incident_tui.hosts.readings import GapKind
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level
from tests.hosts.test_brick_kills import Peer

HANGS = Section(name="gluster-peers", body="", rc=137, seconds=20, limit=20)


def said(peer: Peer) -> dict[str, tuple[Level, str]]:
    found = health.findings([peer.assembler.reading], Thresholds(), peer.at)
    return {one.rule: (one.level, one.sentence) for one in found if one.rule.startswith("gluster.")}


def hang(peer: Peer, brick: int) -> None:
    files = "/var/lib/glusterd/glusterd.info:UUID=u2\n/var/lib/glusterd/vols/gv0/bricks/web2:-b-gv0:hostname=web2\n"
    files += "/var/lib/glusterd/vols/gv0/bricks/web2:-b-gv0:path=/b/gv0\n/var/run/gluster/vols/gv0/web2-b-gv0.pid:900\n"
    lines = ""
    if brick:
        files += f"{brick} (glusterfsd) S 1 {brick}\n"
        lines = f"==> /proc/{brick}/cmdline <==\n/usr/sbin/glusterfsd\n--brick-name\n/b/gv0\n"
    peer.take(Section(name="gluster-files", body=files, rc=0), Section(name="gluster-bricks", body=lines, rc=0), HANGS)


def test_it_is_said_at_once_and_critical_after_a_minute_and_its_brick_still_runs() -> None:
    peer = Peer()
    peer.gluster(900)
    hang(peer, 900)
    gluster = peer.assembler.reading.gluster
    assert gluster is not None and gluster.glusterd_alive is None and gluster.bricks[0].alive
    sentence = "web2: glusterd gave no answer within 20 s; 1 of its bricks still run"
    assert said(peer)["gluster.glusterd-hung"] == (Level.WARN, sentence)
    assert "gluster.brick-down" not in said(peer) or "web2" not in said(peer)["gluster.brick-down"][1]
    peer.at += timedelta(seconds=61)
    hang(peer, 900)
    assert said(peer)["gluster.glusterd-hung"] == (Level.CRIT, sentence)
    peer.gluster(900)
    assert "gluster.glusterd-hung" not in said(peer)
    assert "glusterd" not in peer.assembler.reading.gaps


def test_a_brick_that_dies_meanwhile_is_down() -> None:
    peer = Peer()
    peer.gluster(900)
    hang(peer, 0)
    gluster = peer.assembler.reading.gluster
    assert gluster is not None and gluster.bricks[0].alive is False
    assert peer.assembler.reading.gaps["glusterd"].kind is GapKind.HUNG
    assert "web2:/b/gv0 is down (its process is gone)" in said(peer)["gluster.brick-down"][1]
