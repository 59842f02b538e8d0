"""The command line as people and scripts use it: processes, output, exit status, one sentence for each mistake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.cli.commands import COMMANDS, GLOBAL
from incident_tui.cli.options import UsageError, parse

Program = Any


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(tmp_path / "journal")


def test_log_prints_each_handle_and_show_and_export_have_the_lines(program: Program, journal: str) -> None:
    made = program("declare", "gv0 split-brain", "--severity", "1", "--journal", journal, "--as", "ana")
    assert made.stdout.split()[0] == "a1" and made.stdout.split()[1].startswith("INC-")
    assert program("log", "! restarted glusterd web3", "--journal", journal, "--as", "bob").stdout == "a2\n"
    assert program("--journal", journal, "log", "-10m", "saw", "the", "alarm").stdout == "a3\n"
    shown = msgspec.json.decode(program("show", "--json", "--journal", journal).stdout)
    assert [row["word"] for row in shown["timeline"]] == ["NOTE", "DECLARED", "ACTION"]
    assert shown["timeline"][0]["late_seconds"] == 600 and shown["commander"] == "ana"
    assert "restarted glusterd web3" in program("export", "--journal", journal).stdout
    (listed,) = msgspec.json.decode(program("list", "--json", "--journal", journal).stdout)
    assert listed["title"] == "gv0 split-brain" and listed["open"] is True
    assert program("verify", "--journal", journal).stdout.startswith("3 entries; the chain holds")


def test_an_update_without_text_prints_a_draft_for_each_audience_and_saves_nothing(
    program: Program, journal: str
) -> None:
    program("declare", "gv0 split-brain", "--severity", "2", "--journal", journal, "--as", "ana")
    made = program("log", "/update public,exec", "--journal", journal, "--as", "ana", check=1)
    public, management = made.stdout.splitlines()
    assert public == "/update public +30m We are looking into a problem with our services."
    assert (
        management.startswith("/update exec +30m SEV2 gv0 split-brain: declared") and "nothing was saved" in made.stderr
    )
    assert program("log", "/update public,exec +20m Two sites are slow", "--journal", journal).stdout == "a2\na3\n"


def test_log_reads_lines_from_standard_input_and_keeps_what_it_can(program: Program, journal: str) -> None:
    lines = "a note\n\n! an action\n/sev nonsense\nlast\n"
    done = program("log", "-", "--journal", journal, text=lines, check=1)
    assert done.stdout == "a1\na2\na3\n"
    assert "not saved" in done.stderr and "/sev nonsense" in done.stderr


def test_a_line_that_is_refused_comes_back_whole(program: Program, journal: str) -> None:
    done = program("log", "/assign", "bob", "--journal", journal, check=1)
    assert done.stdout == "" and "/assign bob" in done.stderr and "/assign NAME 5m TEXT" in done.stderr


def test_a_head_that_was_noted_elsewhere_shows_a_rewritten_journal(
    program: Program, journal: str, tmp_path: Path
) -> None:
    program("log", "one", "--journal", journal)
    head = next(
        line for line in program("verify", "--journal", journal).stdout.splitlines() if line.startswith("head ")
    )
    noted = head.removeprefix("head ")
    assert program("verify", noted, "--journal", journal).returncode == 0
    shutil.rmtree(journal)
    program("log", "another", "--journal", journal)
    assert program("verify", noted, "--journal", journal, check=1)


def test_purge_destroys_the_text_everywhere_and_verify_still_passes(program: Program, journal: str) -> None:
    program("log", "the password is hunter2hunter2", "--journal", journal)
    program("purge", "a1", "a password was pasted", "--journal", journal, "--as", "ana")
    for path in Path(journal).rglob("*"):
        assert not path.is_file() or b"hunter2hunter2" not in path.read_bytes(), path
    assert "1 of them purged" in program("verify", "--journal", journal).stdout
    assert "hunter2" not in program("show", "--json", "--journal", journal, check=None).stdout


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (("lgo", "x"), 2, "did you mean log?"),
        (("log",), 2, "log needs TEXT..."),
        (("export", "--formt", "md"), 2, "did you mean --format?"),
        (("export", "--format"), 2, "--format needs a value"),
        (("list", "extra"), 2, "does not take 'extra'"),
        (("log", "x", "--json"), 2, "no option --json"),
        (("declare", "x", "--severity", "high"), 2, "--severity high"),
        (("show",), 1, "no journal at"),
        (("probe", "nohost"), 2, "no [[hosts]] table"),
        (("completion", "fish"), 2, "bash or zsh"),
        (("demo", "--scenario", "nope"), 2, "there is no scenario"),
        (("playbook", "nope"), 2, "no playbook"),
        (("verify", "garbage"), 2, "garbage"),
        (("--config", "/nonexistent.toml", "list"), 2, "/nonexistent.toml: no such file"),
        (("screen",), 2, "needs a terminal"),
    ],
)
def test_wrong_use_is_one_sentence(
    program: Program, journal: str, words: tuple[str, ...], status: int, part: str
) -> None:
    if words == ("verify", "garbage"):
        program("log", "x", "--journal", journal)
    done = program(*words, "--journal", journal, check=status)
    assert part in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and done.stderr.startswith("incident-tui: ")


def test_a_wrong_configuration_is_exit_2_and_loses_nothing(program: Program, journal: str, tmp_path: Path) -> None:
    program("log", "before", "--journal", journal)
    config = tmp_path / "c.toml"
    config.write_text("[journal]\nleter = 'a'\n")
    done = program("log", "x", "--config", str(config), "--journal", journal, check=2)
    assert "journal.leter" in done.stderr and "did you mean letter?" in done.stderr
    assert len(program("verify", "--json", "--journal", journal).stdout) > 0


def test_names_are_claimed_or_refused_in_a_sentence(program: Program, journal: str) -> None:
    assert "one word" in program("log", "x", "--as", "two words", "--journal", journal, check=2).stderr
    program("declare", "t", "--as", "zoe", "--journal", journal)
    shown = msgspec.json.decode(program("show", "--json", "--journal", journal).stdout)
    assert shown["timeline"][0]["author"] == "zoe" and shown["timeline"][0]["claimed"] is True


def test_a_closed_pipe_is_no_error(program: Program, journal: str) -> None:
    for number in range(3):
        program("log", f"line {number}", "--journal", journal)
    command = f"{sys.executable} -m incident_tui --help | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd="/")
    assert done.stdout.startswith("incident-tui:") and done.stderr == ""


def test_help_names_every_command_and_option(program: Program) -> None:
    overview = program("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command.name} " in overview
        usage = program(command.name, "--help").stdout
        for option in (*command.options, *GLOBAL):
            assert f"--{option.name}" in usage


def test_options_may_stand_before_or_after_the_command() -> None:
    for words in (["--as", "ana", "log", "x"], ["log", "x", "--as", "ana"], ["log", "--as=ana", "x"]):
        call = parse(words)
        assert call.command.name == "log" and call.options == {"as": "ana"} and call.words == ["x"]
    assert parse(["log", "--", "--as", "-x"]).words == ["--as", "-x"]
    assert parse(["log", "-10m", "-x y"]).words == ["-10m", "-x y"]
    assert parse([]).command.name == "screen"
    with pytest.raises(UsageError):
        parse(["log", "x", "-z"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_bash_completion_completes(program: Program, tmp_path: Path) -> None:
    script = tmp_path / "completion"
    script.write_text(program("completion", "bash").stdout)

    def completed(*words: str) -> set[str]:
        line = " ".join(f'"{word}"' for word in ("incident-tui", *words))
        code = (
            f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _incident_tui; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    assert completed("ex") == {"explain", "export"}
    assert {"--full", "--format", "--output"} <= completed("export", "--")
    assert completed("export", "--format", "") == {"md", "html", "csv", "json", "journal"}
    assert completed("digest", "--format", "") == {"md", "html"}
    assert completed("completion", "") >= {"bash", "zsh"}


def test_the_zsh_completion_parses_where_zsh_is(program: Program) -> None:
    text = program("completion", "zsh").stdout
    assert text.startswith("#compdef incident-tui")
    for command in COMMANDS:
        assert f"'{command.name}:" in text
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n"], input=text, text=True, check=True)


def test_the_current_directory_may_be_gone(tmp_path: Path, journal: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, sys; os.rmdir(os.getcwd()); from incident_tui.cli import main; "
        f"sys.exit(main(['log', 'x', '--journal', {journal!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)


def test_an_unexpected_failure_is_a_sentence_and_the_log_has_the_traceback(journal: str, tmp_path: Path) -> None:
    code = (
        "import sys, incident_tui.cli.show as show\n"
        "def broken(context): raise RuntimeError('surprise \\x1b[31m')\n"
        "show.version = broken\n"
        "from incident_tui.cli import main\nsys.exit(main(['version']))"
    )
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "surprise" in done.stderr
    assert "\x1b" not in done.stderr and str(tmp_path) in done.stderr
    assert "RuntimeError" in (tmp_path / "incident-tui" / "incident-tui.log").read_text()


def test_search_in_all_incidents(program: Program, journal: str) -> None:
    program("declare", "disk of web1", "--journal", journal, "--as", "ana")
    program("log", "! restarted glusterd on web1", "--journal", journal, "--as", "bob")
    program("log", "/close anyway a drill", "--journal", journal)
    program("declare", "gv0 split-brain", "--journal", journal, "--as", "ana")
    program("log", "glusterd again", "--journal", journal, "--as", "ana")
    first, second = program("search", "gluster", "--journal", journal).stdout.splitlines()
    assert first.endswith("glusterd again") and second.endswith("ACTION restarted glusterd on web1")
    found = msgspec.json.decode(
        program("search", "gluster", "--kind", "action", "--by", "bob", "--json", "--journal", journal).stdout
    )
    assert [row["said"] for row in found] == ["restarted glusterd on web1"] and found[0]["incident"].startswith("INC-")
    assert program("search", "xyzzy", "--journal", journal, check=1).stdout == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "search for what?"),
        (("x", "--kind", "acton"), "did you mean action?"),
        (("x", "--since", "yesterday"), "write 14:05, -30m, -24h or 2026-11-23"),
    ],
)
def test_what_cannot_be_searched_for(program: Program, journal: str, words: tuple[str, ...], sentence: str) -> None:
    program("log", "x", "--journal", journal)
    done = program("search", *words, "--journal", journal, check=2)
    assert sentence in done.stderr and done.stderr.count("\n") == 1
