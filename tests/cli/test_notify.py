"""`incident-tui notify`: from a monitor's command to an entry, with and without a watch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Entry, Kind
from incident_tui.journal.store import Store
from incident_tui.watch.alerts.spool import waiting

Until = Callable[..., Any]


def alerts(journal: Path) -> list[Entry]:
    with Store.open(journal) as store:
        return [entry for entry in store.read() if entry.kind is Kind.ALERT]


def test_it_keeps_an_alert_that_the_next_watch_takes(program: Any, tmp_path: Path, until: Until) -> None:
    journal = tmp_path / "journal"
    words = ("--journal", str(journal))
    program("notify", *words, "cron", "backup of web1 failed", "--severity", "critical", "--labels", "host=web1,job=db")
    program("notify", *words, "--title", "UPS on battery", "--key", "ups", "--status", "firing")
    assert not (journal / "journal.db").exists()
    process = subprocess.Popen(
        [sys.executable, "-m", "incident_tui", "watch", "--service", *words], stdin=subprocess.DEVNULL
    )
    try:
        until(lambda: (journal / "journal.db").exists() and len(alerts(journal)) == 2)
        assert waiting(journal) == []
        program("notify", *words, "--title", "UPS on battery", "--key", "ups", "--status", "ok")
        until(lambda: len(alerts(journal)) == 3)
    finally:
        process.terminate()
        process.wait(20)
    first, second, over = alerts(journal)
    assert (first.data["from"], first.data["level"], first.data["labels"]) == (
        "cron",
        "crit",
        {"host": "web1", "job": "db"},
    )
    assert second.data["episode"] == over.data["episode"] and over.data["status"] == "resolved"
    assert program("verify", *words).returncode == 0


def test_nagios_and_icinga(program: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--journal", str(tmp_path / "journal"))
    for name, value in {"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "web2", "HOSTSTATE": "DOWN"}.items():
        monkeypatch.setenv(f"NAGIOS_{name}", value)
    monkeypatch.setenv("NAGIOS_HOSTOUTPUT", "CRITICAL - $(touch /tmp/x); [red]\x1b[2J")
    program("notify", "nagios", *words)
    options = ("-l", "web2", "-t", "RECOVERY", "-s", "OK", "-o", "--title of it; -l", "-e", "http", "-c", "", "-b", "")
    program("notify", *words, "icinga", "--", *options)
    first, second = (one.alert for one in waiting(tmp_path / "journal"))
    assert first is not None and second is not None
    assert (first.title, first.text) == ("web2 DOWN", "CRITICAL - $(touch /tmp/x); [red]")
    assert (second.key, second.status, second.text) == ("web2!http", "resolved", "--title of it; -l")


def test_standard_input(program: Any, tmp_path: Path) -> None:
    words = ("--journal", str(tmp_path / "journal"))
    program("notify", "--stdin", "script", *words, text='{"title": "disk", "severity": "warning", "key": "d"}')
    program("notify", "--stdin", "script", *words, "--status", "ok", text='{"title": "disk", "key": "d"}')
    assert [one.alert and one.alert.status for one in waiting(tmp_path / "journal")] == ["firing", "resolved"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "say what it is"),
        (("nagios",), "NAGIOS_NOTIFICATIONTYPE"),
        (("icinga", "--", "-z", "1"), "no option of Icinga"),
        (("a/b", "x"), "use one word"),
        (("cron", "x", "--status", "purple"), "firing or resolved"),
        (("cron", "--stdin"), "no JSON"),
    ],
)
def test_what_is_no_alert_is_one_sentence(program: Any, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    done = program("notify", *words, "--journal", str(tmp_path / "journal"), check=2, text="nonsense")
    assert sentence in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""
    assert waiting(tmp_path / "journal") == []


def test_a_place_that_cannot_be_written_is_one_sentence(program: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = program("notify", "cron", "x", "--journal", str(tmp_path / "file" / "journal"), check=1)
    assert done.stderr.count("\n") == 1


def test_a_broken_table_of_hosts_stops_no_alert(program: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[hosts]]\nname = "web1"\nnosuch = 1\n')
    program("notify", "cron", "x", "--journal", str(tmp_path / "journal"), "--config", str(config))
    assert len(waiting(tmp_path / "journal")) == 1 and os.listdir(tmp_path / "journal") == ["spool"]
