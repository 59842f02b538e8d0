"""Somebody else holds GlusterFS' lock: the last value stays and grows old, nothing is bad for it, and a stale lock is
said after minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts import health
from incident_tui.hosts.assemble import Assembler
from incident_tui.hosts.readings import GapKind, Link, LinkState
from incident_tui.hosts.sections import Section
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Level

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
LIMITS = Thresholds()
BUSY = [
    "Another transaction is in progress. Please try again after sometime.",
    "Another transaction is in progress for gv0. Please try again after some time.",
    "Another transaction could be in progress. Please try again after some time.",
    "Locking failed on web2. Please check log file for details.",
    "Locking Peers Failed.",
    "Unable to acquire lock for gv0",
]


class Peer:
    """One peer whose glusterd answers all that needs no lock."""

    def __init__(self, fixture: Callable[[str], str]) -> None:
        self.fixture = fixture
        self.at = NOW
        link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
        self.assembler = Assembler("web1", ("gluster",), link)

    def hear(self, status: str, after: float) -> None:
        self.at += timedelta(seconds=after)
        parts = {
            "gluster-files": "",
            "gluster-peers": self.fixture("peers-3.7.xml"),
            "gluster-volumes": self.fixture("volumes-3.7.xml"),
            "status:gv0": status,
        }
        sections = [Section(name=name, body=body, rc=0, limit=150.0) for name, body in parts.items()]
        self.assembler.take(sections, self.at, self.at)

    def said(self) -> dict[str, Level]:
        found = health.findings([self.assembler.reading], LIMITS, self.at)
        return {one.rule: one.level for one in found if one.rule.startswith("gluster.")}


@pytest.mark.parametrize("form", ["text", "xml"])
@pytest.mark.parametrize("words", BUSY)
def test_the_last_value_stays_with_its_age_until_the_lock_is_free(
    words: str, form: str, fixture: Callable[[str], str]
) -> None:
    said = words if form == "text" else f"<cliOutput><opRet>-1</opRet><opErrstr>{words}</opErrstr></cliOutput>"
    peer = Peer(fixture)
    peer.hear(fixture("status-3.7.xml"), 0)
    before = peer.said()
    known = peer.assembler.reading.volume_status["gv0"]
    peer.hear(said, 45)
    assert peer.assembler.reading.volume_status["gv0"] is known and known.at == NOW
    assert peer.assembler.reading.gaps["volume_status:gv0"].kind is GapKind.BUSY
    assert peer.said() == before
    peer.hear(fixture("status-3.7.xml"), 45)
    assert "volume_status:gv0" not in peer.assembler.reading.gaps
    assert peer.assembler.reading.volume_status["gv0"].at == peer.at


def test_a_lock_that_is_not_given_back_is_said_after_three_minutes(fixture: Callable[[str], str]) -> None:
    peer = Peer(fixture)
    peer.hear(fixture("status-3.7.xml"), 0)
    for _ in range(4):
        peer.hear(BUSY[1], 45)
        assert "gluster.busy" not in peer.said()
    peer.hear(BUSY[1], 60)
    assert peer.said()["gluster.busy"] is Level.WARN
    # by then the last value is too old to be believed: what only it said is unknown, and nothing is well or down for it
    peer.hear(fixture("status-3.7.xml"), 45)
    assert "gluster.busy" not in peer.said()
