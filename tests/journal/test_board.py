from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from incident_tui.journal.board import Board
from incident_tui.journal.errors import StaleEpoch


class Host(msgspec.Struct, frozen=True):
    name: str
    load: float = 0.0


class Other(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colour: str


NOW = datetime(2026, 11, 23, 3, 10, 0, 123456, tzinfo=UTC)


def _board(place: Path, boot: str = "this boot") -> Board:
    return Board.open(place, clock=lambda: NOW, boot_clock=lambda: 50.0, boot=boot)


def test_another_screen_sees_the_rows(place: Path) -> None:
    watch, screen = _board(place), _board(place)
    before = screen.data_version()
    watch.put({"host/web1": Host("web1", 1.5), "host/web2": Host("web2")}, epoch=1)
    assert screen.data_version() != before
    rows = screen.read()
    assert sorted(rows) == ["host/web1", "host/web2"]
    assert rows["host/web1"].at == NOW and rows["host/web1"].boot == 50.0 and rows["host/web1"].age(53.5) == 3.5
    assert screen.get("host/web1", Host) == Host("web1", 1.5)
    assert screen.get("host/web1", Other) is None and screen.get("host/none", Host) is None
    own = watch.data_version()
    watch.put({"host/web1": Host("web1", 2.5)}, epoch=1, drop=["host/web2"])
    assert watch.data_version() != own
    assert screen.get("host/web1", Host) == Host("web1", 2.5) and len(screen.read()) == 1
    assert watch.problem == screen.problem == ""
    watch.close()
    screen.close()


def test_modes_and_settings(place: Path) -> None:
    before = os.umask(0o077)
    try:
        board = _board(place)
        board.put({"x": Host("x")}, epoch=1)
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((place / name).stat().st_mode) for name in os.listdir(place)}
    assert modes == {"board.db": 0o660, "board.db-wal": 0o660, "board.db-shm": 0o660}
    board.close()


def test_a_stale_holder_is_refused(place: Path) -> None:
    old, new = _board(place), _board(place)
    old.put({"x": Host("old")}, epoch=1)
    new.put({"x": Host("new")}, epoch=2)
    with pytest.raises(StaleEpoch, match="epoch 2"):
        old.put({"x": Host("late")}, epoch=1)
    assert new.get("x", Host) == old.get("x", Host) == Host("new")


def test_details_are_read_one_by_one_and_are_no_rows(place: Path) -> None:
    watch, screen = _board(place), _board(place)
    watch.put({"x": Host("x")}, epoch=1, details={"raw/web1": Host("web1", 1.5), "raw/web2": Host("web2")})
    assert list(screen.read()) == ["x"]
    assert screen.detail("raw/web1", Host) == Host("web1", 1.5)
    assert screen.detail("raw/web1", Other) is None and screen.detail("raw/none", Host) is None
    assert set(screen.details("raw/", Host)) == {"raw/web1", "raw/web2"} and screen.details("history/", Host) == {}
    watch.put({}, epoch=1, drop=["raw/web2"], details={"raw/web1": Host("web1", 9)})
    assert screen.details("", Host) == {"raw/web1": Host("web1", 9)}
    watch.close()
    assert screen.detail("raw/web1", Host) == Host("web1", 9)
    screen.close()


def test_details_that_cannot_be_written_are_lost_quietly(place: Path) -> None:
    board = _board(place)
    place.rename(place.with_name("away"))
    board.put({"x": Host("x")}, epoch=1, details={"raw/x": Host("x")})
    assert board.detail("raw/x", Host) is None and "missing" in board.problem
    place.with_name("away").rename(place)
    board.put({}, epoch=1, details={"raw/x": Host("y")})
    assert board.problem == "" and board.detail("raw/x", Host) == Host("y")
    board.close()


def test_rows_of_an_earlier_boot_are_gone(place: Path) -> None:
    first = _board(place)
    first.put({"x": Host("x")}, epoch=1)
    first.close()
    again = _board(place)
    assert again.get("x", Host) == Host("x")
    again.close()
    assert _board(place, "next boot").read() == {}


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_board_is_made_anew(place: Path, content: bytes) -> None:
    place.mkdir()
    (place / "board.db").write_bytes(content)
    board = _board(place)
    board.put({"x": Host("x")}, epoch=1)
    assert board.problem == "" and _board(place).get("x", Host) == Host("x")


def test_a_deleted_board_is_followed(place: Path) -> None:
    watch, screen = _board(place), _board(place)
    watch.put({"x": Host("x")}, epoch=1)
    assert screen.get("x", Host) == Host("x")
    for name in os.listdir(place):
        if name.startswith("board.db"):
            (place / name).unlink()
    watch.put({"y": Host("y")}, epoch=1)
    assert screen.get("y", Host) == Host("y")


def test_a_full_disk_keeps_it_in_memory_and_writes_all_later(small_disk: Path) -> None:
    place = small_disk / "journal"
    watch = _board(place)
    watch.put({"a": Host("a"), "gone": Host("gone")}, epoch=1)
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file, pytest.raises(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    for number in range(40):
        watch.put({f"b{number}": Host("b" * 4000)}, epoch=1, drop=["gone"])
    assert "in this process only" in watch.problem and "no room" in watch.problem
    assert len(watch.read()) == 41 and "gone" not in watch.read()
    ballast.unlink()
    watch.put({"c": Host("c")}, epoch=1)
    assert watch.problem == ""
    screen = _board(place)
    assert len(screen.read()) == 42 and "gone" not in screen.read()
    watch.close()
    screen.close()


def test_a_directory_that_vanishes_is_a_problem_and_no_error(place: Path) -> None:
    board = _board(place)
    place.rename(place.with_name("away"))
    board.put({"x": Host("x")}, epoch=1)
    assert "missing" in board.problem and board.get("x", Host) == Host("x")
    assert board.data_version() > 0
    place.with_name("away").rename(place)
    board.put({}, epoch=1)
    assert board.problem == "" and _board(place).get("x", Host) == Host("x")


def test_times_keep_their_microseconds(place: Path) -> None:
    for micro in (0, 1, 999_999):
        at = NOW + timedelta(microseconds=micro)
        board = Board.open(place, clock=lambda at=at: at, boot="b")  # type: ignore[misc]
        board.put({"x": Host("x")}, epoch=1)
        assert board.read()["x"].at == at
        board.close()
