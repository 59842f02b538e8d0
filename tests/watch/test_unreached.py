"""When a bastion says that it cannot reach a host, and when it does not any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from incident_tui.hosts.readings import Link, LinkState
from incident_tui.watch.unreached import AT_ONCE, HELD, TRIES, Unreached

RETRY = 300.0


class One:
    """A watch that reads some hosts; `now` is its clock."""

    def __init__(self, *reads: str) -> None:
        self.told = Unreached(RETRY)
        self.reads = set(reads)
        self.now = 1000.0

    def hears(self, state: LinkState, host: str = "web1", times: int = 1) -> frozenset[str]:
        for _ in range(times):
            self.now += 1
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)
            self.told.heard(host, Link(state=state, sentence=state.name, since=at, at=at), self.now)
        return self.told.step(self.reads, self.now)

    def passes(self, seconds: float) -> frozenset[str]:
        self.now += seconds
        return self.told.step(self.reads, self.now)


def handed_over() -> One:
    one = One("web1")
    assert one.hears(LinkState.REFUSED, times=TRIES) == {"web1"}
    one.reads.clear()
    return one


def test_only_what_failed_often_enough_in_a_row() -> None:
    one = One("web1")
    assert not one.hears(LinkState.TIMEOUT, times=TRIES - 1)
    assert not one.hears(LinkState.CONNECTING, times=9)
    assert not one.hears(LinkState.UP)
    assert not one.hears(LinkState.TIMEOUT, times=TRIES - 1)
    assert one.hears(LinkState.LOST) == {"web1"}


def test_one_failure_that_is_heard_of_often_is_one() -> None:
    one, at = One("web1"), datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(9):
        one.told.heard("web1", Link(state=LinkState.TIMEOUT, sentence="", since=at, at=at), one.now)
    assert not one.passes(0)


def test_a_host_key_that_changed_is_for_a_person_and_not_to_be_gone_around() -> None:
    assert not One("web1").hears(LinkState.HOST_KEY_CHANGED, times=9)


def test_it_is_tried_again_after_a_while_and_each_time_once() -> None:
    one = handed_over()
    for _ in range(3):
        one.passes(RETRY - 5)
        assert not one.told.tries
        one.passes(10)
        assert one.told.tries == {"web1"}
        assert one.hears(LinkState.CONNECTING) == {"web1"} and one.told.tries
        assert one.hears(LinkState.REFUSED) == {"web1"} and not one.told.tries


def test_it_says_why() -> None:
    one = handed_over()
    assert one.told.why == {"web1": "REFUSED"}
    one.passes(RETRY)
    one.hears(LinkState.TIMEOUT)
    assert one.told.why == {"web1": "TIMEOUT"}


def test_a_try_that_says_nothing_is_over_some_time() -> None:
    one = handed_over()
    one.passes(RETRY)
    one.passes(100)
    assert not one.told.tries


def test_it_is_reached_again_when_the_connection_has_held() -> None:
    one = handed_over()
    one.passes(RETRY)
    assert one.hears(LinkState.UP) == {"web1"}
    assert one.passes(HELD - 2) == {"web1"} and one.told.tries
    assert one.passes(3) == frozenset() and not one.told.tries


def test_one_that_comes_and_goes_is_not_reached() -> None:
    one = handed_over()
    one.passes(RETRY)
    for _ in range(5):
        one.hears(LinkState.UP)
        one.passes(HELD - 5)
        assert one.hears(LinkState.LOST) == {"web1"}
        one.passes(RETRY)


def test_who_reads_it_all_the_same_needs_no_try() -> None:
    one = handed_over()
    one.reads.add("web1")
    one.passes(2 * RETRY)
    assert not one.told.tries
    one.hears(LinkState.UP)
    assert one.passes(HELD) == frozenset()


def test_of_very_many_some_are_tried_at_a_time() -> None:
    hosts = [f"web{number}" for number in range(3 * AT_ONCE)]
    one = One(*hosts)
    for host in hosts:
        one.hears(LinkState.DNS, host, times=TRIES)
    one.reads.clear()
    one.passes(RETRY)
    first = one.told.tries
    assert len(first) == AT_ONCE
    for host in first:
        one.hears(LinkState.DNS, host)
    one.passes(1)
    assert len(one.told.tries) == AT_ONCE and not one.told.tries & first
