"""The header and the line of running things, in each state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from incident_tui.incident.entry import Kind
from incident_tui.incident.settings import Command
from incident_tui.journal.others import Copy
from incident_tui.journal.presence import Present
from incident_tui.journal.writer import WriterStatus
from incident_tui.replica.rows import ReplicaRow
from incident_tui.ui.lines import plain
from incident_tui.ui.present import alarms, header, notices
from incident_tui.ui.settings import Screen
from incident_tui.ui.view import Pending, WatchState
from incident_tui.watch.rooms.rows import RoomRow
from incident_tui.watch.rows import BastionsRow, ChatRow
from tests.ui.world import World


def test_an_incident_at_80_columns(kit: Any) -> None:
    assert plain(header(kit.view(kit.outage(), kit.story()), 80)) == (
        " SEV1 gv0 split-brain, sites 502  41m  mitigating  IC ana 41m   saved 14:43:09Z\n"
        " 14:43:12Z  update 04:12 public  watch <10s  here ana bob, dan gone 4m  chat ok"
    )


def test_nothing_is_lost_at_60_columns(kit: Any) -> None:
    text = plain(header(kit.view(kit.outage(), kit.story()), 60))
    for part in (
        "SEV1 gv0",
        "41m",
        "mitigating",
        "IC ana 41m",
        "saved 14:43Z",
        "14:43:12Z",
        "update due in 04:12 (public)",
        "here ana bob",
        "dan gone 4m",
        "watch <10s",
        "chat ok",
    ):
        assert part in text
    assert all(len(line) <= 60 for line in text.split("\n"))


def test_two_lines_do_for_one_person_on_a_phone(kit: Any) -> None:
    view = kit.view(kit.outage(), kit.story(), people=(Present("ana", True, 1.0),))
    assert plain(header(view, 60)).split("\n")[1:] == [" 14:43:12Z  due 04:12 public  watch <10s  here ana  chat ok"]
    view = kit.view(kit.outage(), kit.story(kit.now - timedelta(seconds=300)), people=view.people)
    assert "Z  OVERDUE 00:48 public  " in plain(header(view, 64))


def test_no_incident_says_how_to_declare(kit: Any) -> None:
    view = kit.view(kit.healthy(), writer=WriterStatus(), people=(Present("ana", True, 1.0),))
    assert plain(header(view, 80)) == (
        " no incident: /declare TITLE                                    nothing unsaved\n"
        " 14:43:12Z  watch <10s  here ana  chat ok"
    )


def test_not_saved_says_why_since_when_and_how_many(kit: Any) -> None:
    status = WriterStatus(
        problem="no room left on the disk of /j. Free some space.", since=kit.now - timedelta(seconds=70), waiting=2
    )
    text = plain(header(kit.view(kit.outage(), kit.story(), writer=status), 80))
    assert "NOT SAVED 2" in text.split("\n")[0]
    assert " NOT SAVED since 14:42:02Z, kept and retried: no room left on the disk of /j." in text


def test_a_save_that_hangs_is_not_called_saved(kit: Any) -> None:
    waiting = (Pending(kit.now - timedelta(seconds=2), "a line"),)
    text = plain(header(kit.view(kit.healthy(), kit.story(), pending=waiting), 80))
    assert "NOT SAVED 1" in text and "saved 14" not in text


def test_a_dead_watch_is_said_and_so_is_that_chat_is_unknown(kit: Any) -> None:
    later = kit.now + timedelta(seconds=65)
    text = plain(header(kit.view(kit.healthy(), kit.story(), now=later), 100))
    assert "? watch STALE 60s" in text and "? chat unknown" in text
    assert "? nobody watches" in plain(header(kit.view({}, kit.story()), 100))


def test_an_overdue_update_is_said_in_words(kit: Any) -> None:
    text = plain(header(kit.view(kit.outage(), kit.story(), now=kit.now + timedelta(seconds=300)), 120))
    assert "update OVERDUE 00:48 (public)" in text


def test_no_promise_is_said_while_the_incident_runs(kit: Any) -> None:
    view = kit.view(kit.outage(), kit.story()[:3])
    view = msgspec.structs.replace(view, command=Command(first_update_minutes=0))
    assert "no update promised" in plain(header(view, 100))


def test_chat_states(kit: Any) -> None:
    def text(**fields: Any) -> str:
        rows = kit.healthy() | {"chat/chat": ChatRow(name="chat", at=kit.now, **fields)}
        return plain(header(kit.view(rows), 120))

    assert "chat ok" in text()
    assert "X chat DOWN 4m, 3 waiting" in text(problem="x", since=kit.now - timedelta(minutes=4), waiting=3)
    assert "! chat 1 maybe sent" in text(maybe=1)
    assert "chat ok" in text(accepted=5)
    assert "X chat 2 refused" in text(dead=2)


def test_a_room_that_is_not_read_is_marked_with_its_age(kit: Any) -> None:
    def text(*rows: RoomRow) -> str:
        return plain(header(msgspec.structs.replace(kit.view(kit.healthy()), rooms=rows), 160))

    since = kit.now - timedelta(minutes=4)
    well = RoomRow(name="ops", kind="matrix", at=kit.now, since=since)
    down = RoomRow(name="war-room", kind="slack", at=kit.now, problem="cannot connect", since=since)
    assert "room" not in text(well)
    assert "? room war-room DOWN 4m" in text(well, down)
    assert "DOWN 4m +1" in text(down, msgspec.structs.replace(down, name="b", since=kit.now))


def test_a_bastion_that_is_not_reached_is_marked_with_its_time(kit: Any) -> None:
    def text(*rows: ReplicaRow) -> str:
        return plain(header(msgspec.structs.replace(kit.view(kit.healthy()), replicas=rows), 160))

    since = kit.now - timedelta(minutes=4)
    well = ReplicaRow(name="bastion-2", way="ssh", at=kit.now, since=since, reached=True, reached_at=kit.now)
    away = ReplicaRow(name="bastion-3", way="ssh", at=kit.now, problem="no answer", since=kit.now, reached_at=since)
    forked = msgspec.structs.replace(well, problem="bastion-2 has another a6")
    assert "bastion" not in text(well)
    assert f"? bastion-3 not reached since {since:%H:%M}" in text(well, away)
    assert f"? bastion-3 not reached since {since:%H:%M} +1" in text(forked, away)
    assert f"? bastion-2 lacks entries since {since:%H:%M}" in text(forked)
    long_ago = msgspec.structs.replace(away, reached_at=kit.now - timedelta(days=3))
    assert f"not reached since {kit.now - timedelta(days=3):%d %b}" in text(long_ago)


def test_marks_of_demo_and_drill(kit: Any) -> None:
    drafts = kit.story()
    drafts[0] = msgspec.structs.replace(drafts[0], data=drafts[0].data | {"drill": True})
    text = plain(header(kit.view(kit.healthy(), drafts, demo=True), 100))
    assert text.startswith(" DEMO DRILL SEV1 gv0 split-brain")


def test_command_offered_to_me_is_an_alarm(kit: Any) -> None:
    offer = msgspec.structs.replace(
        kit.story()[1],
        kind=Kind.ROLE,
        text="",
        author=kit.bob,
        data={"role": "commander", "step": "offer", "who": "Ana"},
    )
    view = kit.view(kit.healthy(), [*kit.story(), offer])
    assert "bob offers you command: /ic take" in plain(header(view, 80))


def test_a_title_of_any_length_leaves_the_rest_in_place(kit: Any) -> None:
    drafts = kit.story()
    drafts[0] = msgspec.structs.replace(drafts[0], text="t" * 500, data=drafts[0].data | {"title": "t" * 500})
    first = plain(header(kit.view(kit.healthy(), drafts), 80)).split("\n")[0]
    assert len(first) <= 80 and "…" in first and first.endswith("saved 14:43:09Z")


def test_ascii_only(kit: Any) -> None:
    team = kit.team(screen=Screen(ascii=True))
    drafts = kit.story()
    drafts[0] = msgspec.structs.replace(drafts[0], data=drafts[0].data | {"title": "é" * 90}, text="é" * 90)
    assert plain(header(kit.view(kit.outage(), drafts, team=team), 80)).isascii()


def test_running_things_and_what_is_left_out_is_counted(kit: Any) -> None:
    view = kit.view(kit.outage(), kit.story(), when={"gluster-split-brain": ("gluster.split-brain",)})
    assert plain([notices(view, 80)]) == (
        " task bob 02:30 over   suggested: /play gluster-split-brain   web2 held by bob"
    )
    assert plain([notices(view, 50)]) == " task bob 02:30 over   +2 more", "what is over gives way to nothing"


def test_what_is_mine_to_do_says_how(kit: Any) -> None:
    view = kit.view(kit.healthy(), kit.story())
    assert "task bob 02:30 over   " in plain([notices(view, 80)])
    mine = msgspec.structs.replace(view, me=kit.bob)
    assert "task bob 02:30 over: /ack   " in plain([notices(mine, 80)])
    task = msgspec.structs.replace(mine.incident.tasks[0], acked_at=kit.now)
    acked = msgspec.structs.replace(mine, incident=msgspec.structs.replace(mine.incident, tasks=(task,)))
    assert "task bob 02:30 over: /done   " in plain([notices(acked, 80)])


def test_a_long_alarm_ends_with_a_mark(kit: Any) -> None:
    problem = " ".join(["no room left on the disk"] * 12)
    view = kit.view({}, writer=WriterStatus(problem=problem, waiting=1))
    lines = plain(header(view, 80)).split("\n")
    assert lines[-3].startswith(" NOT SAVED, kept and retried: no room") and lines[-1].rstrip().endswith("…")


def test_whoever_looks_is_here(kit: Any) -> None:
    assert "here ana" in plain(header(kit.view({}, people=()), 80))
    others = (Present("bob", True, 1.0), Present("ana", False, 240.0))
    assert "here ana bob" in plain(header(kit.view({}, people=others), 80))


def test_one_cause_is_said_once(kit: Any) -> None:
    cause = "the file system is mounted read-only: /j."
    problems = (f"readings are kept in this process only: {cause}", "another thing")
    text = plain(header(kit.view({}, writer=WriterStatus(problem=cause, waiting=1), problems=problems), 80))
    assert text.count("read-only") == 1 and "another thing" in text


def test_a_copy_that_lacks_entries_or_forked_is_marked(kit: Any) -> None:
    def text(*copies: Copy) -> str:
        letters = {"b" * 16: "b", "c" * 16: "cccccc:"}
        view = msgspec.structs.replace(kit.view(kit.healthy()), copies=copies, letters=letters)
        return plain(header(view, 160))

    heard = kit.now - timedelta(minutes=9)
    whole = Copy("b" * 16, "b", 40, "00" * 32, 40, 0, heard, 0, "")
    behind = msgspec.structs.replace(whole, told=52)
    other = msgspec.structs.replace(behind, journal="c" * 16, told=41)
    assert "behind" not in text(whole)
    assert f"? b behind 12 since {heard:%H:%M}" in text(behind, whole)
    assert f"? b behind 12 since {heard:%H:%M} +1" in text(other, behind)
    assert "? cccccc behind 1 since" in text(other)
    assert "X b REFUSED" in text(msgspec.structs.replace(behind, problem="entry b41 was not taken"))
    assert "X b FORKED +1" in text(other, msgspec.structs.replace(behind, problem="forked", forked_at=41))


def test_the_part_that_this_watch_reads_is_said_and_being_alone_is_marked(kit: Any) -> None:
    def text(fresh: bool = True, **fields: Any) -> str:
        row = BastionsRow(**{"at": kit.now, "state": "together", "since": kit.now, "reads": 4, "hosts": 12, **fields})
        watch = WatchState(1.0 if fresh else 600.0)
        return plain(header(msgspec.structs.replace(kit.view(kit.healthy()), bastions=row, watch=watch), 160))

    assert "reads 4/12, chat by b" in text(duty="b")
    assert "reads 4/12" in text(duty="a", on_duty=True) and "chat by" not in text(duty="a", on_duty=True)
    assert "chat by nobody yet" in text()
    assert f"? ALONE since {kit.now:%H:%M}, reads all 12" in text(state="alone", reads=12)
    assert "ALONE" not in text(False, state="alone", reads=12)


def test_what_is_wrong_beside_is_a_line_of_its_own(world: World) -> None:
    session = world.session()
    while session.read_journal():
        pass
    assert alarms(session.view()) == []
    session.beside = lambda: "not signed since 14:05Z: the SSH agent of SSH_AUTH_SOCK is gone"
    assert alarms(session.view()) == [("not signed since 14:05Z: the SSH agent of SSH_AUTH_SOCK is gone", "warn")]
