"""Playbooks: what is read of one; a broken file is refused with file, line and a sentence; no text is slow."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.playbook import PlaybookError, load

FRONT = '+++\ntitle = "T"\nowner = "ana"\nwhen = ["gluster.brick-down"]\n[variables]\nvolume = "gv0"\n+++\n'


def test_steps_bodies_commands_and_sections() -> None:
    text = FRONT + (
        "Before.\n\n## Look\n\n- [ ] First of\n  two lines.\n\n  Words.\n\n"
        "  ```sh risk=read\n  gluster volume status {{volume}}\n    # - [ ] not a step\n  ```\n"
        "- [x] Second\n\n## 3. Third\n\n## Rollback\n\nBack.\n"
    )
    book = load(text, "playbooks/x-y.md")
    assert (book.name, book.title, book.owner, book.when) == ("x-y", "T", "ana", ("gluster.brick-down",))
    assert [(step.number, step.text, step.section) for step in book.steps] == [
        (1, "First of two lines.", "Look"),
        (2, "Second", "Look"),
        (3, "Third", "Look"),
    ]
    assert book.steps[0].body == "Words."
    assert [one.text for one in book.steps[0].blocks] == ["gluster volume status {{volume}}\n  # - [ ] not a step"]
    assert book.intro == "Before." and book.outro == "## Rollback\n\nBack."


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "+++"),
        ("# Title\n", 1, "+++"),
        ('+++\ntitle = "x"\n', 1, "not closed"),
        ("+++\ntitle = \n+++\n", 2, "TOML"),
        ('+++\ntitle = "x"\n+++\n- [ ] a\n', 2, "owner"),
        ('+++\ntitle = "x"\nowner = "y"\nwhom = "z"\n+++\n', 4, "whom"),
        ('+++\ntitle = "x"\nowner = "y"\nwhen = "z"\n+++\n', 4, "when"),
        (FRONT + "no step\n", 7, "no step"),
        (FRONT + "- [ ] a\n```sh\nx\n", 9, "closed"),
        (FRONT + "- [ ] a {{brick}}\n", 8, "brick"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(text: str, line: int, word: str) -> None:
    with pytest.raises(PlaybookError) as caught:
        load(text, "p.md")
    assert (caught.value.file, caught.value.line) == ("p.md", line)
    assert caught.value.sentence.startswith(f"p.md:{line}: ") and word in caught.value.sentence


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_a_playbook_or_refused(text: str, front: bool) -> None:
    try:
        book = load(FRONT + text if front else text, "p.md")
    except PlaybookError as error:
        assert error.sentence
    else:
        assert book.steps


@given(st.binary(max_size=300), st.sampled_from(["", FRONT, FRONT + "- [ ] a\n\n```sh "]))
def test_any_bytes_are_a_playbook_or_refused(raw: bytes, before: str) -> None:
    try:
        load(before + raw.decode("utf-8", "surrogateescape"), "p.md")
    except PlaybookError as error:
        assert error.sentence.isprintable()


@pytest.mark.parametrize(
    "piece",
    [
        "~" * 50 + "`",
        "```" + " " * 40 + "`",
        "{{" + " " * 40,
        "- [ ] a\nb\n",
        "a\n",
        "`",
        "\n",
        "[" * 60,
        "# ",
        "{{volume}}",
        "```sh target=\n",
        "e\u0301" * 20,
    ],
)
def test_reading_takes_a_time_that_grows_with_the_text(piece: str) -> None:
    """Counted in lines of Python that ran, not in seconds: four times the text, hardly more than four times the work;
    and what one line of Python asks of a pattern ends well within the patience of whoever runs this."""
    counts = [work(FRONT + "- [ ] a\n" + piece * (size // len(piece))) for size in (10_000, 40_000)]
    assert counts[1] < 6 * counts[0] + 2_000
    work(FRONT + "- [ ] a\n" + piece * (190_000 // len(piece)))


@pytest.mark.parametrize("value", ["[" * 9_000, "9" * 9_000, "a." * 4_000, '"""' + "x" * 9_000, "\n" * 9_000 + "?"])
def test_a_front_matter_of_any_shape_is_refused(value: str) -> None:
    with pytest.raises(PlaybookError):
        load(f"+++\ntitle = {value}\n+++\n- [ ] a\n", "p.md")


def work(text: str) -> int:
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        load(text, "p.md")
    except PlaybookError:
        pass
    finally:
        sys.settrace(before)
    return count
