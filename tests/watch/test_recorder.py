"""The recorder: held changes, flaps, no recovery while blind, and going on after a restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.hosts.blind import Sight
from incident_tui.incident.entry import Author, Draft, Entry
from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.recorder import Recorder

START = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
WATCH = Author(name="watch")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def finding(level: Level = Level.CRIT, rule: str = "gluster.brick-down", subject: str = "gv0/web3:/b") -> Finding:
    return Finding(rule, level, subject, f"{subject} is {level.value}", START, "web3", "volume status")


def recorder() -> Recorder:
    return Recorder(timedelta(seconds=10), WATCH)


def levels(drafts: list[Draft]) -> list[str]:
    return [f"{draft.data['was']}>{draft.data['level']}" for draft in drafts]


def test_a_change_is_written_once_after_it_has_lasted_with_the_time_it_began() -> None:
    one = recorder()
    assert one.observe([finding()], at(0)) == []
    assert one.observe([finding()], at(9)) == []
    (draft,) = one.observe([finding()], at(10))
    assert levels([draft]) == ["ok>crit"] and draft.at == at(0) and draft.data["evidence"] == "volume status"
    assert one.observe([finding()], at(20)) == []
    assert one.observe([], at(30)) == []
    (back,) = one.observe([], at(41))
    assert levels([back]) == ["crit>ok"] and back.at == at(30)
    assert back.text.startswith("over: ") and "it lasted 30s" in back.text


def test_a_short_change_is_no_entry_but_is_counted_in_the_next() -> None:
    one = recorder()
    for moment in range(0, 12, 4):
        assert one.observe([finding()], at(moment)) == [] and one.observe([], at(moment + 2)) == []
    one.observe([finding()], at(20))
    (draft,) = one.observe([finding()], at(31))
    assert draft.data["flaps"] == 3 and "flapped 3 times" in draft.text


def test_what_cannot_be_seen_has_not_recovered() -> None:
    one = recorder()
    one.observe([finding()], at(0))
    one.observe([finding()], at(10))
    lost = Finding("host.unreachable", Level.UNKNOWN, "web3", "web3: no answer", START, "web3")
    for moment in range(20, 60, 10):
        assert all(draft.data["finding"] != "gluster.brick-down" for draft in one.observe([lost], at(moment)))
    assert levels(one.observe([], at(60))) == []
    assert sorted(levels(one.observe([], at(71)))) == ["crit>ok", "unknown>ok"]


def test_worse_is_its_own_entry() -> None:
    one = recorder()
    one.observe([finding(Level.WARN)], at(0))
    assert levels(one.observe([finding(Level.WARN)], at(10))) == ["ok>warn"]
    one.observe([finding(Level.CRIT)], at(11))
    assert levels(one.observe([finding(Level.CRIT)], at(21))) == ["warn>crit"]


def stored(draft: Draft, seq: int) -> Entry:
    return Entry("j", seq, draft.kind, draft.at, draft.at, draft.author, draft.text, data=draft.data)


def test_a_new_watch_goes_on_where_the_last_one_ended() -> None:
    one = recorder()
    one.observe([finding()], at(0))
    entries = [stored(draft, 1) for draft in one.observe([finding()], at(10))]
    two = recorder()
    two.remember(entries)
    assert two.observe([finding()], at(20)) == [] and two.observe([finding()], at(40)) == []
    two.observe([], at(50))
    assert levels(two.observe([], at(60))) == ["crit>ok"]


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from([None, *Level])), max_size=60))
def test_what_is_written_is_always_a_chain_of_real_changes(steps: list[tuple[int, Level | None]]) -> None:
    one, now, last = recorder(), 0.0, "ok"
    for wait, level in steps:
        now += wait
        seen = [] if level in (None, Level.OK) else [finding(level or Level.WARN)]
        for draft in one.observe(seen, at(now)):
            assert draft.data["was"] == last != draft.data["level"]
            last = draft.data["level"]


def test_containers_have_not_recovered_while_their_daemon_is_down() -> None:
    one = recorder()
    ended = finding(rule="docker.container-down", subject="web3 drupal-a")
    for moment in (0, 10):
        one.observe([ended], at(moment))
    down = finding(rule="docker.daemon-down", subject="web3")
    said = [draft for moment in range(20, 90, 10) for draft in one.observe([down], at(moment))]
    assert [draft.data["finding"] for draft in said] == ["docker.daemon-down"]


def test_a_new_watch_that_reaches_no_host_records_no_recovery() -> None:
    one = recorder()
    split = finding(rule="gluster.split-brain", subject="gv0")
    split = Finding(split.rule, split.level, split.subject, split.sentence, split.at, "")
    one.observe([split], at(0))
    entries = [stored(draft, 1) for draft in one.observe([split], at(10))]
    two, blind = recorder(), Sight(frozenset(), frozenset(), False)
    two.remember(entries)
    assert [two.observe([], at(moment), blind) for moment in (20, 40, 80)] == [[], [], []]
    seen = Sight(frozenset({"gv0"}), frozenset(), False)
    two.observe([], at(90), seen)
    assert levels(two.observe([], at(101), seen)) == ["crit>ok"]


def test_what_is_not_watched_any_more_has_not_recovered() -> None:
    one = recorder()
    one.observe([finding()], at(0))
    entries = [stored(draft, 1) for draft in one.observe([finding()], at(10))]
    two = recorder()
    two.remember(entries, lambda rule, subject, host: host != "web3")
    assert two.observe([], at(20)) == [] and two.observe([], at(60)) == []


def test_a_clock_that_is_set_back_delays_an_entry_by_its_hold_only() -> None:
    one = recorder()
    one.observe([finding()], at(3600))
    assert one.observe([finding()], at(5)) == []
    (draft,) = one.observe([finding()], at(15))
    assert draft.at == at(5)
