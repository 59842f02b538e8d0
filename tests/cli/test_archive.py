"""`archive` as somebody runs it: what lists, counts and is to do is as before; show, export, import of the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.store import Store

Program = Any
OLD = datetime(2025, 3, 3, 3, 10, tzinfo=UTC)
ANA = Author("ana", uid=1000, account="ana")


class Past:
    """A journal with an old, closed incident (a0), one whose review was not done, and one of today."""

    def __init__(self, directory: Path, program: Program) -> None:
        self.journal = directory / "journal"
        self.file = directory / "old.json"
        self._program = program
        with Store.open(self.journal) as store:
            self.number = 0
            self.store = store
            self.incident("2025-03-03-gv0", OLD, closed=True)
            self.incident("2025-04-01-dns", OLD + timedelta(days=29), closed=True, without=2)
            self.incident("2026-11-28-now", datetime.now(UTC) - timedelta(hours=1), closed=False)

    def incident(self, name: str, at: datetime, *, closed: bool, without: int = 0) -> None:
        def write(kind: Kind, text: str, minutes: int, /, **data: Any) -> None:
            self.number += 1
            when = at + timedelta(minutes=minutes)
            who = Author("watch") if kind is Kind.OBSERVATION else ANA
            draft = Draft(kind, text, when, who, incident=name, source="cli", data=data)
            self.store.append([draft], key=f"k{self.number}")

        write(Kind.DECLARE, f"{name} is down", 0, title=f"{name} is down", severity=2)
        for minute in range(1, 12):
            finding = {"finding": "site.down", "subject": "response", "host": "web2", "level": "crit"}
            write(Kind.OBSERVATION, "response: answers 502", minute, **finding)
        write(Kind.NOTE, "the secret word is xyzzy", 12)
        write(Kind.MILESTONE, "", 1, name="started")
        write(Kind.MILESTONE, "", 2, name="detected")
        write(Kind.TASK, "look", 13, step="assigned", who="bob", minutes=5)
        write(Kind.UPDATE, "we are on it", 14, step="posted", audience="public")
        write(Kind.ACTION, "restarted web2", 15)
        write(Kind.FOLLOWUP, "more memory", 16, owner="ana", priority="p1")
        write(Kind.LESSON, "the alert was late", 17, sort="badly")
        write(Kind.STATUS, "", 20, status="resolved")
        if closed:
            write(Kind.MILESTONE, "", 21, name="closed", **({"without": without} if without else {}))

    def run(self, *words: str, check: int | None = 0) -> Any:
        return self._program("--journal", str(self.journal), "--as", "ana", *words, check=check)

    def totals(self) -> dict[str, Any]:
        found = {
            "list": json.loads(self.run("list", "--json").stdout),
            "stats": json.loads(self.run("stats", "--json").stdout),
            "follow-ups": json.loads(self.run("follow-ups", "--json", check=None).stdout),
            "digest": self.run("digest", "--week", "2025-W10").stdout,
        }
        for number in found["stats"]["numbers"]:  # of what still runs, the length grows while the test does
            number["points"] = [point for point in number["points"] if not point["incident"].startswith("2026")]
            for name in ("median", "least", "most"):
                del number[name]
        for item in found["follow-ups"]:
            del item["age_days"]
        return found


@pytest.fixture
def past(tmp_path: Path, program: Program) -> Past:
    return Past(tmp_path, program)


def test_what_is_counted_over_all_incidents_is_as_before(past: Past) -> None:
    before = past.totals()
    assert "response: 11 changes" in before["digest"] or "web2: 11 changes" in before["digest"]
    done = past.run("archive", str(past.file), "--closed-before", "365d")
    assert "13 entries leave" in done.stdout and "13 entries are in" in done.stdout
    assert "1 left, whose review is not done (--unreviewed)" in done.stderr
    assert "no room was given back: an incident is open" in done.stderr
    assert past.totals() == before
    verified = past.run("verify").stdout
    assert "13 in archive files; the chain holds" in verified
    shown = past.run("show", "2025-03-03-gv0").stdout
    assert "[in archive old.json]" in shown and "xyzzy" not in shown and "more memory" in shown
    report = past.run("export", "2025-03-03-gv0", "--full").stdout
    assert "13 with their text in an archive file" in report and "0 purged" in report
    told = past.run("export", "2025-03-03-gv0").stderr
    assert told == "incident-tui: most of 2025-03-03-gv0 is in an archive (old.json): --archive FILE\n"
    refused = past.run("log", "/amend a13 another word", check=1).stderr
    assert "is in the archive old.json: incident-tui import brings it back" in refused


def test_the_file_shows_and_reports_as_the_journal_did(past: Past) -> None:
    name = "2025-03-03-gv0"
    shown, report = past.run("show", name).stdout, past.run("export", name, "--full").stdout
    past.run("archive", str(past.file), name)
    assert past.run("show", name, "--archive", str(past.file)).stdout == shown
    again = past.run("export", name, "--full", "--archive", str(past.file)).stdout
    differ = [one for one in again.splitlines() if one not in report.splitlines()]
    assert all("incident-tui" in one or "head" in one or "Generated" in one for one in differ), differ
    assert "xyzzy" in past.run("export", "--format", "csv", "--archive", str(past.file)).stdout
    roles = past.run("export", "--roles", "--full", "--archive", str(past.file)).stdout
    assert "xyzzy" in roles and "| ana" not in roles and "| commander" in roles


def test_a_search_names_the_file_and_import_brings_all_back(past: Past) -> None:
    name = "2025-03-03-gv0"
    found = past.run("search", "xyzzy").stdout.count("xyzzy")
    past.run("archive", str(past.file), name)
    searched = past.run("search", "xyzzy")
    assert searched.stdout.count("xyzzy") == found - 1
    assert "13 entries are in archives, which are not searched: old.json" in searched.stderr
    assert "they fit" in past.run("import", str(past.file), "--dry-run").stdout
    assert past.run("import", str(past.file)).stdout.startswith("13 entries brought back")
    assert past.run("import", str(past.file)).stdout.startswith("0 entries brought back")
    searched = past.run("search", "xyzzy")
    assert (searched.stdout.count("xyzzy"), searched.stderr) == (found, "")
    assert "the chain holds" in past.run("verify").stdout


def test_a_purge_says_that_the_file_has_it_and_reaches_it(past: Past) -> None:
    past.run("archive", str(past.file), "2025-03-03-gv0")
    early = past.run("archive", str(past.file), "--purge", "a13", check=1)
    assert "order it first: incident-tui purge a13" in early.stderr and "xyzzy" in past.file.read_text()
    purged = past.run("purge", "a13", "a secret word")
    assert "old.json has it, too: incident-tui archive FILE --purge a13." in purged.stderr
    past.run("archive", str(past.file), "--purge", "a13")
    assert "xyzzy" not in past.file.read_text()
    assert past.run("import", str(past.file)).stdout.startswith("12 entries brought back")
    assert "1 of them purged; the chain holds" in past.run("verify").stdout
    assert "is not in" in past.run("archive", str(past.file), "--purge", "a999", check=2).stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("2026-11-28-now",), 1, "is open"),
        (("2025-04-01-dns",), 1, "the review of 2025-04-01-dns is not done; --unreviewed"),
        (("nothing-like-it",), 2, "no incident"),
        ((), 2, "archive which?"),
        (("2025-03-03-gv0", "--closed-before", "1y"), 2, "archive which?"),
        (("--closed-before", "a year"), 2, "write days, weeks or years"),
        (("--closed-before", "0d"), 2, "write days, weeks or years"),
        (("2025-03-03-gv0", "--purge", "a1"), 2, "takes nothing else"),
    ],
)
def test_what_is_refused_is_one_sentence(words: tuple[str, ...], status: int, said: str, past: Past) -> None:
    done = past.run("archive", str(past.file), *words, check=status)
    assert said in done.stderr and done.stderr.count("\n") == 1 and not past.file.exists()


def test_a_dry_run_changes_nothing(past: Past) -> None:
    done = past.run("archive", str(past.file), "--closed-before", "1y", "--unreviewed", "--dry-run")
    assert done.stdout.count("entries leave") == 2 and not past.file.exists()
    assert "nothing was archived" in past.run("archive", str(past.file), "--closed-before", "9y").stdout


def test_check_and_digest_say_what_is_due(past: Past, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[journal]\nkeep = "52w"\n')
    sentence = "2 incidents were closed more than 52w ago: incident-tui archive FILE --closed-before 52w"
    checked = past.run("--config", str(config), "check", check=None).stdout
    assert any(line.startswith("+ ok") and sentence in line for line in checked.splitlines())
    assert "2 incidents were closed more than 52w ago" in past.run("--config", str(config), "digest").stdout
    past.run("archive", str(past.file), "--closed-before", "52w", "--unreviewed")
    assert "retention" not in past.run("--config", str(config), "check", check=None).stdout
    config.write_text('[journal]\nkeep = "long"\n')
    refused = past.run("--config", str(config), "list", check=2)
    assert "journal.keep" in refused.stderr and "365d" in refused.stderr


def test_the_fold_and_a_file_that_is_none(past: Past, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    done = past.run("show", "--archive", str(bad), check=1)
    assert "is no archive of incidents" in done.stderr and done.stderr.count("\n") == 1
    with Store.open(past.journal) as store:
        fold = Fold()
        for entry in store.read():
            fold.apply(entry)
        assert len(fold.incidents()) == 3
