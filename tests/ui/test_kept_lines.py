"""What is typed over a question, and what was dropped: where it is while nobody has saved it."""

from __future__ import annotations

from typing import Any

from tests.ui.talk import Talk


def test_half_a_line_over_a_question_is_on_disk_with_all_that_waits(world: Any, talk: Talk) -> None:
    world.full()
    while talk.session.read_journal():
        pass
    talk.enter("/update public sites are slow")
    talk.enter("bob rang")
    talk.type("half of the next")
    assert talk.ask is not None and talk.ask.draft == "bob rang"
    assert talk.unsent() == ("half of the next", "/update public sites are slow", "bob rang")


def test_the_beginning_of_an_answer_is_no_line(world: Any, talk: Talk) -> None:
    world.full()
    while talk.session.read_journal():
        pass
    talk.enter("/update public sites are slow")
    talk.type("pub")
    assert talk.unsent() == ("", "/update public sites are slow")


def test_a_dropped_paste_can_be_opened_again_and_is_in_no_file(talk: Talk) -> None:
    assert talk.pasted("first typed ahead\nhunter2")
    talk.cancel()
    assert "Ctrl+E" in talk.said[0] and not any(talk.unsent())
    assert not any(b"hunter2" in path.read_bytes() for path in talk.session.directory.rglob("*") if path.is_file())
    assert talk.to_write() == "first typed ahead\nhunter2"
    talk.type("x")
    assert talk.to_write() == "x", "a line comes before what was dropped"
    talk.editor.set("")
    talk.written("first typed ahead")
    assert talk.editor.text == "first typed ahead"
    talk.editor.set("")
    assert talk.to_write() == ""
