"""Rows on their way between boards: bounded, checked, in the receiver's time."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.hosts.readings import HostReading, Link, LinkState, Load
from incident_tui.watch.rows import ChatRow, SiteRow
from incident_tui.watch.shared_rows import AGAIN, LEAST, LIMIT, SKEW, Frame, Frames, Pace, encoded, pack

NOW = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)


def reading(host: str = "web1", sentence: str = "") -> HostReading:
    link = Link(state=LinkState.UP, sentence=sentence, since=NOW - timedelta(hours=1), at=NOW)
    load = Load(at=NOW - timedelta(seconds=3), one=1.0, five=1.0, fifteen=1.0, cpus=2, uptime_seconds=9.0)
    return HostReading(host=host, at=NOW, link=link, load=load)


def frames(letter: str = "b") -> Frames:
    return Frames(letter, lambda key: key != "host/mine")


def sent(rows: dict[str, msgspec.Struct], letter: str = "b", now: datetime = NOW) -> bytes:
    return pack(encoded(rows.items(), letter), now)


def test_a_row_arrives_with_who_read_it() -> None:
    rows = {"host/web1": reading(), "site/shop": SiteRow(name="shop", at=NOW), "chat/ops": ChatRow(name="ops", at=NOW)}
    taken = frames().take(sent(rows), NOW)
    assert taken.rows["host/web1"] == msgspec.structs.replace(reading(), via="b")
    assert taken.rows["site/shop"] == SiteRow(name="shop", at=NOW, via="b")
    assert set(taken.rows) == set(rows) and not taken.refused


def test_what_is_read_here_or_of_no_known_sort_is_not_taken() -> None:
    rows: dict[str, msgspec.Struct] = {"host/mine": reading("mine"), "watch": reading(), "other/x": reading()}
    assert frames().take(sent(rows), NOW).rows == {}


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_makes_nothing_old_or_new(hours: int) -> None:
    theirs = NOW + timedelta(hours=hours)
    row = msgspec.structs.replace(reading(), load=msgspec.structs.replace(reading().load, at=theirs))  # type: ignore[type-var]
    taken = frames().take(sent({"host/web1": row}, now=theirs), NOW + timedelta(seconds=1))
    came = taken.rows["host/web1"]
    assert isinstance(came, HostReading) and came.load is not None
    assert NOW <= came.load.at <= NOW + timedelta(seconds=1)


def test_a_slow_way_makes_nothing_younger() -> None:
    """A frame that took a minute is not of a clock that is behind: another of them was faster."""
    one = frames()
    one.take(sent({"host/web1": reading()}), NOW + timedelta(milliseconds=5))
    taken = one.take(sent({"host/web1": reading()}), NOW + timedelta(minutes=1))
    assert taken.rows["host/web1"] == msgspec.structs.replace(reading(), via="b") and taken.skew < SKEW


def test_a_row_that_says_it_is_of_another_is_refused() -> None:
    assert frames().take(sent({"host/web1": reading("web2")}), NOW).refused
    assert frames().take(sent({"host/web1": reading()}, "c"), NOW).refused


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "\x07", "zero\u200bwidth", "\x9b2J"])
def test_a_row_whose_text_was_not_made_safe_is_refused(text: str) -> None:
    taken = frames().take(sent({"host/web1": reading(sentence=text)}), NOW)
    assert taken.rows == {} and taken.refused


@pytest.mark.parametrize("text", ["C:\\users", "\\\\u0007", "née", "two\nlines", 'a "quoted" word', "\\u001b as typed"])
def test_text_that_is_safe_is_taken_as_it_is(text: str) -> None:
    taken = frames().take(sent({"host/web1": reading(sentence=text)}), NOW)
    row = taken.rows["host/web1"]
    assert isinstance(row, HostReading) and row.link.sentence == text


@given(st.binary(max_size=300), st.booleans())
def test_anything_may_come(payload: bytes, packed: bool) -> None:
    taken = frames().take(zlib.compress(payload) if packed else payload, NOW)
    assert taken.rows == {} and taken.refused


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_frame_with_any_byte_changed_is_taken_or_refused(place: int, value: int) -> None:
    body = bytearray(msgspec.json.encode(Frame(NOW, {"host/web1": msgspec.Raw(msgspec.json.encode(reading()))})))
    body[place % len(body)] = value
    taken = frames().take(zlib.compress(bytes(body)), NOW)
    assert all(isinstance(row, HostReading) for row in taken.rows.values())


def test_a_frame_that_unpacks_to_too_much_is_not_read() -> None:
    assert "too large" in frames().take(zlib.compress(b" " * (LIMIT + 1)), NOW).refused


def test_a_row_goes_when_it_changed_and_now_and_then_although_it_did_not() -> None:
    pace = Pace()
    pace.keep({"host/a": b"1", "host/b": b"1"})
    assert pace.due(0.0) == [{"host/a": b"1", "host/b": b"1"}]
    pace.keep({"host/a": b"2", "host/b": b"1"})
    assert pace.due(LEAST / 2) == []
    assert pace.due(LEAST) == [{"host/a": b"2"}]
    assert pace.due(AGAIN) == [{"host/b": b"1"}]
    pace.keep({"host/b": b"1"})
    assert pace.due(AGAIN * 2) == [{"host/b": b"1"}]


def test_what_is_over_the_limit_waits_and_then_comes_first() -> None:
    pace = Pace()
    pace.keep({f"host/{number}": b"x" * 100 for number in range(10)})
    seen = [key for frame in pace.due(0.0, 450) for key in frame]
    assert len(seen) == 4
    more = [key for now in (1.0, 2.0) for frame in pace.due(now, 450) for key in frame]
    assert sorted(seen + more) == sorted(f"host/{number}" for number in range(10))
