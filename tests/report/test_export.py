"""Reports in files and on standard output: whole or not at all, and never over somebody's work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.cli import main
from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.chain import Head
from incident_tui.journal.store import Store
from incident_tui.report.export import ExportError, Written, file_name, write_report
from incident_tui.report.markdown import render, untouched
from incident_tui.report.source import Source

AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture
def source(story: Any) -> Source:
    story.declare()
    made: Source = story.source()
    return made


def leftovers(directory: Path) -> list[str]:
    return [name for name in os.listdir(directory) if name.startswith(".")]


def test_written_as_rendered_and_again_over_itself(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    assert write_report(source, path, tmp_path) == Written(path)
    assert path.read_text(encoding="utf-8") == render(source)
    write_report(source, path, tmp_path, full=True)
    assert path.read_text(encoding="utf-8") == render(source, full=True)
    write_report(source, tmp_path / "r.json", tmp_path, form="json")
    write_report(source, tmp_path / "r.json", tmp_path, form="json")
    assert json.loads((tmp_path / "r.json").read_text())["format"] == "incident-tui report 1"
    assert leftovers(tmp_path) == []


def test_rights_follow_the_umask_and_the_old_file(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    before = os.umask(0o027)
    try:
        write_report(source, path, tmp_path)
        assert path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)
    path.chmod(0o600)
    write_report(source, path, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["# my notes\n", "\x00\x01", '{"format": "other"}'])
def test_never_over_another_file(content: str, source: Source, tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text(content)
    with pytest.raises(ExportError, match=r"is not a report of ours\. Name another file, such as .*notes-2\.md"):
        write_report(source, path, tmp_path)
    assert path.read_text() == content
    assert leftovers(tmp_path) == []


def test_what_people_wrote_in_a_report_is_kept(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    write_report(source, path, tmp_path)
    edited = path.read_text(encoding="utf-8").replace("_TODO (human):", "4,000 readers saw 502 pages. _TODO (human):")
    path.write_text(edited, encoding="utf-8")
    assert not untouched(edited)
    assert write_report(source, path, tmp_path).notes == ("what people wrote there was kept",)
    assert "4,000 readers saw 502 pages." in path.read_text(encoding="utf-8")
    edited = path.read_text(encoding="utf-8")
    with pytest.raises(ExportError, match="somebody has edited, and their text would be lost"):
        write_report(source, path, tmp_path, form="json")
    assert path.read_text(encoding="utf-8") == edited


def test_a_report_that_is_not_utf_8_any_more_is_left_alone(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    write_report(source, path, tmp_path)
    edited = path.read_bytes() + "Caf\u00e9\n".encode("latin-1")
    path.write_bytes(edited)
    with pytest.raises(ExportError, match="Save it as UTF-8"):
        write_report(source, path, tmp_path)
    assert path.read_bytes() == edited


def test_an_empty_file_may_be_filled(source: Source, tmp_path: Path) -> None:
    path = tmp_path / "r.md"
    path.touch()
    write_report(source, path, tmp_path)
    assert untouched(path.read_text(encoding="utf-8"))


def test_never_over_a_directory_or_a_device(source: Source, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"is a directory\. Name a file in it, such as .*INC-1\.md"):
        write_report(source, tmp_path, tmp_path)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(ExportError, match="is not an ordinary file"):
        write_report(source, fifo, tmp_path)


def test_one_sentence_when_it_cannot_be_written(source: Source, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"r\.md could not be written \(No such file or directory\)"):
        write_report(source, tmp_path / "gone" / "r.md", tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExportError, match=r"Not a directory"):
        write_report(source, tmp_path / "file" / "r.md", tmp_path)
    with pytest.raises(ExportError, match=r"could not be written \(File name too long\)"):
        write_report(source, tmp_path / ("n" * 300), tmp_path)
    with pytest.raises(ExportError, match="NUL"):
        write_report(source, tmp_path / "a\0b", tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ExportError, match=r"could not be written \(Too many levels of symbolic links\)"):
        write_report(source, tmp_path / "loop", tmp_path)


def test_a_failing_write_leaves_the_old_report(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.md"
    write_report(source, path, tmp_path)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="No space left on device"):
        write_report(source, path, tmp_path, full=True)
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_through_a_symbolic_link(source: Source, tmp_path: Path) -> None:
    (tmp_path / "wiki").mkdir()
    link = tmp_path / "r.md"
    link.symlink_to(tmp_path / "wiki" / "real.md")
    assert write_report(source, link, tmp_path).path == tmp_path / "wiki" / "real.md"
    assert link.is_symlink()


def test_a_name_by_itself(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, journal = tmp_path / "here", tmp_path / "journal"
    here.mkdir()
    journal.mkdir()
    monkeypatch.chdir(here)
    assert write_report(source, None, journal).path == here / "INC-1.md"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert write_report(source, None, journal).path == journal / "reports" / "INC-1.md"
    assert file_name("../../etc/passwd\x1b[31m", "json") == "etc-passwd-31m.json"
    assert file_name("") == "incident.md"


# -- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    directory = tmp_path / "journal"
    with Store.open(directory) as store:
        author = Author("ana", proven=True)
        store.append(
            [
                Draft(Kind.DECLARE, "gv0 split-brain", AT, author, "INC-20261123-k3f9", "cli", {"severity": 2}),
                Draft(Kind.ACTION, "restarted glusterd | web3", AT, author, "INC-20261123-k3f9", "cli"),
            ],
            key="1",
        )
    return directory


def test_command_prints_the_report_with_the_head_that_verifies(
    journal: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--journal", str(journal)]) == 0
    report = capfd.readouterr().out
    assert untouched(report)
    with Store.open(journal) as store:
        head = next(line for line in report.split("\n") if line.startswith("- Journal head: ")).split("`")[1]
        assert store.verify([Head.parse(head)]).ok
        fold = Fold()
        for entry in store.read():
            fold.apply(entry)
        assert store.head() == Head.parse(head)
    assert main(["export", "k3f9", "--full", "--journal", str(journal)]) == 0
    assert "## 20. Integrity note" in capfd.readouterr().out
    assert main(["export", "--format", "json", "--journal", str(journal)]) == 0
    assert len(json.loads(capfd.readouterr().out)["entries"]) == 2


def test_command_marks_a_demo(journal: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (journal / "DEMO").touch()
    assert main(["export", "--journal", str(journal)]) == 0
    assert "> **DEMO.**" in capfd.readouterr().out
    assert main(["export", "--format=json", "--journal", str(journal)]) == 0
    assert json.loads(capfd.readouterr().out)["demo"] is True


def test_command_writes_a_file(journal: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out.md"
    assert main(["export", "-o", str(path), "--journal", str(journal)]) == 0
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", f"wrote {path}\n")
    assert untouched(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-o", "{tmp}"], 1, "is a directory"),
        (["-o", "{tmp}/gone/r.md"], 1, "could not be written (No such file or directory)"),
        (["--format", "pdf"], 2, "--format pdf: write md, html, csv, json or journal"),
        (["-o", ""], 2, "--output needs the name of a file"),
        (["nothing"], 2, "is no incident here"),
    ],
)
def test_command_refuses_in_one_sentence(
    words: list[str], status: int, said: str, journal: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("{tmp}", str(tmp_path)) for word in words]
    assert main(["export", *words, "--journal", str(journal)]) == status
    captured = capfd.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1 and not captured.out


def test_command_without_a_journal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--journal", str(tmp_path / "none")]) == 1
    assert "there is no journal" in capfd.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("options", [[], ["--full"], ["--format", "json"]])
def test_command_imports_neither_the_screen_nor_asyncio(options: list[str], journal: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from incident_tui.cli import main; "
        "status = main(sys.argv[1:]); "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('textual', 'rich', 'asyncssh', 'aiohttp', 'asyncio')], file=sys.stderr); raise SystemExit(status)"
    )
    words = ["export", *options, "--journal", str(journal), "-o", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split("\n")[-2] == "[]"


def test_command_survives_a_reader_that_leaves(journal: Path) -> None:
    words = [sys.executable, "-m", "incident_tui", "export", "--journal", str(journal)]
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(write)
    assert done.returncode == 0
    assert done.stderr == b""


def test_reports_are_well_formed_from_a_real_journal(
    journal: Path, capfd: pytest.CaptureFixture[str], well_formed: Callable[[str], Any]
) -> None:
    assert main(["export", "--full", "--journal", str(journal)]) == 0
    parsed = well_formed(capfd.readouterr().out)
    assert any("restarted glusterd | web3" in row for table in parsed.tables for row in table)
