"""What people read who come in: the brief on 24 lines, the handoff, the break-glass card, and the way back from one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.entry import Kind
from incident_tui.incident.finding import Finding, Level
from incident_tui.incident.roster import on_call_now
from incident_tui.incident.settings import Command, Person, Roster
from incident_tui.report.brief import COLUMNS, LINES, brief, columns_of, cut
from incident_tui.report.card import CHAT_PIECE, RULE, card, for_chat
from incident_tui.report.handoff import handoff
from incident_tui.report.standing import Standing
from tests.report.conftest import CONTROL, Story

NOW = datetime(2026, 11, 23, 14, 41, tzinfo=UTC)
PEOPLE = (
    Person(name="ana", organisation="own team", contact="+34 600", time_zone="Europe/Madrid"),
    Person(name="bob", organisation="consultants", contact="+254 700"),
    Person(name="dan", organisation="hosting company"),
)
ROSTER = Roster(name="ops", first="2026-01-05", people=("bob",), escalation=("dan",))
MARK = "<!-- incident-tui report -->\n\n"
COMMAND = Command(rally=("phone bridge, code 4711", "meeting room 2"), recovery=("ssh -i key root@192.0.2.11",))


def finding(level: Level, sentence: str) -> Finding:
    return Finding("gluster.brick-down", level, sentence, sentence, NOW, "web3", "")


def outage(story: Any) -> None:
    story.declare(severity=1)
    story(Kind.ROLE, 1, role="deputy", step="take", who="bob")
    story(Kind.CRITERION, 2, "no entry in split-brain on gv0")
    story(Kind.HYPOTHESIS, 3, "the power feed took web3 down")
    full = story(Kind.HYPOTHESIS, 4, "a full disk on web1")
    story(Kind.HYPOTHESIS, 5, "df says 40%", state="eliminated", ref=full)
    story(Kind.TASK, 6, "compare both copies", step="assigned", who="bob", minutes=5)
    story(Kind.HOLD, 7, "heal running", target="web2", step="hold", minutes=60)
    story(Kind.ENGAGEMENT, 8, "power at rack 4?", vendor="hosting company", ticket="48213", minutes=60)
    story(Kind.CAN, 9, "", conditions="read-only", needs="a second pair of eyes", who="bob")
    story(Kind.DECISION, 10, "serve gv0 from web1")
    story(Kind.ACTION, 11, "restarted glusterd on web3", by="bob")
    story(Kind.UPDATE, 12, "", step="promised", audience="public", next=(NOW - timedelta(minutes=6)).isoformat())
    story.observe(20, "gluster.brick-down", "gv0", "crit", "gv0: brick down on web3")
    story.observe(21, "machine.load", "web2", "warn", "web2: load 9")


def standing(story: Any, **changes: Any) -> Standing:
    source = story.source()
    fields: dict[str, Any] = {
        "incident": source.fold.incident("INC-1"),
        "now": NOW,
        "handle": source.handle,
        "findings": (finding(Level.CRIT, "gv0: 2 of 3 bricks up"), finding(Level.WARN, "web2: swaps")),
        "board": "watched 3s ago",
        "people": PEOPLE,
        "on_call": on_call_now((ROSTER,), NOW),
        "command": COMMAND,
        "head": source.head,
    }
    return Standing(**(fields | changes))


def test_the_brief_of_an_outage(story: Any) -> None:
    outage(story)
    assert (
        "\n".join(brief(standing(story)))
        == """\
SEV1 gv0 split-brain, sites 502  41m  declared  2026-11-23 14:41Z
IC ana since 14:00Z, deputy bob  (INC-1)
next update: public 14:35Z, OVERDUE 6m
NOW (watched 3s ago): X gv0: 2 of 3 bricks up
 ! web2: swaps
LAST (newest first):
 a14 14:20 watch: DOWN gv0: brick down on web3
 a12 14:11 bob: ACTION restarted glusterd on web3
 a11 14:10 ana: DECISION serve gv0 from web1
 a10 14:09 ana: CAN bob: conditions read-only; needs a second pair of eyes
 a9 14:08 ana: VENDOR hosting company 48213, back within 60m: power at rack 4?
 a2 14:01 ana: ROLE deputy: bob
 a1 14:00 ana: DECLARED SEV1 gv0 split-brain, sites 502
DOING: task bob, 14:11Z, OVERDUE 30m: compare both copies
 web2 held by ana until 15:07Z
 hosting company 48213, back 15:08Z, in 27m: power at rack 4?
 bob needs: a second pair of eyes
THOUGHTS: ? a4 the power feed took web3 down
 not a5 a full disk on web1
EXIT WHEN (0 of 1 met): no entry in split-brain on gv0
CALL: ana (IC) +34 600, 15:41 Mon
      bob (deputy) +254 700, 14:41 Mon
      dan (then ops) no contact said, 14:41 Mon"""
    )


def test_the_first_public_update_is_due_though_nobody_promised_it(story: Any) -> None:
    story.declare(severity=1)
    assert "next update: first public 14:05Z, OVERDUE 36m" in brief(standing(story))
    briefing = handoff(standing(story), "bob")
    assert "- first public: due 14:05:00, **OVERDUE**" in briefing
    assert "; all times are UTC." in briefing and "\nSEV1, declared 2026-11-23 14:00:00Z." in briefing
    story(Kind.UPDATE, 3, "Two sites are slow.", audience="public")
    assert "next update: none promised" in brief(standing(story))


def test_with_a_last_look_it_begins_with_what_came_since(story: Any) -> None:
    outage(story)
    lines = brief(standing(story, since=NOW - timedelta(minutes=30, seconds=30)))
    since = lines.index("SINCE 14:10Z (newest first):")
    assert [line.split()[0] for line in lines[since + 1 : since + 3]] == ["a14", "a12"]
    assert "SINCE 14:40Z: nothing new" in brief(standing(story, since=NOW - timedelta(minutes=1)))


words = st.text(st.characters(codec="utf-8"), max_size=120)


@given(st.lists(st.tuples(st.sampled_from(sorted(Kind)), words), max_size=60), st.lists(words, max_size=40))
def test_it_never_needs_more_room_than_a_phone_has(said: list[tuple[Kind, str]], wrong: list[str]) -> None:
    story = Story()
    story.declare("x" * 200)
    for minute, (kind, text) in enumerate(said):
        data: Any = {"step": "assigned", "who": text[:20], "minutes": 5} if kind is Kind.TASK else {}
        story(kind, minute / 10, text, **data)
    lines = brief(standing(story, findings=tuple(finding(Level.CRIT, one) for one in wrong)))
    assert len(lines) <= LINES
    assert all(columns_of(line) <= COLUMNS and not CONTROL.search(line) for line in lines)


def test_what_is_left_out_is_counted(story: Any) -> None:
    outage(story)
    lines = brief(standing(story, findings=tuple(finding(Level.CRIT, f"brick {n} is down") for n in range(40))))
    assert len(lines) == LINES
    (more,) = [line for line in lines if "is down" in line and line.endswith("more")]
    assert more.endswith(f"+{40 - sum('is down' in line for line in lines)} more")


def test_a_wide_character_counts_as_two() -> None:
    assert columns_of(cut("停電" * 60)) <= COLUMNS


def test_the_handoff_is_whole_and_well_formed(story: Any, well_formed: Callable[[str], Any]) -> None:
    outage(story)
    text = handoff(standing(story), "bob")
    parsed = well_formed(MARK + text)
    assert parsed.headings[0].startswith("Handoff of INC-1")
    for part in ("Situation", "Objectives", "Organisation", "Under way", "Constraints", "Communications", "Decisions"):
        assert part in parsed.headings
    for said in ("OVERDUE", "not acknowledged", "ticket 48213", "needs a second pair of eyes", "web2 is held"):
        assert said in text
    assert f"{standing(story).head}" in text


def test_hostile_text_stays_text_in_a_handoff(story: Any, well_formed: Callable[[str], Any]) -> None:
    outage(story)
    bad = "</td> <script>alert(1)</script> | [x](javascript:1) `` ` **b** @channel"
    story(Kind.ACTION, 30, bad)
    story(Kind.CRITERION, 31, bad)
    story(Kind.ENGAGEMENT, 32, bad, vendor=bad, ticket=bad)
    text = handoff(standing(story), bad)
    well_formed(MARK + text)
    assert "<script>" not in text and "](javascript" not in text


def test_the_card_has_what_is_needed_without_this_program(story: Any) -> None:
    outage(story)
    text = card(standing(story))
    assert text.startswith("BREAK-GLASS CARD INC-1, as of 2026-11-23 14:41Z\n")
    for said in ("dan (then ops): no contact said", "2. meeting room 2", "1. ssh -i key root@192.0.2.11", RULE):
        assert said in text
    assert "X gv0: 2 of 3 bricks up" in text
    assert all(columns_of(line) <= COLUMNS for line in text.splitlines())


def test_for_the_chat_it_is_cut_into_pieces_of_whole_lines_without_secrets(story: Any) -> None:
    outage(story)
    command = Command(recovery=("mysql --password=hunter2secret", "Q" * (2 * CHAT_PIECE)))
    pieces = for_chat(standing(story, command=command, findings=[finding(Level.CRIT, f"brick {n}") for n in range(40)]))
    assert len(pieces) > 2 and all(0 < len(piece) <= CHAT_PIECE for piece in pieces)
    lines = [line for piece in pieces for line in piece.splitlines()]
    assert "  dan (then ops): no contact said, 14:41 Mon" in lines and RULE not in lines
    assert "hunter2secret" not in "".join(pieces)
    assert "".join(pieces).count("Q") == 2 * CHAT_PIECE
