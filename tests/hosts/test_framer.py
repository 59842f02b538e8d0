"""The framing between the probe and us: the same messages however the bytes are cut, and bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.hosts import sections
from incident_tui.hosts.sections import EventLine, Framer, Message, RoundEnded

MARK = "ab" * 8
LINES = ["", "text", MARK, f"{MARK}x", f" {MARK} DONE 1", "ä\udcff", f"{MARK} NEWS 1", f"x {MARK} END a 0 1 0"]


def stream(bodies: list[list[str]]) -> bytes:
    parts = [f"motd\n{MARK} READY 1 fast\nevent\n{MARK} ROUND 1\n"]
    for number, lines in enumerate(bodies):
        body = "".join(line + "\n" for line in lines)
        parts.append(f"{MARK} SECTION s{number}\n{body}\n{MARK} END s{number} 0 {number} 5\n")
    return ("".join(parts) + f"{MARK} DONE 1\nlast event\n").encode("utf-8", "surrogateescape")


@given(st.lists(st.lists(st.sampled_from(LINES), max_size=6), max_size=4), st.lists(st.integers(1, 40), min_size=1))
def test_messages_do_not_depend_on_where_the_bytes_are_cut(bodies: list[list[str]], cuts: list[int]) -> None:
    data = stream(bodies)
    whole = Framer(MARK).feed(data)
    framer, pieces, place = Framer(MARK), list[Message](), 0
    for turn in range(len(data)):
        size = cuts[turn % len(cuts)]
        pieces += framer.feed(data[place : place + size])
        place += size
    assert pieces == whole
    (ended,) = [message for message in whole if isinstance(message, RoundEnded)]
    said = [[line for line in lines if line != f"{MARK} NEWS 1"] for lines in bodies]
    expected = ["".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape") for lines in said]
    assert [section.body for section in ended.sections] == [body.decode("utf-8", "replace") for body in expected]
    assert [message.line for message in whole if isinstance(message, EventLine)] == ["event", "last event"]


def test_a_section_past_its_limit_is_cut_at_a_whole_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "SECTION_LIMIT", 25)
    framer = Framer(MARK)
    framer.feed(f"{MARK} READY 1 fast\n{MARK} ROUND 1\n{MARK} SECTION a\n".encode())
    for _ in range(10):
        framer.feed(b"0123456789\n")
    framer.feed(b"s\n")
    (ended,) = [m for m in framer.feed(f"\n{MARK} END a 0 1 0\n{MARK} DONE 1\n".encode()) if isinstance(m, RoundEnded)]
    assert ended.sections[0].cut and ended.sections[0].body == "0123456789\n0123456789"
