"""What was written elsewhere is read with the right time, and becomes entries once."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.desk.importing import keep
from incident_tui.desk.importing.days import times
from incident_tui.desk.importing.found import ImportProblem
from incident_tui.desk.importing.read import of_text, read
from incident_tui.incident.entry import Author, Kind
from incident_tui.incident.settings import Person
from incident_tui.journal.store import Store
from incident_tui.report.card import RULE
from incident_tui.text import sanitise

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
CARD = f"BREAK-GLASS CARD INC-1, as of 2026-11-23 14:41Z\n\n{RULE}\n"
BOB = Author("bob")


def said(text: str, zone: Any = UTC, first: date | None = None, name: str = "", now: datetime = NOW) -> list[str]:
    """Each line of the transcript as "DAY CLOCK WHO TEXT"."""
    out = []
    for one in times(of_text(text, name), now, zone, first):
        at = f"{one.at:%d %H:%M:%S}" if one.at else "-"
        out.append(" ".join(part for part in (at, one.said.by, one.said.text) if part))
    return out


def test_lines_below_a_card_have_the_times_after_it_was_made() -> None:
    typed = (
        "14:05 just before\n- 15:10Z bob is on the phone\nno time here\n15:02 late\n23:59 last of the day\n00:05 next"
    )
    assert said(CARD + typed, zone=None) == [
        "23 14:05:00 just before",
        "23 15:10:00 bob is on the phone",
        "23 15:10:00 no time here",
        "23 15:02:00 late",
        "23 23:59:00 last of the day",
        "24 00:05:00 next",
    ]
    assert said(CARD + "10:00 the next morning") == ["24 10:00:00 the next morning"]


def test_of_a_plain_file_the_last_line_is_the_latest_of_its_clock_face_and_the_others_come_before_it() -> None:
    assert said("23:50 a\n00:10 b\n00:05 late\n") == ["24 23:50:00 a", "25 00:10:00 b", "25 00:05:00 late"]
    assert said("14:50 a") == ["24 14:50:00 a"]
    assert said("first\n14:50 a") == ["- first", "24 14:50:00 a"]


def test_a_day_is_said_by_the_line_by_a_line_of_its_own_or_by_the_importer() -> None:
    text = "23:50 a\n00:10 b\n"
    assert said(text, first=date(2026, 11, 20)) == ["20 23:50:00 a", "21 00:10:00 b"]
    assert said("# 2026-11-20\n" + text) == ["20 23:50:00 a", "21 00:10:00 b"]
    assert said("22:00 before\n2026-11-20 22:10 a\n00:10 b") == ["20 22:00:00 before", "20 22:10:00 a", "21 00:10:00 b"]


def test_a_local_time_needs_a_zone_and_one_with_its_own_does_not() -> None:
    with pytest.raises(ImportProblem, match="--zone"):
        said("14:05 x", zone=None)
    assert said("14:05 x", zone=ZoneInfo("Asia/Kolkata")) == ["25 08:35:00 x"]
    assert said("2026-11-23T14:05+01:00 x\n14:10Z y", zone=None) == ["23 13:05:00 x", "23 14:10:00 y"]


def test_an_hour_that_comes_twice_follows_the_line_before_and_one_that_was_skipped_is_said() -> None:
    paris = ZoneInfo("Europe/Paris")
    found = of_text("2026-10-25 02:50 a\n02:10 b\n03:10 c")
    got = times(found, NOW, paris, None)
    assert [f"{one.at:%H:%M}" for one in got] == ["00:50", "01:10", "02:10"]
    assert "twice" in got[0].doubt and not got[2].doubt
    assert "skipped" in times(of_text("2026-03-29 02:30 a"), NOW, paris, None)[0].doubt


@pytest.mark.parametrize("line", ["99:99 x", "14:05", "x 14:05 y", "2026-99-99 10:00 x"])
def test_what_is_no_time_stays_in_the_line(line: str) -> None:
    assert said(line) == [f"- {line}"]


def test_irssi_writes_the_day_when_it_changes() -> None:
    log = (
        "--- Log opened Mon Nov 23 23:50:01 2026\n23:51 -!- ana [a@h] has joined #ops\n23:52 <@ana> web3 is down\n"
        "23:53  * bob looks\n--- Day changed Tue Nov 24 2026\n00:01 < bob> \x0304glusterd\x03 was dead\n"
    )
    found = of_text(log)
    assert found.form == "irssi" and found.skipped == {"joins, parts and notices": 1} and found.chat
    assert said(log) == ["23 23:52:00 ana web3 is down", "23 23:53:00 bob looks", "24 00:01:00 bob glusterd was dead"]


def test_weechat_and_znc() -> None:
    weechat = (
        "2026-11-23 14:05:02\t-->\tana (a@h) has joined #ops\n2026-11-23 14:05:09\t@ana\tweb3 is down\n"
        "2026-11-23 14:06:00\t *\tbob looks\n2026-11-23 14:07:00\t--\tnotice\n"
    )
    assert said(weechat) == ["23 14:05:09 ana web3 is down", "23 14:06:00 bob looks"]
    znc = "[14:05:02] *** Joins: ana (a@h)\n[14:05:09] <ana> web3 is down\n[14:06:00] * bob looks\n"
    assert said(znc, name="#ops_20261120.log") == ["20 14:05:09 ana web3 is down", "20 14:06:00 bob looks"]
    assert said(znc, name="2026-11-20.log")[0].startswith("20 ") and said(znc)[0].startswith("24 ")
    assert of_text(znc, "#ops_20261120.log").room == "#ops"


SLACK = [
    {
        "type": "message",
        "user": "U1",
        "text": "web3 &lt;down&gt; <@U2> see <https://x.y|graph>",
        "ts": "1795442700.000100",
    },
    {"type": "message", "subtype": "channel_join", "user": "U2", "text": "joined", "ts": "1795442701.000100"},
    {"type": "message", "user": "U2", "text": "/purge a1", "ts": "1795442760.000200", "thread_ts": "1795442700.000100"},
]


@pytest.fixture
def slack(tmp_path: Path) -> Path:
    folder = tmp_path / "export"
    for room in ("ops", "general"):
        (folder / room).mkdir(parents=True)
        (folder / room / "2026-11-23.json").write_text(json.dumps(SLACK))
    (folder / "users.json").write_text(
        json.dumps([{"id": "U1", "name": "ana"}, {"id": "U2", "profile": {"display_name": "bob"}}])
    )
    return folder


def test_slack_as_a_folder_a_zip_or_one_file(slack: Path, tmp_path: Path) -> None:
    with pytest.raises(ImportProblem, match=r"2 rooms.*general, ops"):
        read(str(slack))
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in slack.rglob("*.json"):
            made.write(path, path.relative_to(slack))
    file = slack / "ops" / "2026-11-23.json"
    for found in (read(str(slack), None, "ops"), read(str(archive), None, "#OPS"), read(str(file))):
        assert [(one.by, one.text) for one in found.said] == [
            ("ana", "web3 <down> @bob see graph (https://x.y)"),
            ("bob", "/purge a1"),
        ]
        assert found.room == "ops" and found.skipped and found.said[1].thread == "1795442700.000100"
        assert found.said[0].at == datetime.fromtimestamp(1795442700.0001, UTC)


def test_mattermost_in_bulk_and_by_its_api() -> None:
    post = {"channel": "ops", "user": "ana", "message": "web3 is down", "create_at": 1795442700000}
    reply = {"user": "bob", "message": "looking", "create_at": 1795442760000}
    lines = [{"type": "version", "version": 1}, {"type": "post", "post": post | {"replies": [reply]}}]
    bulk = of_text("\n".join(json.dumps(one) for one in lines))
    assert [(one.by, one.text) for one in bulk.said] == [
        ("ana", "web3 is down"),
        ("bob", "looking"),
    ] and bulk.room == "ops"
    answer = {
        "order": ["p1"],
        "posts": {"p1": {"id": "p1", "user_id": "u", "message": "x", "create_at": 1795442700000}},
    }
    assert [one.remote for one in of_text(json.dumps(answer)).said] == ["p1"]
    with pytest.raises(ImportProblem, match="line 2 of it is no JSON"):
        of_text(json.dumps(lines[0]) + "\n{\n")
    with pytest.raises(ImportProblem, match="no export"):
        of_text('{"a": 1}')


@settings(max_examples=60)
@given(
    st.text(max_size=300),
    st.sampled_from(["", "[14:05:02] <x> ", "14:05 ", "14:05 <x> ", "2026-11-23 14:05:02\tx\t", "{", "["]),
)
def test_nothing_that_a_file_holds_breaks_it_or_gets_through_unclean(text: str, head: str) -> None:
    try:
        found = times(of_text(head + text), NOW, UTC, None)
    except ImportProblem:
        return
    for one in found:
        assert one.said.text == sanitise(one.said.text, lines=True) and one.said.by == sanitise(one.said.by)


# Into a journal


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "journal", clock=lambda: NOW) as opened:
        yield opened


def bring(
    store: Store, text: str, ident: str = "id1", people: tuple[Person, ...] = (), now: datetime = NOW
) -> keep.Plan:
    found = of_text(text)
    made = keep.pieces(found, times(found, now, UTC, None), now, BOB, people)
    plan = keep.plan(made, keep.Known(store.read(), now))
    drafts = [piece.draft for piece in plan.pieces if piece.draft is not None]
    keep.save(store, drafts, "INC-1", ident, "notes.txt", 0)
    return plan


def texts(store: Store) -> list[str]:
    return [entry.text for entry in store.read() if entry.kind is not Kind.STRIKE]


LINES = "14:05 ! a\n14:05 twice\n14:05 twice\nno time\n14:09 d: b\n"


def test_the_same_file_again_adds_nothing_and_a_longer_one_only_what_is_new(store: Store) -> None:
    bring(store, LINES)
    assert texts(store) == ["a", "twice", "twice", "no time", "b"]
    assert {entry.source for entry in store.read()} == {"import id1, notes.txt"}
    assert bring(store, LINES).here == 5 and len(texts(store)) == 5
    longer = "14:01 earlier\n" + LINES.replace("14:09", "14:05 twice\n14:05 between\n14:09") + "14:10 later\n"
    bring(store, longer, "id2", now=NOW + timedelta(hours=1))
    assert texts(store)[5:] == ["earlier", "twice", "between", "later"]


def test_a_file_without_any_time_is_known_again_a_day_later(store: Store) -> None:
    bring(store, "one\n! two\ntodo: check the disks due:+7d\n")
    assert bring(store, "one\n! two\ntodo: check the disks due:+7d\nthree\n", now=NOW + timedelta(days=1)).here == 3


def test_an_import_is_taken_back_and_may_come_again_otherwise(store: Store) -> None:
    bring(store, LINES)
    keys = iter("xyz")
    assert keep.undo(store, "id1", BOB, NOW, lambda: next(keys)) == 5
    assert keep.undo(store, "id1", BOB, NOW, lambda: next(keys)) == 0
    with pytest.raises(ImportProblem, match="no import"):
        keep.undo(store, "id", BOB, NOW, lambda: next(keys))
    assert bring(store, LINES, "id2").here == 0


def test_what_was_purged_does_not_come_back(store: Store) -> None:
    bring(store, "14:05 password is hunter2\n14:06 b\n")
    store.purge(store.read()[0].id, author=BOB, reason="a password")
    again = bring(store, "14:05 password is hunter2\n14:06 b\n")
    assert again.here == 1 and "purged" in again.problems[0].problem
    assert b"hunter2" not in Path(store.path).read_bytes()


def test_chat_is_said_by_others_and_never_a_verb(store: Store) -> None:
    bring(
        store,
        json.dumps([one | {"ts": f"17954427{n:02}.0001"} for n, one in enumerate(SLACK)]),
        people=(Person(name="U1"),),
    )
    first, last = store.read()
    assert first.kind is Kind.CHAT and last.text == "/purge a1"
    assert (first.author.name, first.author.proven, first.author.account) == ("U1", False, "slack:U1")
    assert first.data["remote"] == "1795442700.0001" and first.data["from"] == "slack"


@pytest.mark.parametrize(
    ("line", "part"),
    [("2026-11-25 10:00 x", "still to come"), ("/purge a1 x", "purges nothing"), ("/sev nine", "/sev")],
)
def test_what_cannot_be_imported_is_said_with_its_line(store: Store, line: str, part: str) -> None:
    plan = bring(store, f"08:01 before\n{line}\n")
    assert [one.number for one in plan.problems] == [2] and part in plan.problems[0].problem
    assert texts(store) == ["before"]
