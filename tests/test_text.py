"""Foreign text: no control character survives, Markdown shows what was typed, secrets are hidden."""

from __future__ import annotations

import shlex
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incident_tui import text

ANY = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=200)
BAD = {"Cc", "Cs"}


def shown(markdown: str) -> str:
    """What a GFM reader sees of a paragraph, without its mark-up."""
    parser = MarkdownIt("gfm-like", {"html": True})
    out = []
    for token in parser.parse(markdown):
        for child in token.children or []:
            assert child.type in {"text", "softbreak", "text_special"}, (child.type, markdown)
            out.append(child.content)
    return "".join(out)


@given(ANY, st.booleans())
def test_sanitise_leaves_nothing_a_terminal_acts_on(value: str, lines: bool) -> None:
    safe = text.sanitise(value, lines=lines)
    for character in safe:
        assert unicodedata.category(character) not in BAD or (lines and character == "\n")
        assert not 0x202A <= ord(character) <= 0x202E and not 0x2066 <= ord(character) <= 0x2069
    assert text.sanitise(safe, lines=lines) == safe


@given(st.binary(max_size=300))
def test_sanitise_takes_any_bytes(raw: bytes) -> None:
    assert "\x1b" not in text.sanitise(raw)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_sanitise_keeps_plain_text(value: str) -> None:
    assert text.sanitise(value) == value


def test_a_whole_escape_sequence_goes_and_not_only_its_first_byte() -> None:
    assert text.sanitise("a\x1b[31mred\x1b[0m b\x1b]0;title\x07c\x1b]52;c;aGk=\x1b\\d\x9b2Je\x90q\x9cf") == "ared bcdef"


def test_a_megabyte_is_cut_with_a_mark() -> None:
    safe = text.sanitise("x" * 1_000_000)
    assert len(safe) == text.LINE_LIMIT and safe.endswith(text.CUT)


def test_a_tower_of_combining_marks_is_bounded() -> None:
    assert text.sanitise("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * 4 + "b"


@given(st.text(max_size=120))
@example("1. x")
@example("- x")
@example("=====")
@example("    code")
@example("<script>alert(1)</script>")
@example("[a](javascript:x) ![b](c) <http://x> http://example.org www.example.org")
@example("a | b || `c` ``d`` ~~e~~ *f* __g__ \\")
@example("| a | b |")
@example("me@example.org @channel")
@example("[^1]: note")
@example("a_b_c _d_")
def test_markdown_shows_just_what_was_typed(value: str) -> None:
    safe = text.sanitise(value)
    source = text.markdown(safe)
    wanted = " ".join(safe.split())
    assert " ".join(shown("x " + source).split()) == " ".join(("x " + wanted).split())
    assert " ".join(shown(source).split()) == wanted


@given(st.text(max_size=80))
def test_a_table_cell_cannot_leave_its_cell(value: str) -> None:
    safe = text.sanitise(value)
    for cell in (text.markdown(safe), text.code(safe, cell=True)):
        table = f"| a | b |\n|---|---|\n| {cell} | end |\n"
        tokens = MarkdownIt("gfm-like").parse(table)
        assert sum(token.type == "td_open" for token in tokens) == 2, table
        assert [token.content for token in tokens if token.type == "inline"][-1] == "end"


@given(st.text(max_size=200))
def test_a_fence_cannot_be_closed_by_its_content(value: str) -> None:
    safe = text.sanitise(value, lines=True)
    tokens = MarkdownIt("gfm-like").parse(text.fence(safe))
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content.rstrip("\n") == safe.rstrip("\n")


@given(st.text(max_size=50))
def test_a_shell_word_is_one_word(value: str) -> None:
    if "\x00" in value:
        with pytest.raises(ValueError, match="NUL"):
            text.shell(value)
    else:
        assert shlex.split(text.shell(value)) == [value]


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("mysql://root:hunter2@db/x", "hunter2"),
        ("password=hunter2", "hunter2"),
        ("MYSQL_PASSWORD: hunter2", "hunter2"),
        ("curl -H 'Authorization: Bearer abc.def'", "abc.def"),
        ("token = 'abc def'", "abc def"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "T0/B0/xyz"),
        ("AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "MII"),
    ],
)
def test_secrets_are_hidden_and_counted(value: str, secret: str) -> None:
    safe, count = text.redact(value)
    assert secret not in safe and count == 1
    assert text.redact(safe) == (safe, 0)


def test_ordinary_words_are_not_secrets() -> None:
    line = "reset the password of the mail host; the token ring is fine; see http://host:8080/path"
    assert text.redact(line) == (line, 0)
