from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.journal.prompt import LineKeeper, forget_line, load_lines, save_line

Spawn = Callable[..., "subprocess.Popen[str]"]

TYPIST = """
import sys
from incident_tui.journal.prompt import save_line
for text in sys.argv[3:]:
    assert save_line(sys.argv[1], sys.argv[2], text)
print("typed")
sys.stdin.read()
"""


def test_a_line_survives_a_kill_and_comes_back_to_the_same_person(place: Path, spawn: Spawn) -> None:
    place.mkdir()
    screen = spawn(TYPIST, place, "ana", "res", "restarting gl", "restarting glusterd on wéb3")
    assert screen.stdout is not None and screen.stdout.readline() == "typed\n"
    assert load_lines(place, "ana") == [], "a living screen keeps its own line"
    screen.send_signal(signal.SIGKILL)
    screen.wait()
    assert load_lines(place, "bob") == []
    lines = load_lines(place, "ana")
    assert [line.text for line in lines] == ["restarting glusterd on wéb3"]
    assert load_lines(place, "ana") == lines, "it stays until it is forgotten"
    forget_line(lines[0])
    forget_line(lines[0])
    assert load_lines(place, "ana") == []


def test_a_sent_line_does_not_come_back(place: Path, spawn: Spawn) -> None:
    place.mkdir()
    screen = spawn(TYPIST, place, "ana", "hunter2", "")
    assert screen.stdout is not None and screen.stdout.readline() == "typed\n"
    assert all(b"hunter2" not in path.read_bytes() for path in (place / "lines").iterdir())
    screen.send_signal(signal.SIGKILL)
    screen.wait()
    assert load_lines(place, "ana") == []


def test_it_is_private(place: Path) -> None:
    place.mkdir()
    before = os.umask(0)
    try:
        keeper = LineKeeper(place, "../../etc/pass wd")
        keeper.save("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(keeper.path).st_mode) == 0o600
    assert stat.S_IMODE((place / "lines").stat().st_mode) == 0o3770
    assert os.path.dirname(keeper.path) == str(place / "lines")
    keeper.close()
    assert os.listdir(place / "lines") == []


def test_no_end_of_an_older_line_stays_behind(place: Path) -> None:
    place.mkdir()
    keeper = LineKeeper(place, "ana")
    for text in ("the password is hunter2", "the password is hunter2!", "the", "th"):
        assert keeper.save(text)
    assert b"hunter2" not in Path(keeper.path).read_bytes()
    keeper.close(keep=True)
    assert [line.text for line in load_lines(place, "ana")] == ["th"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_write_cut_by_a_kill_leaves_the_line_before_it(place: Path, cut: int) -> None:
    place.mkdir()
    keeper = LineKeeper(place, "ana")
    keeper.save("the first line")
    keeper.save("the second line")
    keeper.close(keep=True)
    with open(keeper.path, "r+b") as file:  # the second save went to slot 0: damage its record from `cut` on
        file.seek(cut)
        file.write(b"\0" * 64)
    expected = "the first line" if cut < 35 else "the second line"
    assert [line.text for line in load_lines(place, "ana")] == [expected]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(), min_size=1))
def test_what_was_typed_last_is_what_comes_back(tmp_path: Path, texts: list[str]) -> None:
    keeper = LineKeeper(tmp_path, "property")
    for text in texts:
        assert keeper.save(text)
    keeper.close(keep=True)
    lines = load_lines(tmp_path, "property")
    assert [line.text for line in lines] == ([texts[-1]] if texts[-1] else [])
    for line in lines:
        forget_line(line)


def test_where_it_cannot_be_kept_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("a file in the way")
    assert save_line(tmp_path, "ana", "x") is False
    assert load_lines(tmp_path, "ana") == []
    assert LineKeeper(tmp_path.parent, "ana").save("x" * (5 << 20)) is False
