"""Whether the others are reached, by a clock that is passed in: spans, hysteresis, a clock that is set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incident_tui.replica.reach import CUT_AFTER, WORTH, Reach, Span
from incident_tui.replica.rows import ReplicaRow, replica_findings

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_silence_that_is_longer_than_a_leader_takes_is_a_cut_and_a_long_one_a_span() -> None:
    reach = Reach(NOW)
    assert not reach.reached
    reach.heard(NOW + SECOND)
    reach.look(NOW + SECOND + CUT_AFTER)
    assert reach.reached and reach.since == NOW + SECOND
    lost = NOW + 2 * SECOND + CUT_AFTER
    reach.look(lost)
    assert not reach.reached and reach.since == NOW + SECOND, "since it was last heard"
    reach.heard(lost + WORTH)
    assert reach.reached and reach.ended() == Span(NOW + SECOND, lost + WORTH)
    assert reach.ended() is None, "once"


def test_a_short_one_is_not_worth_an_entry() -> None:
    reach = Reach(NOW)
    reach.heard(NOW + SECOND)
    reach.look(NOW + 10 * SECOND)
    assert not reach.reached
    reach.heard(NOW + 12 * SECOND)
    assert reach.reached and reach.ended() is None


def test_a_clock_that_was_set_back_counts_as_not_heard() -> None:
    reach = Reach(NOW)
    reach.heard(NOW + SECOND)
    reach.look(NOW - timedelta(hours=1))
    assert not reach.reached and reach.since == NOW - timedelta(hours=1)


def test_what_waits_and_what_was_refused_are_findings() -> None:
    row = ReplicaRow(name="nats", way="jetstream", at=NOW, waiting=3, waiting_since=NOW, refused="entry a2 was altered")
    found = replica_findings(["nats"], {"nats": row}, NOW + timedelta(minutes=2))
    assert [one.rule for one in found] == ["replica.unsent", "replica.refused"]
    assert "3 entries have not left this bastion since 03:10Z" in found[0].sentence
    assert not [one for one in replica_findings(["nats"], {"nats": row}, NOW) if one.rule == "replica.unsent"]
