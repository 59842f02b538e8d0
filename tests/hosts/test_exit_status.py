"""What an exit status means, with and without evidence."""

from __future__ import annotations

from typing import Any

import pytest

from incident_tui.hosts.exit_status import explained, meaning
from incident_tui.hosts.readings import Container


def ended(code: int, **fields: Any) -> Container:
    return Container(id="a", name="a", state="exited", exit_code=code, **fields)


@pytest.mark.parametrize(
    ("code", "words"),
    [(137, "killed"), (127, "command not found"), (139, "signal SIGSEGV"), (1, ""), (255, "")],
)
def test_in_a_few_words(code: int, words: str) -> None:
    assert meaning(code) == words


@pytest.mark.parametrize(
    ("container", "oom", "words"),
    [
        (ended(137), True, "137: killed, out of memory"),
        (ended(137), False, "nothing read says that memory ran out"),
        (ended(137, stopped_on_purpose=True), False, "told to stop and was killed after its time"),
        (ended(143, stopped_on_purpose=True), False, "told to stop and ended in order"),
        (ended(143), False, "no stop was seen"),
        (ended(0), False, "without an error"),
        (ended(139), False, "139: signal SIGSEGV"),
        (ended(3), False, "3: an error of its own"),
    ],
)
def test_as_a_sentence(container: Container, oom: bool, words: str) -> None:
    assert words in explained(container, oom=oom)
