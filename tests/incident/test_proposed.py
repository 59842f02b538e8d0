"""What the board proposes for a playbook's variables, from findings as the rules make them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.proposed import proposed

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
ALL = ("host", "container", "place", "volume", "brick", "peer", "url", "name", "file")
SITES = {"response": "https://response.example:8443/health"}


def finding(rule: str, subject: str, level: Level = Level.CRIT, host: str = "") -> Finding:
    return Finding(rule, level, subject, f"{subject}: said", NOW, host)


def told(*findings: Finding) -> dict[str, str]:
    return proposed(ALL, {one.rule for one in findings}, findings, SITES)


@pytest.mark.parametrize(
    ("rule", "subject", "values"),
    [
        ("gluster.brick-down", "gv0 web2:/b/gv0", {"volume": "gv0", "brick": "/b/gv0"}),
        ("gluster.brick-full", "gv0 [fd00::7]:/b/gv0", {"volume": "gv0", "brick": "/b/gv0"}),
        ("gluster.peer-disconnected", "peer web3", {"peer": "web3"}),
        ("gluster.split-brain", "gv0", {"volume": "gv0"}),
        ("gluster.quota", "gv0 /files", {"volume": "gv0"}),
        ("gluster.geo-replication", "gv0 web1:/b/gv0", {"volume": "gv0"}),
        ("gluster.self-heal-down", "gv0 web1", {"volume": "gv0"}),
        ("site.down", "response", {"url": SITES["response"], "name": "response.example"}),
    ],
)
def test_what_one_finding_names(rule: str, subject: str, values: dict[str, str]) -> None:
    assert told(finding(rule, subject)) == values


@pytest.mark.parametrize(
    ("rule", "subject", "values"),
    [
        ("docker.container-oom", "web2 drupal-a", {"container": "drupal-a"}),
        ("docker.unknown", "web2", {}),
        ("disk.full", "web2 /var", {"place": "/var"}),
        ("gluster.busy", "web2 gv0", {"volume": "gv0"}),
        ("gluster.brick-down", "gv0 web2:/b/gv0", {"volume": "gv0", "brick": "/b/gv0"}),
        ("gluster.glusterd-down", "web2", {}),
        ("host.unreachable", "web2", {}),
        ("machine.oom", "web2", {}),
    ],
)
def test_what_a_finding_about_one_host_names(rule: str, subject: str, values: dict[str, str]) -> None:
    assert told(finding(rule, subject, host="web2")) == {"host": "web2", **values}


def test_nobody_guesses_which_of_two_is_meant() -> None:
    both = finding("gluster.brick-down", "gv0 web2:/b/one"), finding("gluster.brick-down", "gv0 web3:/b/two")
    assert told(*both) == {"volume": "gv0"}
    assert told(*both, finding("gluster.brick-down", "gv1 web3:/b/two")) == {}


def test_what_is_wrong_counts_before_what_is_unknown() -> None:
    down = finding("gluster.brick-down", "gv0 web2:/b/gv0")
    unknown = finding("gluster.brick-unknown", "gv1 web3:/b/gv1", Level.UNKNOWN)
    assert told(unknown, down) == {"volume": "gv0", "brick": "/b/gv0"}
    assert told(unknown) == {"volume": "gv1", "brick": "/b/gv1"}


def test_findings_of_other_playbooks_say_nothing() -> None:
    assert proposed(ALL, ["disk.full"], [finding("gluster.split-brain", "gv0")], SITES) == {}


@pytest.mark.parametrize("name", ["-rf", "$(reboot)", "a;b", "ä", "a\u202eb", ""])
def test_a_name_that_is_not_plain_is_for_a_person_to_type(name: str) -> None:
    assert told(finding("docker.container-down", f"web2 {name}", host="web2")) == {"host": "web2"}
    assert told(finding("gluster.brick-down", f"{name} web2:/b/gv0")) in ({"brick": "/b/gv0"}, {})
