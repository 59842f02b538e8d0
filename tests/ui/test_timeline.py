"""The timeline: entries as lines, and the window over many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.incident.state import Fold
from incident_tui.incident.views import TimelineRow
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.lines import plain, width_of
from incident_tui.ui.marks import marks
from incident_tui.ui.timeline import Context, Mark, entry_lines, pending_lines
from incident_tui.ui.window import Window
from incident_tui.watch.rows import ChatRow, Delivery

CONTEXT = Context(48, letters={"0123456789abcdef": "a"})


def all_lines(rows: Sequence[TimelineRow], context: Context = CONTEXT) -> str:
    window = Window()
    window.feed(rows, {}, context)
    return plain(window.lines(200)).rstrip()


def test_the_story_at_48_columns(kit: Any, picture: Callable[[str, str], None]) -> None:
    view = kit.view(kit.outage(), kit.story())
    window = Window()
    window.feed(view.rows, marks(view), CONTEXT)
    picture("timeline", plain(window.lines(30)).rstrip())


def test_marks_of_late_amended_struck_pinned(kit: Any) -> None:
    start = kit.entries(kit.story()[:2])
    late = Entry(
        journal=kit.journal,
        seq=3,
        kind=Kind.NOTE,
        at=start[0].at + timedelta(minutes=1),
        recorded_at=start[0].at + timedelta(minutes=16),
        author=Author("dan"),
        text="saw the disk alarm",
        incident=start[0].incident,
    )

    def about(seq: int, kind: Kind, **data: Any) -> Entry:
        return msgspec.structs.replace(late, seq=seq, kind=kind, text="", ref=late.id, data=data)

    fold = Fold()
    for entry in (
        *start,
        late,
        about(4, Kind.AMEND, text="saw the disk lamp"),
        about(5, Kind.STRIKE, step="strike"),
        about(6, Kind.PIN, step="pin"),
    ):
        fold.apply(entry)
    text = all_lines(fold.incident(start[0].incident).rows, Context(90, letters={kit.journal: "a"}))
    assert " a3 14:03 (+15m) dan  saw the disk lamp  (struck) (amended) (pinned)" in text


def test_deliveries_stand_under_an_update(kit: Any) -> None:
    rows = kit.healthy()
    rows["chat/chat"] = ChatRow(
        name="chat",
        at=kit.now,
        maybe=1,
        deliveries=(
            Delivery(ref=Ref(kit.journal, 7), state="sent", at=kit.now),
            Delivery(ref=Ref(kit.journal, 6), state="maybe", at=kit.now, problem="no answer in 10 s"),
        ),
    )
    view = kit.view(rows, kit.story())
    text = all_lines(view.rows, CONTEXT)
    assert "sent to" not in text
    window = Window()
    window.feed(view.rows, marks(view), CONTEXT)
    text = plain(window.lines(60))
    assert "sent to chat 14:43:12" in text and "MAYBE SENT to chat 14:43:12: no" in text


@pytest.mark.parametrize(
    ("state", "problem", "words"),
    [
        ("waiting", "", "NOT YET SENT to chat 14:43:12"),
        ("waiting", "answered 503", "NOT DELIVERED to chat since 14:43:12: answered 503"),
        ("accepted", "", "accepted, not confirmed, by chat 14:43:12"),
        ("dead", "refused: no_text", "REFUSED by chat 14:43:12: refused: no_text"),
    ],
)
def test_what_is_not_delivered_says_since_when(kit: Any, state: str, problem: str, words: str) -> None:
    delivery = Delivery(ref=Ref(kit.journal, 7), state=state, at=kit.now, problem=problem)
    view = kit.view(
        kit.healthy() | {"chat/chat": ChatRow(name="chat", at=kit.now, deliveries=(delivery,))}, kit.story()
    )
    window = Window()
    window.feed(view.rows, marks(view), CONTEXT)
    assert words in " ".join(plain(window.lines(120)).split())


def test_days_are_parted_by_a_line(kit: Any) -> None:
    drafts = kit.story()[:2]
    drafts[1] = msgspec.structs.replace(drafts[1], at=drafts[1].at + timedelta(days=1))
    assert "── 2026-11-24 UTC ──" in all_lines(kit.view({}, drafts).rows)


def test_a_long_entry_is_shortened_and_says_so(kit: Any) -> None:
    drafts = [
        msgspec.structs.replace(kit.story()[1], text="\n".join(f"line {n}" for n in range(100)), kind=Kind.EVIDENCE)
    ]
    row = kit.view({}, [kit.story()[0], *drafts]).rows[1]
    lines = entry_lines(row, (), CONTEXT)
    assert len(lines) == 41 and "60 more lines: Enter shows all" in plain(lines)
    view = kit.view({}, [kit.story()[0], *drafts])
    assert "line 99" in plain(entry_detail(row, view, 60))


def test_what_is_not_saved_is_said(kit: Any) -> None:
    assert plain(pending_lines(kit.now, "! a line", CONTEXT)) == "  ... 14:43:12 NOT SAVED YET ! a line"


def many(kit: Any, count: int) -> list[TimelineRow]:
    """Rows of so many notes, a second apart."""
    entries = [
        Entry(
            journal=kit.journal,
            seq=number + 1,
            kind=Kind.NOTE,
            at=kit.now + timedelta(seconds=number),
            recorded_at=kit.now + timedelta(seconds=number),
            author=kit.ana,
            text=f"note {number} " + "long words here " * (number % 5),
        )
        for number in range(count)
    ]
    return [TimelineRow(entry=one, at=one.at, text=one.text, word="NOTE", said=one.text) for one in entries]


def test_a_hundred_thousand_entries_cost_only_what_is_seen(kit: Any) -> None:
    rows = many(kit, 100_000)
    window = Window()
    window.feed(rows, {}, CONTEXT)
    assert "note 99999" in plain(window.lines(20))
    assert window.rendered <= 25
    window.scroll(-40)
    window.lines(20)
    window.to_start()
    assert "  note 0\n" in plain(window.lines(20))
    assert window.rendered <= 120
    window.feed([*rows, *many(kit, 1)], {}, CONTEXT)
    window.lines(20)
    assert window.rendered <= 121


def test_it_follows_the_end_until_somebody_scrolls_back(kit: Any) -> None:
    rows = many(kit, 50)
    window = Window()
    window.feed(rows[:40], {}, CONTEXT)
    window.lines(10)
    window.scroll(-10)
    before = plain(window.lines(10))
    window.feed(rows[:44], {}, CONTEXT)
    assert plain(window.lines(10)) == before
    assert (window.follow, window.below) == (False, 4)
    window.to_end()
    assert (window.follow, window.below) == (True, 0)
    assert "note 43" in plain(window.lines(10))
    window.feed(rows, {}, CONTEXT)
    assert "note 49" in plain(window.lines(10))


def test_scrolling_down_to_the_end_follows_again(kit: Any) -> None:
    window = Window()
    window.feed(many(kit, 30), {}, CONTEXT)
    window.lines(10)
    window.scroll(-7)
    assert not window.follow
    window.scroll(7)
    assert window.follow


def test_up_and_down_by_any_way_shows_the_same(kit: Any) -> None:
    window = Window()
    window.feed(many(kit, 60), {}, CONTEXT)
    window.lines(12)
    window.scroll(-30)
    one = plain(window.lines(12))
    for _ in range(5):
        window.scroll(-3)
    for _ in range(15):
        window.scroll(1)
    assert plain(window.lines(12)) == one


def test_an_entry_that_comes_late_above_does_not_move_what_is_read(kit: Any) -> None:
    rows = many(kit, 50)
    window = Window()
    window.feed(rows[:10] + rows[11:], {}, CONTEXT)
    window.lines(10)
    window.scroll(-20)
    before = plain(window.lines(10))
    window.feed(rows, {}, CONTEXT)
    assert plain(window.lines(10)) == before


def test_a_choice_is_brought_into_view_in_both_directions(kit: Any) -> None:
    rows = many(kit, 60)
    window = Window()
    window.feed(rows, {}, CONTEXT)
    window.lines(10)
    for step in (0, *([-1] * 40), *([1] * 25)):
        window.select(step)
        lines = window.lines(10)
        chosen = window.chosen()
        assert chosen is not None
        assert any(window.shows(y, chosen) for y in range(10)), plain(lines)


def test_scrolling_takes_the_choice_along(kit: Any) -> None:
    """So that Down, Enter and copying after PgUp or Ctrl+Home are about what is read, not about what was left."""
    rows = many(kit, 60)
    window = Window()
    window.feed(rows, {}, CONTEXT)
    window.lines(10)
    window.select(0)
    for lines in (-30, 12, -3, -200, 25, 400):
        window.scroll(lines)
        window.lines(10)
        top = window.top
        for _ in range(2):
            assert window.chosen() in window.visible()
            window.select(0)  # nothing moves
            assert window.top is top
    window.to_start()
    assert window.chosen() is rows[0]
    window.select(1)
    window.lines(10)
    assert window.chosen() is rows[1] and window.top is rows[0]


def test_what_is_well_again_takes_one_line(kit: Any) -> None:
    text = "over: web3 (127.0.0.1:45719): connection refused; is sshd running? (it lasted 23s)"
    entry = msgspec.structs.replace(kit.entries(kit.story()[:1])[0], kind=Kind.OBSERVATION, text=text)
    fold = Fold()
    fold.apply(msgspec.structs.replace(entry, data={"level": "ok"}))
    row = fold.row(entry.id)
    assert row is not None
    lines = entry_lines(row, (), CONTEXT)
    assert len(lines) == 1 and plain(lines).rstrip().endswith("… (23s)"), plain(lines)


def test_on_a_phone_words_have_the_room_of_seconds_and_of_the_margin(kit: Any) -> None:
    row = kit.view(kit.outage(), kit.story()).rows[0]
    first, second = plain(entry_lines(row, (), Context(36, letters={kit.journal: "a"}))).split("\n")[:2]
    assert first.startswith("   a1 14:02 ana  DECLARED") and second.startswith("      ") and second[6] != " "


def test_all_widths_draw_lines_of_that_width(kit: Any) -> None:
    view = kit.view(kit.outage(), kit.story())
    for width in (24, 37, 48, 120):
        window = Window()
        window.feed(
            view.rows,
            {view.rows[0].ref: (Mark("a delivery " * 9, "", True),)},
            Context(width, letters={kit.journal: "a"}),
        )
        assert all(width_of(line) == width for line in window.lines(40))


def test_what_a_machine_said_takes_two_lines_at_most_and_all_of_it_on_enter(kit: Any) -> None:
    long = "web3 (127.0.0.1:45719): connection refused by the machine; is sshd running? (it lasted 23s)"
    for text, shown in (
        ("web2: memory 97% used, 61.4 MiB of 2.0 GiB left (estimated)", "2.0 GiB left"),
        (f"no longer: {long}", "(it lasted 23s)"),
        ("gv0: 2 of 3 bricks up; web2:/b/gv0 is down (its process is gone)", "web2:/b/gv0 is down"),
        ("x" * 500, "…"),
        (", ".join(["a clause"] * 2_000), "…"),
    ):
        entry = msgspec.structs.replace(kit.entries(kit.story()[:1])[0], kind=Kind.OBSERVATION, text=text, data={})
        fold = Fold()
        fold.apply(entry)
        row = fold.row(entry.id)
        assert row is not None
        lines = entry_lines(row, (), CONTEXT)
        assert len(lines) <= 2 and all(width_of(line) <= CONTEXT.width for line in lines)
        assert shown in " ".join(plain(lines).split())
        whole = plain(entry_detail(row, kit.view(kit.outage()), 60))
        assert "".join(text.split()) in "".join(whole.split())
