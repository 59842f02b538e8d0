"""What several accounts share appears with its rights: another process may look for it at that very moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal.errors import NotThere
from incident_tui.journal.notify import Listener
from incident_tui.journal.place import make_directory, precreate
from incident_tui.journal.presence import Presence
from incident_tui.journal.umask import umask
from incident_tui.watch.asks import ask


def test_a_directory_is_not_there_before_it_is_setgid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, chmod, seen = tmp_path / "journal", os.chmod, []

    def looking(name: Any, mode: int) -> None:
        seen.append(path.exists())
        chmod(name, mode)

    monkeypatch.setattr(os, "chmod", looking)
    make_directory(str(path))
    assert seen == [False] and path.stat().st_mode & 0o7777 == 0o2770
    (path / "file").touch()
    make_directory(str(path))
    assert os.listdir(tmp_path) == ["journal"] and os.listdir(path) == ["file"]


def test_a_directory_that_another_process_made_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rename = tmp_path / "journal", os.rename

    def late(old: str, new: str) -> None:
        path.mkdir()
        (path / "file").touch()
        rename(old, new)

    monkeypatch.setattr(os, "rename", late)
    make_directory(str(path))
    assert os.listdir(tmp_path) == ["journal"] and os.listdir(path) == ["file"]


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()
    with pytest.raises(NotThere, match="is a file"):
        make_directory(str(tmp_path / "journal"))
    assert os.listdir(tmp_path) == ["journal"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_not_there_before_the_group_may_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    path, fchmod, seen = tmp_path / "journal.db", os.fchmod, []

    def looking(fd: int, mode: int) -> None:
        seen.append(path.exists())
        fchmod(fd, mode)

    def refused(old: str, new: str) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "fchmod", looking)
    if not links:
        monkeypatch.setattr(os, "link", refused)
    assert precreate(str(path)) and seen == [False]
    assert not links or path.stat().st_mode & 0o777 == 0o660
    path.write_text("kept")
    assert not precreate(str(path))
    assert os.listdir(tmp_path) == ["journal.db"] and path.read_text() == "kept"


@pytest.mark.parametrize(
    "first",
    [
        lambda place: Presence(place).enter("ana"),
        lambda place: Listener(place).close(),
        lambda place: ask(place, "web1", ""),
    ],
    ids=["presence", "listener", "ask"],
)
def test_whoever_comes_first_makes_the_journals_directory_with_its_rights(first: Any, tmp_path: Path) -> None:
    place = tmp_path / "journal"
    with umask(0o022):
        first(place)
    assert place.stat().st_mode & 0o7777 == 0o2770
