"""Hostile text through the real path: a machine's and a person's words to every output of the program."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from incident_tui.text import sanitise

STRINGS = [
    "[bold red]x[/]",
    "[/",
    "[@click=app.quit]x[/]",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1bP+q544e\x1b\\",
    "\x9b2J",
    "\u202eexe.txt",
    "\u2066hidden\u2069",
    "a\u200bb\ufeffc",
    "line1\r\nline2",
    "over\rwrite",
    "nul\x00byte",
    "x" * 100_000,
    "\udce9",
    "| a | b |",
    "`code` ``two``",
    "```\nfence",
    "# heading",
    "---",
    "<script>alert(1)</script>",
    "<!-- comment -->",
    "![img](http://x/y.png)",
    "[link](javascript:alert(1))",
    "http://example.org/?a=1&b=2",
    "@channel <!here>",
    "$(reboot) `reboot` ; rm -rf /",
    "e" + "\u0301" * 60,
    "\U000e0041\U0001f600 👩‍👩‍👧",
    "%s %n {0} {{7*7}} {% raw %}",
]


def clean(text: str) -> None:
    """No control character but the newline, and nothing bidirectional."""
    for character in text:
        assert unicodedata.category(character) != "Cc" or character == "\n", repr(character)
        assert not 0x202A <= ord(character) <= 0x202E and not 0x2066 <= ord(character) <= 0x2069


def test_what_people_say(program: Any, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "j"))
    program("declare", "hostile <b>title</b> | x", *journal)
    lines = [text.replace("\x00", "").replace("\r", " ").replace("\n", " ") for text in STRINGS]
    text = "".join(line.encode("utf-8", "surrogateescape").decode("utf-8", "replace") + "\n" for line in lines)
    done = program("log", "-", *journal, text=text, check=None)
    said = [line for line in text.splitlines() if sanitise(line).strip()]
    assert len(done.stdout.splitlines()) == len(said) >= 27
    for command in (["show"], ["list"], ["export"], ["export", "--full"], ["show", "--json"]):
        clean(program(*command, *journal).stdout)
    report = program("export", "--full", *journal).stdout
    tokens = MarkdownIt("gfm-like", {"html": True}).parse(report)
    inline = [child for token in tokens for child in token.children or []]
    assert not any("alert(1)" in token.content for token in tokens if token.type == "html_block")
    assert not any("script" in child.content for child in inline if child.type == "html_inline")
    assert not any(child.type == "image" for child in inline)
    assert not any("javascript" in str(child.attrs.get("href", "")) for child in inline)


@pytest.fixture
def poisoned(staged: Callable[..., Any]) -> Any:
    """A stage whose machines say hostile things wherever a machine can: names, images, paths, files, kernel log."""
    one = staged("healthy")
    machine = one.stage.directory / "machines" / "web1"
    answers = machine / "answers"
    for number, inspect in enumerate(sorted((answers / "inspect").iterdir())):
        body = json.loads(inspect.read_text())
        body["Name"] = "/" + STRINGS[number]
        body["Config"]["Image"] = STRINGS[-number - 1]
        body["State"]["Error"] = "".join(STRINGS[:14])
        inspect.write_text(json.dumps(body))
    heal = answers / "gluster" / "heal-gv0"
    files = "".join(f"/{text} - Is in split-brain\n" for text in STRINGS if "\n" not in text and "\udce9" not in text)
    heal.write_text(f"Brick web1:/b/gv0/\n{files}Number of entries: {len(STRINGS)}\n")
    (machine / "proc/sys/kernel/hostname").write_text("\x1b]0;evil\x07host\n")
    (machine / "var/log/messages").write_text(
        "Nov 23 03:10:00 web1 kernel: Killed process 77, UID 0, (\x1b[31mevil)) (x) total-vm:1kB, anon-rss:1kB\n"
    )
    return one


def test_what_machines_say(poisoned: Any, program: Any) -> None:
    for command in (["read"], ["read", "--json"], ["probe", "web1"], ["probe", "web1", "--json"], ["check"]):
        done = program(*command, *poisoned.words, check=None)
        clean(done.stdout)
        clean(done.stderr)
        assert done.returncode in (0, 1)
