"""What a quick command imports, seen in a fresh process each: neither the screen nor network libraries nor asyncio."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from incident_tui.shipped import shipped

FORBIDDEN = {"textual", "rich", "asyncssh", "aiohttp", "asyncio"}
SLOW = {"typing_extensions", "inspect", "threading", "pathlib", "zoneinfo", "platformdirs", "hashlib", "ctypes"}
"""What `log` does without besides, each for milliseconds."""
TELL = (
    "import json, os, sys\n"
    "import incident_tui.cli.process as process\n"
    "def leave(status):\n"
    "    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    "process.leave = leave\n"
    "from incident_tui.cli import main\n"
    "sys.exit(main())"
)


def modules(journal: Path, *words: str) -> set[str]:
    """The modules that are loaded when the command has ended, with the example configuration in force."""
    line = ["--config", str(shipped("config.toml")), "--journal", str(journal), *words]
    done = subprocess.run([sys.executable, "-c", TELL, *line], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    place = tmp_path / "journal"
    modules(place, "declare", "gv0 split-brain", "--severity", "1")
    return place


@pytest.mark.parametrize(
    "words", [("log", "web2 is back"), ("export",), ("list",), ("show",), ("verify",), ("notify", "cron", "x")]
)
def test_a_command_of_the_journal_imports_neither_screen_nor_network(journal: Path, words: tuple[str, ...]) -> None:
    assert not modules(journal, *words) & FORBIDDEN


def test_a_plain_line_imports_no_fold(journal: Path) -> None:
    loaded = modules(journal, "log", "! restarted glusterd on web2")
    assert not loaded & SLOW
    assert not loaded & {"incident_tui.config", "incident_tui.incident.state", "incident_tui.incident.chronicle"}


def test_reading_the_configuration_needs_nothing_of_what_chats_are_sent_with() -> None:
    code = "import incident_tui.config, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "aiohttp", "email", "http", "ssl", "sqlite3", "subprocess"}
    assert not set(json.loads(done.stdout)) & heavy


def test_what_was_left_out_can_be_imported_afterwards() -> None:
    code = (
        "from incident_tui.cli.process import start; start()\n"
        "import sys, msgspec; assert 'typing_extensions' not in sys.modules\n"
        "import typing_extensions, textual.app, aiohttp, asyncssh\n"
        "assert typing_extensions.TypedDict and sys.modules['typing_extensions'] is typing_extensions\n"
        "class Row(msgspec.Struct):\n    name: str\n    ages: dict[str, int | None] = {}\n"
        'assert msgspec.json.decode(b\'{"name":"x","ages":{"a":1}}\', type=Row) == Row(\'x\', {\'a\': 1})\n'
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_quick_end_runs_what_waits_for_it_and_keeps_the_status(tmp_path: Path) -> None:
    code = (
        "import atexit, sys\n"
        "from incident_tui.cli.process import leave\n"
        "atexit.register(lambda: print('registered'))\n"
        "print('printed', end=' '); leave(3); print('not reached')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "printed registered\n")
    full = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" --journal "{tmp_path}/j" log x > /dev/full', sys.executable, TELL],
        capture_output=True,
        text=True,
    )
    assert full.returncode != 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_went_away_is_no_error(unbuffered: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m incident_tui --help | true', sys.executable],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_quick_end_waits_for_threads() -> None:
    code = (
        "import threading, time\n"
        "from incident_tui.cli.process import leave\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start(); leave(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a = ", "not valid TOML"),
        ('[journal]\nletter = "Q7"', "journal.letter"),
        ('[journal]\ndirektory = "x"', "did you mean directory?"),
        ("[[people]]\n", "people[0].name is missing"),
        ('[[people]]\nname = "a"\ntime_zone = "Mars/Olympus"', "people[0].time_zone"),
        ('[[people]]\nname = "a"\ntime_zone = "../zoneinfo/UTC"', "people[0].time_zone"),
    ],
)
def test_log_says_what_is_wrong_with_the_settings_it_needs(tmp_path: Path, text: str, part: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    words = ["--config", str(config), "--journal", str(tmp_path / "j"), "log", "x"]
    done = subprocess.run([sys.executable, "-m", "incident_tui", *words], capture_output=True, text=True)
    assert done.returncode == 2 and part in done.stderr and done.stderr.count("\n") == 1


def test_a_mistake_in_the_table_of_a_host_stops_nobody_from_logging(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[hosts]]\nname = "web1"\nprot = 22\n')
    words = ["--config", str(config), "--journal", str(tmp_path / "j")]
    done = subprocess.run([sys.executable, "-m", "incident_tui", *words, "log", "x"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a1\n")
    done = subprocess.run([sys.executable, "-m", "incident_tui", *words, "check"], capture_output=True, text=True)
    assert done.returncode == 2 and "did you mean port?" in done.stderr
