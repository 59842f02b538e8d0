"""What may be run on a host: patterns, modes and roles, holds, and the rule for two sides at the same moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident import policy
from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.settings import Commands
from incident_tui.incident.views import Holder, Incident
from incident_tui.incident.work import Hold, Remote

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ANA, BOB = Author("ana"), Author("bob")
SETTINGS = Commands()


@pytest.mark.parametrize(
    "command",
    [
        *("uptime", "df -h", "docker ps -a", "sudo docker ps", "sudo -n docker logs --tail 5 drupal-a"),
        *("gluster volume heal gv0 info", "gluster volume heal gv0 info summary", "systemctl status docker"),
        *("journalctl -u docker -n 50", "grep 'a|b; c' /var/log/messages", 'cat "/var/log/a b.log"'),
    ],
)
def test_these_only_read(command: str) -> None:
    assert policy.reads(command, SETTINGS)


@pytest.mark.parametrize(
    "command",
    [
        *("", "reboot", "systemctl restart docker", "docker rm -f drupal-a", "gluster volume heal gv0 full"),
        *("uptime; reboot", "uptime && reboot", "df -h | sh", "cat a > b", "cat $(reboot)", "cat `reboot`", "cat <(x)"),
        *("cat $X", "ls *", "df -h & reboot", "uptime\nreboot", "LD_PRELOAD=x uptime", "grep 'open", "cat a\\ b"),
        *("journalctl -n --vacuum-size=1", "journalctl --rotate", "journalctl -u docker --vac=1", "date -s 12:00"),
        *("dmesg -C", "ss -K", "hostname evil", "docker", "gluster volume info gv0 --mode=script; reboot", "uptime x"),
        *("sudo reboot", "sudo -u bob docker ps", "sudo", "/tmp/uptime", "echo '' ; uptime", "cat a 'b' > 'c'"),
    ],
)
def test_all_others_may_change_something(command: str) -> None:
    assert not policy.reads(command, SETTINGS)


@given(st.text(alphabet="upcat;|&$`<>()'\" \\\n#*", max_size=30))
def test_what_a_shell_would_act_on_never_only_reads(tail: str) -> None:
    command = f"cat {tail}"
    if policy.reads(command, SETTINGS):
        outside = "".join(command.split("'")[::2])
        assert not set(outside) & set(";|&$`<>()\\\n#*")


def test_what_the_team_counts_as_changing() -> None:
    assert not policy.reads("docker logs db", Commands(changes=("docker logs db",)))
    assert policy.reads("rack power status", Commands(read=("rack power status",)))
    assert policy.reads("uptime", Commands(read=("rack ...",)))
    assert policy.is_pattern("docker ps ...") and not policy.is_pattern("  ") and not policy.is_pattern("a 'b")


def incident(**fields: Any) -> Incident:
    return Incident(id="i", commander="ana", **fields)


def judge(command: str, author: str = "bob", one: Incident | None = None, **more: Any) -> policy.Verdict:
    settings = more.pop("settings", SETTINGS)
    one = incident() if one is None else one
    return policy.judge(command, "web3", author=author, incident=one, settings=settings, now=NOW, **more)


def test_reading_runs_and_the_rest_wants_the_name() -> None:
    assert not judge("uptime").confirm and not judge("uptime").refusal
    assert judge("reboot").confirm and judge("reboot").changes


def test_modes_and_roles() -> None:
    assert "switched off" in judge("uptime", settings=Commands(mode="off")).refusal
    assert "Only commands that read" in judge("reboot", settings=Commands(mode="read-only")).refusal
    assert not judge("uptime", settings=Commands(mode="read-only")).refusal
    settings = Commands(mode="off", roles={"commander": "read-only", "operations": "confirm"})
    held = incident(roles={"operations": Holder("operations", "Ana", NOW, None, ANA, Ref("j", 1))})
    assert judge("uptime", "dan", settings=settings).refusal
    assert judge("reboot", "ana", settings=settings).refusal and not judge("uptime", "ana", settings=settings).refusal
    assert judge("reboot", "ana", held, settings=settings).confirm  # the role that allows most


def test_no_command_and_no_control_characters() -> None:
    assert judge("  ").refusal == "There is no command."
    for command in ("uptime\x1b[2J", "uptime\nreboot", "a\x00b"):
        assert "control characters" in judge(command).refusal


def hold(by: Author = ANA, target: str = "web3", seq: int = 5, minutes: int = 10) -> Hold:
    return Hold(Ref("j", seq), target, NOW, NOW + timedelta(minutes=minutes), by, "disk swap")


def test_somebody_elses_hold_warns_and_wants_the_name_even_for_reading() -> None:
    verdict = judge("uptime", one=incident(holds=(hold(),)))
    assert verdict.warnings == ("web3 is held by ana until 14:10Z: disk swap",)
    assert verdict.confirm and verdict.holds == (Ref("j", 5),)
    assert not judge("uptime", "Ana", incident(holds=(hold(),))).warnings
    assert not judge("uptime", one=incident(holds=(hold(target="web2"),))).warnings
    assert not judge("uptime", one=incident(holds=(hold(minutes=0),))).warnings


def test_a_held_container_warns_where_the_command_names_it() -> None:
    held = incident(holds=(hold(target="drupal-a"),))
    assert judge("docker restart drupal-a", one=held).warnings
    assert not judge("docker restart solr", one=held).warnings


def test_the_cluster_warns_of_changes_only() -> None:
    risk = ("gv0: web2:/b/gv0 is down",)
    assert judge("reboot", at_risk=risk).warnings == risk
    assert not judge("uptime", at_risk=risk).warnings


def test_a_commander_is_reminded_unless_alone() -> None:
    assert judge("uptime", "ana", present=("ana", "bob")).reminder
    assert not judge("uptime", "ana", present=("ana",)).reminder
    assert not judge("uptime", "bob", present=("ana", "bob")).reminder


def entry(seq: int, kind: Kind, by: Author, data: dict[str, Any]) -> Entry:
    return Entry(journal="j", seq=seq, kind=kind, at=NOW, recorded_at=NOW, author=by, data=data, incident="i")


def test_hold_and_run_at_the_same_moment_the_earlier_entry_wins() -> None:
    intent = entry(6, Kind.COMMAND, BOB, {"step": "intent", "host": "web3", "command": "reboot"})
    first, later = incident(holds=(hold(seq=5),)), incident(holds=(hold(seq=7),))
    assert policy.held_before(intent, first, (), NOW) == hold(seq=5)
    assert policy.held_before(intent, later, (), NOW) is None
    assert policy.held_before(intent, first, (Ref("j", 5),), NOW) is None  # warned, and confirmed
    assert policy.held_before(intent, None, (), NOW) is None

    running = Remote(ref=Ref("j", 6), host="web3", command="reboot", at=NOW, by=BOB)
    holding = entry(7, Kind.HOLD, ANA, {"step": "hold", "target": "web3", "minutes": 10})
    assert policy.running_before(holding, incident(remotes=(running,))) == (running,)
    early = entry(5, Kind.HOLD, ANA, {"step": "hold", "target": "web3", "minutes": 10})
    assert policy.running_before(early, incident(remotes=(running,))) == ()
    mine = entry(7, Kind.HOLD, BOB, {"step": "hold", "target": "web3", "minutes": 10})
    assert policy.running_before(mine, incident(remotes=(running,))) == ()


def test_what_is_expected_and_how_it_is_verified() -> None:
    found = policy.expected(" docker answers; verify after 2 minutes: docker ps ")
    assert (found.text, found.minutes, found.command) == ("docker answers", 2, "docker ps")
    assert policy.expected("up, verify after 10m: uptime").command == "uptime"
    assert policy.expected("nothing to verify") == policy.Expected("nothing to verify")
