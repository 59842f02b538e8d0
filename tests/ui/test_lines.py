"""Lines: measured, cut, wrapped and compared in columns of the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.ui.lines import Look, cells, changed, cut, fit, sides, width_of, wrap

WORDS = st.text(
    alphabet=st.one_of(st.characters(min_codepoint=32, max_codepoint=126), st.sampled_from("äé漢字…│─Ж中文😀́")),
    max_size=60,
)


@given(WORDS, st.integers(0, 40))
def test_fit_is_exactly_as_wide_as_asked(text: str, columns: int) -> None:
    text = Look().text(text)
    assert width_of(fit([(text, ""), (text, "ok")], columns)) == columns


@given(WORDS, st.integers(1, 40))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, columns: int) -> None:
    text = Look().text(text)
    shown = cut(text, columns)
    assert cells(shown) <= columns
    assert shown == text or shown.endswith("…")


@given(WORDS, st.integers(2, 40), st.integers(2, 40))
def test_wrapping_keeps_every_character_and_every_width(text: str, first: int, rest: int) -> None:
    text = Look().text(text)
    lines = wrap(text, first, rest)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert cells(lines[0]) <= first
    assert all(cells(line) <= rest for line in lines[1:])


def test_words_are_not_broken_where_a_space_will_do() -> None:
    assert wrap("choose source for /files/a.pdf", 14, 10) == ["choose source", "for", "/files/a.p", "df"]


def test_line_breaks_of_a_text_stay() -> None:
    assert wrap("one\n  two\n\nthree", 20, 20) == ["one", "  two", "", "three"]


@given(WORDS, WORDS)
def test_the_changed_columns_cover_every_difference(before: str, after: str) -> None:
    width = 80
    old, new = fit([(Look().text(before), "")], width), fit([(Look().text(after), "")], width)
    span = changed(old, new)
    if old == new:
        assert span is None
        return
    if span is None:
        return
    start, count = span
    left, right = "".join(text for text, _ in old), "".join(text for text, _ in new)
    outside = [index for index in range(min(len(left), len(right))) if index < start and left[index] != right[index]]
    assert not outside if left.isascii() and right.isascii() else count > 0


def test_a_ticking_clock_changes_only_its_last_digit() -> None:
    before = fit([(" 14:43:12Z  update due in 04:12", "")], 80)
    after = fit([(" 14:43:13Z  update due in 04:12", "")], 80)
    assert changed(before, after) == (8, 1)


def test_a_changed_colour_is_a_change() -> None:
    assert changed([("up", "ok")], [("up", "crit")]) == (0, 2)


def test_a_wide_character_is_never_split() -> None:
    assert changed(fit([("a漢b", "")], 6), fit([("axyb", "")], 6)) == (1, 2)


def test_left_gives_way_to_right() -> None:
    assert "".join(text for text, _ in sides([("a long title here", "")], [("saved", "ok")], 12)) == "a long…saved"


def test_only_ascii_reaches_an_ascii_terminal() -> None:
    assert Look(ascii=True).text("café … 漢 “x” 😀") == 'cafe ~ ? "x" ?'


def test_controls_never_survive_whatever_their_origin() -> None:
    assert Look().text("a\x1b]0;pwn\x07b\x9b31mc\u202ed") == "abcd"
