"""Commands in playbooks: their attributes, and variables that stay one word whatever they hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.incident.playbook_block import ATTRIBUTES, PARTS, Unreadable, block


def test_what_the_info_string_says() -> None:
    one = block(
        'sh target=role:gluster risk=read limit=2m expect="bricks 3/3 {{n}}" only="CentOS 6" verify', "x {{v}}", 7
    )
    assert (one.target, one.changes, one.seconds, one.only, one.part) == (
        "role:gluster",
        False,
        120,
        "CentOS 6",
        "verify",
    )
    assert one.is_command and one.line == 7 and one.variables == ("v", "n")
    plain = block("sh", "reboot", 1)
    assert (plain.target, plain.changes, plain.seconds, plain.expect, plain.part) == ("host", True, 60, "", "")
    assert not block("sh verify", "true", 1).changes
    assert not block("text", "{{v}}", 1).is_command


@pytest.mark.parametrize(
    ("info", "word"),
    [
        ("sh target=web3", "target is host, role:NAME"),
        ("sh target=role:", "target is"),
        ("sh risk=high", "risk is read or change"),
        ("sh verify risk=change", "only reads"),
        ("sh verify rollback", "either"),
        ("sh limit=forever", "60s or 5m"),
        ("sh limit=0s", "60s or 5m"),
        ("sh limit=9999m", "60s or 5m"),
        ("sh when=now", "unknown attribute 'when'"),
        ("sh check", "unknown attribute 'check'"),
        ("sh verify=yes", "unknown attribute 'verify'"),
        ("sh risk=read risk=read", "twice"),
        ('sh expect="never closed', "no attribute"),
        ("text risk=read", "no command"),
    ],
)
def test_what_it_must_not_say_is_refused(info: str, word: str) -> None:
    with pytest.raises(Unreadable) as caught:
        block(info, "true", 1)
    assert word in caught.value.sentence


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('echo "{{v}}"', 1),
        ("echo\necho '{{v}}'", 2),
        ("echo `echo {{v}}`", 1),
        ("cat <<END\n{{v}}\nEND", 1),
        ("echo ${{v}}", 1),
        ("echo \\{{v}}", 1),
        ("eval echo {{v}}", 1),
        ('x="a\\"{{v}}"', 1),
        ('"$(ls {{v}})"', 1),
    ],
)
def test_a_variable_that_could_not_be_quoted_is_refused(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as caught:
        block("sh", text, 1)
    assert caught.value.line == line


@pytest.mark.parametrize("text", ["# don't {{v}}\nprintf %s {{v}}", "printf '%s' a{{v}}", 'printf %s "a"{{v}} # \'x'])
@settings(max_examples=40)
@given(value=st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=30))
def test_whatever_a_variable_holds_it_is_one_word_of_a_real_shell(text: str, value: str) -> None:
    shown = block("sh", text, 1).filled({"v": value})
    if "\n" in value and "#" in text:  # only the quoting of the command is asked about, comments end with their line
        return
    done = subprocess.run(["sh", "-c", shown], capture_output=True, check=True)
    assert done.stdout.decode("utf-8", "surrogateescape").removeprefix("a") in (value, value.removeprefix("a"))
    assert not done.stderr


def test_expected_is_compared_with_blanks_as_one_and_needs_a_status_of_0() -> None:
    one = block('sh verify expect="bricks {{n}} up"', "x", 1)
    assert one.held("all:  bricks\n 3   up", 0, {"n": "3"})
    assert not one.held("bricks 2 up", 0, {"n": "3"})
    assert not one.held("bricks 3 up", 1, {"n": "3"})
    assert not one.held("bricks 3 up", None, {"n": "3"})


def test_the_readme_names_every_attribute_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = text.partition("| attribute | what it says |")[2].partition("\n\n")[0]
    first = [line.split("|")[1] for line in table.splitlines()[2:]]
    named = re.findall(r"`(\w+)(?:=[^`]*)?`", " ".join(first))
    assert tuple(named) == (*ATTRIBUTES, *PARTS)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_info_and_text_is_a_block_or_refused(info: str, text: str) -> None:
    for before in ("", "sh ", *(f"sh {one}=" for one in ATTRIBUTES), *(f"sh {one} " for one in PARTS)):
        try:
            block(before + info, text, 1)
        except Unreadable as error:
            assert error.sentence
