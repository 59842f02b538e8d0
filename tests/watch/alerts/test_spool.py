"""Alerts that commands hand in: kept as files until the watch has saved them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal.errors import JournalError
from incident_tui.watch.alerts import spool
from incident_tui.watch.alerts.alert import FormError
from tests.watch.alerts.conftest import NOW


def test_what_was_put_is_taken_in_order_with_its_time_and_goes_when_done(tmp_path: Path) -> None:
    spool.put(tmp_path, "cron", {"title": "second", "key": "b"}, NOW + timedelta(seconds=1))
    spool.put(tmp_path, "nagios", {"title": "first", "text": "$(reboot)\n\x1b[31m"}, NOW)
    first, second = spool.waiting(tmp_path)
    assert first.alert is not None and second.alert is not None
    assert (first.alert.title, first.alert.source, first.alert.at) == ("first", "nagios", NOW)
    assert first.alert.text == "$(reboot)" and second.alert.key == "b"
    spool.done(first)
    assert [one.alert and one.alert.title for one in spool.waiting(tmp_path)] == ["second"]
    assert os.stat(second.path).st_mode & 0o777 == 0o660


def test_what_is_no_alert_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    for told in ({}, {"title": "x", "status": "purple"}, {"title": "x", "text": "y" * 99_000}):
        with pytest.raises(FormError):
            spool.put(tmp_path, "x", told, NOW)
    assert not (tmp_path / "spool").exists() or not list((tmp_path / "spool").iterdir())


def test_a_full_spool_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST", 2)
    for _ in range(2):
        spool.put(tmp_path, "x", {"title": "x"}, NOW)
    with pytest.raises(JournalError, match="Start incident-tui watch"):
        spool.put(tmp_path, "x", {"title": "x"}, NOW)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"alert": {"title": "x"}}', b"\xff" * 99, b"[" * 99_999])
def test_a_file_of_no_use_says_why_and_stops_nothing(tmp_path: Path, content: bytes) -> None:
    spool.put(tmp_path, "x", {"title": "good"}, NOW)
    (tmp_path / "spool" / "0.json").write_bytes(content)
    bad, good = spool.waiting(tmp_path)
    assert bad.alert is None and bad.problem and good.alert is not None


def test_nothing_but_plain_files_is_read(tmp_path: Path) -> None:
    folder: Any = tmp_path / "spool"
    folder.mkdir()
    (folder / "1.json").symlink_to("/etc/passwd")
    os.mkfifo(folder / "2.json")
    (folder / "3.json").mkdir()
    assert [one.alert for one in spool.waiting(tmp_path)] == [None, None, None]


def test_without_a_spool_nothing_waits(tmp_path: Path) -> None:
    assert spool.waiting(tmp_path) == []
