"""The outbox alone: what is kept over a crash, a change of account, another version."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat.outbox import SHOWN, Outbox
from incident_tui.watch.chat.reading import FILE, delivered, read_only
from tests.chat.fakes import START, states


def test_an_entry_is_queued_once(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2, 3], 5, START)
    outbox.enqueue("ops", "j", [3], 5, START)
    assert [message.ref.seq for message in outbox.waiting("ops", 50)] == [1, 2, 3]
    assert outbox.cursor("ops", "j") == 5


def test_a_sink_that_was_taken_out_begins_anew(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    outbox.enqueue("old", "j", [1], 1, START)
    outbox.keep_only(["ops"], START)
    assert (outbox.cursor("ops", "j"), outbox.cursor("old", "j")) == (1, None)
    assert not outbox.waiting("old", 9) and outbox.waiting("ops", 9)
    outbox.keep_only([], START)
    assert not outbox.waiting("ops", 9)


def test_the_next_watch_may_be_another_account_of_the_group(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        one = Outbox(tmp_path / "o.db")
        one.enqueue("ops", "j", [1], 1, START)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    one.close()
    assert modes == {"o.db": 0o660, "o.db-wal": 0o660, "o.db-shm": 0o660}


def test_a_watch_killed_while_sending_leaves_maybe_but_where_a_second_attempt_is_no_second_message(
    tmp_path: Path,
) -> None:
    first = Outbox(tmp_path / "o.db")
    for sink in ("ops", "matrix"):
        first.enqueue(sink, "j", [1, 2, 3], 3, START)
        first.sending(first.waiting(sink, 2))
    first.close()
    second = Outbox(tmp_path / "o.db")
    assert second.recover(["matrix"], START) == 4
    assert states(second) == ["maybe", "maybe", "waiting"] and states(second, "matrix") == ["waiting"] * 3
    # Those two went out as one message, so they go out again as the same one, and nothing else with them.
    assert [message.ref.seq for message in second.waiting("matrix", 50)] == [1, 2]
    second.close()


def test_an_outbox_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "o.db")
    db.executescript(
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, sink TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL,"
        " state TEXT NOT NULL, queued REAL NOT NULL, sent REAL, attempts INTEGER NOT NULL DEFAULT 0,"
        " next REAL NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '', UNIQUE(sink, journal, seq));"
        "INSERT INTO messages(sink, journal, seq, state, queued) VALUES('ops', 'j', 7, 'waiting', 0);"
    )
    db.close()
    outbox = Outbox(tmp_path / "o.db")
    (waiting,) = outbox.waiting("ops", 9)
    outbox.sending([waiting])
    outbox.finish([waiting], "sent", START, remote="x")
    assert states(outbox) == ["sent"]
    outbox.close()


def test_a_persons_word_brings_back_what_was_refused_and_by_name_what_is_open(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2, 3, 4], 4, START)
    for state in ("dead", "maybe", "accepted", "sent"):
        outbox.finish(outbox.waiting("ops", 1), state, START, "no")
    assert outbox.retry("ops", None) == 1 and states(outbox) == ["waiting", "maybe", "accepted", "sent"]
    assert outbox.retry("ops", Ref("j", 2)) == 1 and outbox.retry("ops", Ref("j", 3)) == 1
    assert outbox.retry("ops", Ref("j", 4)) == 0  # it is there
    assert states(outbox) == ["waiting", "waiting", "waiting", "sent"]


def test_what_is_not_well_is_shown_however_much_came_after_it(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", range(1, 200), 200, START)
    outbox.finish(outbox.waiting("ops", 1), "dead", START, "no")
    outbox.finish(outbox.waiting("ops", 190), "sent", START)
    row = outbox.row("ops", START, "", None)
    assert row.deliveries[0].state == "dead" and len(row.deliveries) <= 2 * SHOWN
    assert (row.dead, row.waiting) == (1, 8)


def test_what_was_sent_long_ago_is_forgotten_and_not_sent_again(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    outbox.finish(outbox.waiting("ops", 1), "sent", START)
    outbox.finish(outbox.waiting("ops", 1), "dead", START)
    outbox.recover([], START + timedelta(days=401))
    assert states(outbox) == ["dead"] and outbox.cursor("ops", "j") == 2


def test_the_report_says_where_an_update_went(outbox: Outbox, tmp_path: Path) -> None:
    for sink, state in (("ops", "sent"), ("team", "dead"), ("boss", "accepted")):
        outbox.enqueue(sink, "j", [1], 1, START)
        outbox.finish(outbox.waiting(sink, 1), state, START)
    outbox.enqueue("ops", "j", [2], 2, START)
    outbox.enqueue_test("ops", 5, START)
    assert delivered(tmp_path) == {
        Ref("j", 1): "accepted, not confirmed, by boss 03:10:00Z; sent to ops 03:10:00Z; refused by team",
        Ref("j", 2): "not delivered to ops",
    }
    assert delivered(tmp_path / "nowhere") == {}
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "outbox.db").write_bytes(b"no database at all, but some bytes")
    assert delivered(tmp_path / "broken") == {}


def test_a_file_that_the_watch_is_just_making_is_no_outbox_yet(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with read_only(tmp_path) as db:
        assert db is None
    assert delivered(tmp_path) == {}
