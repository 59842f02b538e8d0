"""The line being typed: editing, history, completion, pastes without marks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.prefixes import PREFIXES
from incident_tui.incident.verbs import VERBS
from incident_tui.ui.burst import Burst
from incident_tui.ui.commands import COMMANDS, FOOTER, footer, help_lines, verb_hint
from incident_tui.ui.complete import Words, complete
from incident_tui.ui.editor import EDITING, Editor
from incident_tui.ui.lines import Look, plain, width_of

LOOK = Look()
WORDS = Words(
    people=("ana", "bob", "barbara"),
    hosts=("web1", "web2", "db1"),
    containers=("drupal-a",),
    volumes=("gv0",),
    handles=("a17", "a16"),
    playbooks=("gluster-split-brain", "gluster-brick-down"),
)


def typed(*keys: str) -> Editor:
    editor = Editor()
    for key in keys:
        if not editor.key(key):
            editor.insert(key)
    return editor


def test_editing_keys() -> None:
    assert typed(*"note", "home", ">", "end", "!").text == ">note!"
    assert typed(*"restarted glusterd", "ctrl+w").text == "restarted "
    assert typed(*"abc", "left", "left", "ctrl+k").text == "a"
    assert typed(*"abc", "left", "ctrl+u").text == "c"
    assert typed(*"one two", "ctrl+left", "ctrl+left", "delete").text == "ne two"
    assert typed("backspace", "delete", "left", *"x").text == "x"


def test_a_combining_mark_goes_with_its_letter() -> None:
    assert typed("e\u0301", "backspace").text == ""


@given(st.lists(st.one_of(st.sampled_from(sorted(EDITING)), st.text(max_size=5)), max_size=40), st.integers(4, 40))
def test_any_keys_leave_a_line_that_can_be_shown(keys: list[str], columns: int) -> None:
    editor = typed(*keys)
    assert 0 <= editor.cursor <= len(editor.text)
    line = editor.view(columns, LOOK, active=True)
    assert width_of(line) == columns
    assert any(style == "cursor" for _, style in line)
    assert "\x1b" not in editor.text and "\n" not in editor.text


def test_a_long_line_scrolls_with_the_cursor_and_says_so() -> None:
    editor = typed("x" * 50 + "END")
    assert plain([editor.view(20, LOOK, active=True)]) == "…xxxxxxxxxxxxxEND"
    editor.key("home")
    assert plain([editor.view(20, LOOK, active=True)]) == "x" * 19 + "…"


def test_history_belongs_to_an_empty_or_unchanged_line() -> None:
    editor = Editor()
    for line in ("one", "two", "two", "  "):
        editor.remember(line)
    assert editor.older() and editor.text == "two"
    assert editor.older() and editor.text == "one"
    assert not editor.older()
    assert editor.newer() and editor.text == "two"
    assert editor.newer() and editor.text == ""
    editor.older()
    editor.insert("!")
    assert not editor.older() and not editor.newer() and editor.text == "two!"


def test_completion_by_place() -> None:
    def done(text: str) -> tuple[str, tuple[str, ...]]:
        result = complete(text, len(text), WORDS)
        return result.text, result.choices

    assert done("/dec")[0] == "/declare "
    assert done("-10m /dec")[0] == "-10m /declare "
    assert done("/assign b") == ("/assign b", ("bob", "barbara"))
    assert done("/assign bo")[0] == "/assign bob "
    assert done("/play gl") == ("/play gluster-", ("gluster-split-brain", "gluster-brick-down"))
    assert done("/amend ") == ("/amend a1", ("a17", "a16"))
    assert done("/hold dr")[0] == "/hold drupal-a "
    assert done("/ic of")[0] == "/ic offer "
    assert done("/ic offer an")[0] == "/ic offer ana "
    assert done("/update pub")[0] == "/update public "
    assert done("todo: fix it @bo")[0] == "todo: fix it @bob "
    assert done("restarted we") == ("restarted web", ("web1", "web2"))
    assert done("heal on GV")[0] == "heal on gv0 "
    assert done("nothing like thi") == ("nothing like thi", ())
    assert complete("/ack x later", 5, WORDS).text.endswith("x later")


@given(st.text(max_size=30), st.integers(0, 30))
def test_completion_never_loses_a_character(text: str, cursor: int) -> None:
    cursor = min(cursor, len(text))
    result = complete(text, cursor, WORDS)
    assert result.text.endswith(text[cursor:])
    assert len(result.text) >= len(text)


def test_the_help_of_a_verb_shows_as_it_is_typed() -> None:
    assert verb_hint("/dec") == ("/declare", "")
    assert verb_hint("/st")[0].split() == ["/status", "/strike", "/standdown", "/state"]
    assert (
        verb_hint("/declare")
        == verb_hint("-12m /declare gv0")
        == ("/declare [-12m] [/sev N] [drill] TITLE", "open an incident; you become its commander")
    )
    assert verb_hint("a note with /declare") == ("", "") == verb_hint("")


def test_form_and_help_of_each_verb_fit_into_a_line_of_60_columns_each() -> None:
    assert not [verb.name for verb in VERBS.values() if max(len(verb.form), len(verb.help)) > 58]


def test_the_first_page_of_help_is_whole_on_the_smallest_screen() -> None:
    first = plain(help_lines("", 60, LOOK)).split("\n")[:9]
    assert "PgDn: all keys and verbs" in first[7] and not first[8].strip()
    assert not any("…" in line.removesuffix("todo: …") for line in first)


def test_help_has_every_key_prefix_and_verb() -> None:
    for width in (60, 80, 200):
        lines = help_lines("", width, LOOK)
        text = plain(lines)
        assert all(width_of(line) == width for line in lines)
        for label in (*(one.label for one in COMMANDS), *(form for form, _, _ in PREFIXES)):
            assert label in text
        for verb in VERBS.values():
            assert verb.form.split()[0] in text
            assert verb.example in plain(help_lines(verb.name, 200, LOOK))


def test_keys_and_verbs_are_twins() -> None:
    assert len({one.key for one in COMMANDS}) == len(COMMANDS)
    assert all(not one.verb or one.verb in VERBS for one in COMMANDS)
    assert not {one.key for one in COMMANDS} & EDITING
    assert plain([footer("prompt", 60, LOOK)]) == " Enter saves   Tab panes   PgUp back   F1 help"
    known = {name for one in COMMANDS for name in one.label.split()}
    for place, keys in FOOTER.items():
        assert {name for label, _ in keys for name in label.split()} <= known
        assert len(plain([footer(place, 60, LOOK)]).split("   ")) >= 3


def test_a_line_typed_by_hand_is_no_paste() -> None:
    burst = Burst(0.05)
    assert not burst.key("a", "", 1.0)
    assert not burst.key("\n", "a", 1.1)
    assert not burst.holding


def test_enter_right_behind_a_key_alone_is_a_line() -> None:
    burst = Burst(0.05)
    burst.key("a", "", 1.0)
    assert burst.key("\n", "a", 1.001)
    assert burst.left(1.002) > 0 >= burst.left(1.06)
    assert burst.take() == ("a\n", False)


def test_several_lines_at_once_are_a_paste_and_lose_nothing() -> None:
    burst = Burst(0.05)
    burst.key("a", "", 1.0)
    assert all(burst.key(text, "/close", 1.001) for text in ("\n", "b", "\n", "c"))
    assert burst.take() == ("/close\nb\nc", True)


def test_a_gap_of_nothing_switches_it_off() -> None:
    burst = Burst(0)
    burst.key("a", "", 1.0)
    assert not burst.key("\n", "a", 1.0)
