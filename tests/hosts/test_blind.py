"""A finding that is not there any more is a recovery only where somebody could have seen it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_tui.hosts.blind import Hiding, Sight, hides, sight
from incident_tui.hosts.readings import Gap, GapKind, Gluster, HostReading, Link, LinkState, Volume
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.finding import Finding, Level

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
LIMITS = Thresholds()
UP = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)


def present(rule: str, subject: str, host: str = "", level: Level = Level.UNKNOWN) -> Finding:
    return Finding(rule, level, subject, subject, NOW, host)


@pytest.mark.parametrize(
    ("finding", "gone", "hidden"),
    [
        (("host.unreachable", "web2", "web2"), ("machine.memory", "web2", "web2"), True),
        (("host.unreachable", "web2", "web2"), ("machine.memory", "web1", "web1"), False),
        (("host.denied", "web2 kernel log", "web2"), ("machine.oom", "web2", "web2"), True),
        (("host.denied", "web2 kernel log", "web2"), ("machine.memory", "web2", "web2"), False),
        (("host.stale", "web2 disks", "web2"), ("disk.full", "web2 /data", "web2"), True),
        (("docker.daemon-down", "web2", "web2"), ("docker.container-down", "web2 drupal-a", "web2"), True),
        (("docker.daemon-hung", "web2", "web2"), ("docker.container-oom", "web2 drupal-a", "web2"), True),
        (("docker.daemon-down", "web2", "web2"), ("docker.daemon-hung", "web2", "web2"), False),
        (("docker.unknown", "web2", "web2"), ("docker.daemon-down", "web2", "web2"), True),
        (("gluster.volume-unknown", "gv0", ""), ("gluster.self-heal-down", "gv0 web3", ""), True),
        (("gluster.volume-unknown", "gv1", ""), ("gluster.self-heal-down", "gv0 web3", ""), False),
        (("gluster.brick-unknown", "gv0 web3:/b", "web3"), ("gluster.quorum-lost", "gv0", ""), True),
        (("gluster.heal-unknown", "gv0", ""), ("gluster.split-brain", "gv0", ""), True),
        (("gluster.heal-unknown", "gv0", ""), ("gluster.brick-down", "gv0 web3:/b", "web3"), False),
        (("site.down", "relief", ""), ("site.tls-expiring", "relief", ""), True),
        (("site.stale", "relief", ""), ("site.down", "relief", ""), True),
    ],
)
def test_what_hides_what(finding: tuple[str, str, str], gone: tuple[str, str, str], hidden: bool) -> None:
    assert hides(present(*finding), *gone) is hidden
    others = [present("host.unreachable", f"other{n}", f"other{n}") for n in range(3)]
    assert Hiding([*others, present(*finding)]).hides(*gone) is hidden
    assert not Hiding(others).hides(*gone)


def reading(name: str, **changes: object) -> HostReading:
    return HostReading(host=name, at=NOW, link=UP, **changes)  # type: ignore[arg-type]


def test_a_volume_that_no_fresh_reading_knows_is_not_seen_until_every_host_was_asked() -> None:
    volume = Volume(name="gv0", id="1", status="started")
    told = Gluster(at=NOW, uuid="u1", glusterd_alive=True, volumes=(volume,))
    nothing = sight([reading("web1")], LIMITS, NOW)
    assert not nothing.sees("gluster.split-brain", "gv0") and nothing.sees("machine.memory", "web1")
    part = sight([reading("web1", gluster=told), reading("web9")], LIMITS, NOW)
    assert part.sees("gluster.brick-down", "gv0 web3:/b") and not part.sees("gluster.split-brain", "gv1")
    assert not part.sees("gluster.peer-disconnected", "peer web3")
    absent = {"gluster": Gap(at=NOW, kind=GapKind.ABSENT, sentence="not installed")}
    all_of_them = sight([reading("web1", gluster=told), reading("web9", gaps=absent)], LIMITS, NOW)
    assert all_of_them.sees("gluster.split-brain", "gv1")
    assert not sight([reading("web1", gluster=told)], LIMITS, NOW + timedelta(hours=1)).sees(
        "gluster.split-brain", "gv0"
    )
    assert Sight(frozenset(), frozenset(), False).sees("gluster.glusterd-down", "web1")
