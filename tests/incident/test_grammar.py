"""Any typed line has exactly one meaning, which can be echoed; nothing typed is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident import meanings as m
from incident_tui.incident.entry import DATA, Kind
from incident_tui.incident.grammar import VERBS, echo, parse
from incident_tui.incident.paste import Backfill, Evidence, paste
from incident_tui.incident.settings import Person
from incident_tui.text import TEXT_LIMIT, sanitise

NOW = datetime(2026, 11, 23, 14, 10, 30, tzinfo=UTC)
PEOPLE = (Person(name="ana", time_zone="Europe/Madrid"), Person(name="bob"), Person(name="bea"))


def read(line: str, **options: Any) -> m.Parsed:
    return parse(line, now=NOW, people=PEOPLE, **options)


def written(line: str, **options: Any) -> m.Write:
    parsed = read(line, **options)
    assert isinstance(parsed, m.Write)
    return parsed


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("saw the alarm", Kind.NOTE, "saw the alarm"),
        ("! restarted glusterd", Kind.ACTION, "restarted glusterd"),
        ("= heal finished", Kind.RESULT, "heal finished"),
        ("? is it the network", Kind.HYPOTHESIS, "is it the network"),
        ("d: serve from web1", Kind.DECISION, "serve from web1"),
        ("D: serve from web1", Kind.DECISION, "serve from web1"),
        ("!restarted", Kind.NOTE, "!restarted"),
        ("!", Kind.NOTE, "!"),
        ("! ", Kind.NOTE, "!"),
        ("-10m", Kind.NOTE, "-10m"),
        ("@99:99 x", Kind.NOTE, "@99:99 x"),
        ("@ana look", Kind.NOTE, "@ana look"),
        ("/files/a.pdf still split", Kind.NOTE, "/files/a.pdf still split"),
        ("/declrae gv0", Kind.NOTE, "/declrae gv0"),
        ("/de gv0", Kind.NOTE, "/de gv0"),
        ("/sev/2", Kind.NOTE, "/sev/2"),
        ("/note /declare was early", Kind.NOTE, "/declare was early"),
        ("/note ! not an action", Kind.NOTE, "! not an action"),
        ("/badly no phone number", Kind.LESSON, "no phone number"),
        ("a ; b ; c", Kind.NOTE, "a ; b ; c"),
    ],
)
def test_a_line_becomes_an_entry(line: str, kind: Kind, text: str) -> None:
    parsed = written(line)
    assert (parsed.kind, parsed.text, parsed.at) == (kind, text, NOW)


@pytest.mark.parametrize(
    ("line", "back", "asks"),
    [
        ("-10m ! restarted", 10, False),
        ("-1h ! restarted", 60, False),
        ("-1h5m ! restarted", 65, True),
        ("@-12m ! restarted", 12, False),
        ("@14:05 ! restarted", 5.5, False),
        ("@14:05Z ! restarted", 5.5, False),
        ("@15:05+01:00 ! restarted", 5.5, False),
        ("@14:20 ! restarted", 24 * 60 - 9.5, True),
        ("@13:00 ! restarted", 70.5, True),
        ("@2026-11-23T14:05Z ! restarted", 5.5, False),
        ("@2026-11-23T14:20Z ! restarted", -9.5, True),
    ],
)
def test_a_time_in_front_backdates_and_asks_when_in_doubt(line: str, back: float, asks: bool) -> None:
    parsed = written(line)
    assert parsed.kind is Kind.ACTION and parsed.text == "restarted"
    assert NOW - parsed.at == timedelta(minutes=back)
    assert parsed.needs_confirmation is asks


def test_the_echo_says_kind_time_and_age() -> None:
    assert echo(read("! x"), NOW) == "ACTION 14:10Z"
    assert echo(read("@14:05 ! x"), NOW) == "ACTION 14:05Z, 5 min ago"
    assert echo(read("/next 20m public"), NOW) == "PROMISE public 14:10Z, next by 14:30Z"
    assert "no verb /declrae" in echo(read("/declrae x"), NOW)
    assert echo(read(""), NOW) == ""


def test_a_clock_face_of_the_writers_own_zone_asks() -> None:
    assert not read("@14:05 x", zone="Europe/Madrid").question
    question = read("@15:05 x", zone="Europe/Madrid").question
    assert "@14:05Z" in question and "Europe/Madrid" in question
    assert not read("@14:05Z x", zone="Europe/Madrid").question


def test_a_follow_up_takes_owner_and_priority_anywhere_and_keeps_the_rest() -> None:
    assert written("todo: @ana check p1 the disk").data == {"owner": "ana", "priority": "p1"}
    assert written("todo: @ana check p1 the disk").text == "check the disk"
    assert written("todo: @AN p0 x @bob p2").text == "x @bob p2"
    assert written("todo: @ana p1").text == "@ana p1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "/declare -12m /sev 1 gv0 down",
            m.Declare(title="gv0 down", severity=1, at=NOW - timedelta(minutes=12), said=True),
        ),
        ("/declare severity=2 gv0", m.Declare(title="gv0", severity=2, at=NOW)),
        ("/declare SEV1 gv0 down", m.Declare(title="gv0 down", severity=1, at=NOW)),
        ("/declare sev-1: gv0 down", m.Declare(title="gv0 down", severity=1, at=NOW)),
        ("/declare sev 1 gv0 down", m.Declare(title="gv0 down", severity=1, at=NOW)),
        ("/declare drill gv0 down, Sev2", m.Declare(title="gv0 down", severity=2, drill=True, at=NOW)),
        ("/declare sev of gv0 down", m.Declare(title="sev of gv0 down", at=NOW)),
        ("/declare sev1x down", m.Declare(title="sev1x down", at=NOW)),
        ("/DECLARE gv0", m.Declare(title="gv0", at=NOW)),
        ("/sev 2 why not", m.SetSeverity(level=2, why="why not", at=NOW)),
        ("/status stood down", m.SetStatus(status="stood down", at=NOW)),
        ("/ms detected -5m", m.Milestone(name="detected", at=NOW - timedelta(minutes=5), said=True)),
        ("/ms started unknown", m.Milestone(name="started", unknown=True, at=NOW)),
        ("/ic take", m.Role(step="take", at=NOW)),
        ("/ic offer BO", m.Role(step="offer", who="bob", at=NOW)),
        ("/ic dan", m.Role(step="name", who="dan", at=NOW)),
        ("/next 1h30m", m.NextUpdate(minutes=90, at=NOW)),
        ("/update all quiet", m.Update(audiences=("internal",), text="all quiet", at=NOW)),
        ("/update exec +20m all quiet", m.Update(audiences=("exec",), text="all quiet", next_minutes=20, at=NOW)),
        ("/sent status page", m.Sent(audience="public", where="status page", at=NOW)),
        ("/sent internal phone: told them", m.Sent(audience="internal", where="phone", text="told them", at=NOW)),
        ("/assign bob 5m look", m.Assign(who="bob", minutes=5, text="look", at=NOW)),
        ("/ack", m.Ack(at=NOW)),
        ("/ack A15 bob voice", m.Ack(handle="a15", who="bob", voice=True, at=NOW)),
        ("/done a15 fine", m.Done(handle="a15", text="fine", at=NOW)),
        ("/done fine", m.Done(text="fine", at=NOW)),
        ("/eliminate a3", m.Judge(state="eliminated", handle="a3", at=NOW)),
        ("/amend a17 -5m new", m.Amend(handle="a17", text="new", at=NOW - timedelta(minutes=5))),
        ("/amend new", m.Amend(text="new")),
        ("/undo", m.Undo()),
        ("/hold web3 10m disk swap", m.Hold(target="web3", minutes=10, why="disk swap", at=NOW)),
        ("/tick 2", m.Tick(number=2, at=NOW)),
        ("/export my report.md", m.Export(file="my report.md")),
        ("/help /ic", m.ShowHelp(verb="ic")),
        ("/quit", m.Quit()),
    ],
)
def test_a_verb_becomes_its_meaning(line: str, expected: m.Parsed) -> None:
    assert read(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "/declare",
        "/sev",
        "/sev 0 x",
        "/sev 2",
        "/ms",
        "/ms declared",
        "/ms nonsense",
        "/ms detected soon",
        "/ic",
        "/ic b",
        "/ic offer",
        "/next soon",
        "/next 20m martians",
        "/next 9999h",
        "/assign bob look",
        "/assign b 5m x",
        "/ack a1 bob",
        "/confirm",
        "/amend",
        "/amend a1",
        "/strike the last",
        "/purge a1",
        "/hold web3",
        "/tick x",
        "/skip 2",
        "/read a b",
        "/help nonsense",
        "/quit now",
        "-10m /quit",
        "/role king ana",
        "/note",
    ],
)
def test_a_known_verb_used_wrongly_is_refused_with_its_form_and_the_line(line: str) -> None:
    parsed = read(line)
    assert isinstance(parsed, m.Refused)
    assert parsed.line == line
    verb = next(word for word in line.split() if word.startswith("/"))[1:]
    assert VERBS[verb].form in parsed.sentence and "\n" not in parsed.sentence


def test_a_public_update_and_a_purge_ask_for_their_name() -> None:
    update, purge = read("/update public sites are back"), read("/purge a17 a password")
    assert "sites are back" in update.question and update.wants == "public"
    assert purge.wants == "a17" and purge.needs_confirmation


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_a_parser_and_an_example_that_works(name: str) -> None:
    verb = VERBS[name]
    parsed = read(verb.example)
    assert verb.example.startswith(f"/{name}") and verb.form.startswith(f"/{name}")
    assert not isinstance(parsed, m.Refused | m.Nothing)
    assert echo(parsed, NOW)
    if name != "note":
        assert not (isinstance(parsed, m.Write) and parsed.kind is Kind.NOTE)


words = st.sampled_from(
    [f"/{name}" for name in VERBS]
    + ["!", "=", "?", "d:", "todo:", "@14:05", "@14:05Z", "-10m", "-1h5m", "@ana", "p1", "a17", "20m", "take", "offer",
       "public", "unknown", "voice", "/", "@", "-", "2", "sev=1", "bob", "+20m", "@25:00", "-9999h"]
)  # fmt: skip
lines = st.one_of(st.text(max_size=60), st.lists(st.one_of(words, st.text(max_size=8)), max_size=7).map(" ".join))


@given(lines, st.sampled_from(["UTC", "Europe/Madrid", "Asia/Kathmandu", "No/Where"]))
def test_any_line_has_one_meaning_that_can_be_echoed(line: str, zone: str) -> None:
    parsed = parse(line, now=NOW, people=PEOPLE, zone=zone)
    shown = echo(parsed, NOW)
    assert "\n" not in shown
    clean = sanitise(line, limit=TEXT_LIMIT).strip()
    assert bool(shown) == bool(clean)
    assert isinstance(parsed, m.Nothing) == (not clean)
    if isinstance(parsed, m.Refused):
        assert parsed.line == line
    if isinstance(parsed, m.Timed):
        assert parsed.at.tzinfo is not None


@given(lines)
def test_nothing_typed_is_lost(line: str) -> None:
    parsed = read(line)
    if isinstance(parsed, m.Write):
        kept = " ".join([parsed.text, *(str(value) for value in parsed.data.values())]).casefold()
        heads = {"!", "=", "?", "d:", "todo:", "/well", "/badly", "/luck", "/change", "/note"}
        for word in sanitise(line, lines=True, limit=TEXT_LIMIT).split():
            if word.casefold() in heads or word[:1] in "@-#":  # prefixes, times and owners are meaning, not text
                continue
            assert word.casefold() in kept
        assert set(parsed.data) <= set(DATA.get(parsed.kind, {}))


@given(st.text(alphabet=st.characters(blacklist_categories=["Cc", "Cf", "Cs"]), max_size=80))
def test_what_follows_note_is_kept_to_the_letter(text: str) -> None:
    clean = sanitise(text).strip()
    parsed = read(f"/note {text}")
    if clean and not isinstance(parsed, m.Refused) and not clean.startswith(("@", "-")) and "\n" not in clean:
        assert isinstance(parsed, m.Write) and parsed.text == clean


@pytest.mark.parametrize("line", ["/declare x\n/close", "! a\r\n! b", "x\u2028/quit"])
def test_several_lines_are_evidence_and_never_commands(line: str) -> None:
    assert written(line).kind is Kind.EVIDENCE


def test_a_line_too_long_for_an_entry_is_refused_whole() -> None:
    line = "x" * (TEXT_LIMIT + 1)
    parsed = read(line)
    assert isinstance(parsed, m.Refused) and parsed.line == line
    assert written("y" * TEXT_LIMIT).text == "y" * TEXT_LIMIT


def test_a_paste_of_timed_lines_may_be_a_backfill() -> None:
    pasted = paste("14:02 saw it\n  more of it\n14:05:30Z /declare was said\n", NOW)
    assert isinstance(pasted, Backfill) and not pasted.question
    assert [(one.kind, one.at.minute, one.text) for one in pasted.entries] == [
        (Kind.NOTE, 2, "saw it\nmore of it"),
        (Kind.NOTE, 5, "/declare was said"),
    ]
    assert len(pasted.evidence.entries) == 1
    late = paste("09:00 early\n14:00 later", NOW)
    assert isinstance(late, Backfill) and "1 of 2" in late.question


@given(st.text(max_size=200))
def test_any_paste_is_kept(text: str) -> None:
    pasted = paste(text, NOW)
    evidence = pasted if isinstance(pasted, Evidence) else pasted.evidence
    kept = "".join(one.text for one in evidence.entries)
    for word in sanitise(text, lines=True).split():
        assert word in kept


def test_a_long_paste_becomes_several_entries() -> None:
    pasted = paste("\n".join(f"line {number}" for number in range(20_000)), NOW)
    assert isinstance(pasted, Evidence) and len(pasted.entries) > 1
    assert "\n".join(one.text for one in pasted.entries).split("\n")[-1] == "line 19999"
