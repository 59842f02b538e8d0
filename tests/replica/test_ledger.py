"""Whose a message is."""

from __future__ import annotations

from datetime import UTC, datetime

from incident_tui.incident.entry import Author, Entry, Kind, Ref
from incident_tui.replica.ledger import Apart, Ledger, Share, alone_data, share, together_data

AT = datetime(2026, 1, 1, tzinfo=UTC)
ALL = {"b": list(range(1, 21))}


def says(seq: int, data: dict[str, object], journal: str = "b") -> Entry:
    return Entry(journal=journal, seq=seq, kind=Kind.LEASE, at=AT, recorded_at=AT, author=Author("watch"), data=data)


def apart(*entries: Entry) -> Apart:
    made = Apart()
    for entry in entries:
        made.take(entry)
    return made


def numbers(refs: tuple[Ref, ...]) -> list[int]:
    return [ref.seq for ref in refs]


def of(made: Share) -> tuple[list[int], list[int], list[int]]:
    return numbers(made.queue), numbers(made.twice), numbers(made.theirs)


def test_what_is_not_done_is_to_be_sent_in_order() -> None:
    made = share("ops", Ledger(done={"a": 4, "b": 17}), {**ALL, "a": [2, 4, 6]}, {"a": 9, "b": 19}, Apart())
    assert made.queue == (Ref("a", 6), Ref("b", 18), Ref("b", 19))
    assert made.passed == {"a": 9, "b": 19}


def test_what_a_bastion_sent_while_alone_is_its_own() -> None:
    words = apart(says(10, alone_data(8)), says(15, together_data({})))
    assert of(share("ops", Ledger(done={"b": 5}), ALL, {"b": 18}, words)) == (
        [6, 7, 15, 16, 17, 18],
        [],
        list(range(8, 15)),
    )


def test_what_it_could_not_send_goes_back_to_the_others() -> None:
    words = apart(says(10, alone_data(8)), says(15, together_data({"ops": 12})))
    assert of(share("ops", Ledger(done={"b": 7}), ALL, {"b": 16}, words))[0] == [12, 13, 14, 15, 16]
    assert of(share("another", Ledger(done={"b": 7}), ALL, {"b": 16}, words))[0] == [15, 16]


def test_while_it_is_alone_nobody_else_sends_for_it() -> None:
    made = share("ops", Ledger(done={"b": 5}), ALL, {"b": 14}, apart(says(10, alone_data(8))))
    assert of(made)[0] == [6, 7] and made.passed == {"b": 7}
    assert 14 in of(made)[2]


def test_what_went_out_before_its_word_came_is_named_once() -> None:
    words = apart(says(10, alone_data(8)), says(15, together_data({})))
    ledger = Ledger(done={"b": 9})
    made = share("ops", ledger, ALL, {"b": 16}, words)
    assert of(made) == ([15, 16], [8, 9], list(range(10, 15)))
    told = Ledger(done={"b": 9}, told=made.told)
    again = share("ops", told, ALL, {"b": 16}, words)
    assert of(again) == ([15, 16], [], list(range(10, 15)))


def test_what_is_on_its_way_when_the_word_comes_counts_as_sent() -> None:
    words = apart(says(10, alone_data(8)), says(15, together_data({})))
    made = share("ops", Ledger(done={"b": 7}, under_way=(Ref("b", 8),)), ALL, {"b": 16}, words)
    assert of(made)[1] == [8]


def test_a_word_that_makes_no_sense_changes_nothing() -> None:
    words = apart(
        says(3, together_data({"ops": 1})),
        says(4, {"apart": "alone", "first": "x"}),
        says(5, alone_data(2)),
        says(6, {"apart": "together", "unsent": {"ops": "x"}}),
        says(7, {"apart": 7}),
        says(8, alone_data(900)),
        says(9, {"apart": "together", "unsent": 3}),
    )
    assert [(one.first, one.said, one.until, one.unsent) for one in words.of("b")] == [(4, 4, 6, {}), (8, 8, 9, {})]


def test_a_claim_and_what_becomes_of_it() -> None:
    claimed = Ledger(done={"b": 4}).claim([Ref("b", 5), Ref("a", 2)])
    assert claimed.under_way == (Ref("b", 5), Ref("a", 2))
    assert claimed.settle(claimed.under_way, done=True) == Ledger(done={"a": 2, "b": 5})
    assert claimed.settle(claimed.under_way, done=False) == Ledger(done={"b": 4})
