"""A host is read and judged only for the roles its configuration names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_tui.hosts.health import findings
from incident_tui.hosts.readings import HostReading, Link, LinkState, Load
from incident_tui.hosts.settings import Thresholds

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("roles", "named"),
    [(("docker",), {"Docker"}), (("gluster",), {"GlusterFS"}), ((), {"Docker", "GlusterFS"})],
)
def test_only_what_was_asked_for_can_be_missing(roles: tuple[str, ...], named: set[str]) -> None:
    link = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
    load = Load(at=NOW, one=0.1, five=0.1, fifteen=0.1, cpus=2, uptime_seconds=9.0)
    reading = HostReading(host="web1", at=NOW, link=link, roles=roles, load=load)
    said = " ".join(finding.sentence for finding in findings([reading], Thresholds(), NOW))
    assert {name for name in ("Docker", "GlusterFS") if name in said} == named
