"""Playbooks: the shipped ones load; a broken file is refused with file, line and a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.playbook import Playbook, PlaybookError, load

SHIPPED = Path(__file__).parents[2] / "playbooks"
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


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.md")), ids=lambda path: path.stem)
def test_the_shipped_playbooks_are_complete(path: Path) -> None:
    book: Playbook = load(path.read_text(encoding="utf-8"), str(path))
    assert len(book.steps) >= 5
    for part in ("**Precondition.**", "**Stop and ask**", "**Do not**"):
        assert part in book.intro
    for part in ("## Rollback", "## Sources", "https://"):
        assert part in book.outro


def test_the_first_four_are_there() -> None:
    names = {path.stem for path in SHIPPED.glob("*.md")}
    assert {"gluster-split-brain", "gluster-brick-down", "container-out-of-memory", "status-update"} <= names
