"""Two real watches: a message that one of them may have sent is sent again by a person's word on the other, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.watch.test_together import SECONDS, Bastion, Both, both

__all__ = ["both"]
Until = Callable[..., Any]
_PROGRAM = """#!/bin/sh
cat >>'{sent}'
[ ! -e '{hangs}' ] || exec sleep 60
"""


def by_a_program(one: Bastion, program: Path) -> None:
    """Messages go through a program of the team's own, which may hang."""
    text = one.config.read_text()
    table = f"\n[[chat]]\nname = 'ops'\nkind = 'command'\ncommand = ['{program}']\nseconds = 1\n"
    table += "send = ['declare', 'update']\n"
    one.config.write_text(re.sub(r"(?s)\n\[\[chat\]\].*?(?=\n\[)", table, text))


def test_a_persons_word_on_another_bastion_counts_where_the_message_is(
    both: Both, until: Until, program: Any, tmp_path: Path
) -> None:
    a, b, hangs, script = both.a, both.b, tmp_path / "hangs", tmp_path / "post"
    script.write_text(_PROGRAM.format(sent=both.sent, hangs=hangs))
    script.chmod(0o755)
    for one in (a, b):
        by_a_program(one, script)
    a.start()
    until(lambda: (row := a.told()) and row.on_duty, SECONDS, a.output.read_text)
    b.start()
    until(lambda: a.is_("together", None) and b.is_("together", None), SECONDS, b.output.read_text)
    hangs.touch()
    program("log", "/declare sev2 said on b", *b.words, "--as", "ben")
    shown = until(
        lambda: (row := b.chat()) and [one for one in row.deliveries if one.state == "maybe"], SECONDS, lambda: a.chat()
    )
    assert [one.via for one in shown] == ["a"] and both.count("said on b") == 1
    hangs.unlink()
    program("log", "/update internal after it", *b.words, "--as", "ben")
    until(lambda: both.count("after it") == 1, SECONDS, a.chat)
    handle = re.search(r"\b(b\d+)\b.*said on b", program("show", *b.words).stdout)
    assert handle is not None
    for again in (2, 2):  # what is known to have arrived is not sent again
        program("log", f"/resend {handle[1]}", *b.words, "--as", "ben")
        until(lambda again=again: both.count("said on b") == again, SECONDS, lambda: (a.chat(), b.chat()))
        until(lambda: (row := b.chat()) and not row.maybe and not row.waiting, SECONDS, b.chat)
    program("log", "/update internal in the end", *b.words, "--as", "ben")
    until(lambda: both.count("in the end") == 1, SECONDS, a.chat)
    assert both.count("said on b") == 2 and both.count("after it") == 1
