"""Entries carried between bastions in files: any order of sticks, what is missing is named, damage is refused whole;
and `replica`, which says how far each journal is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Kind
from tests.conftest import Program, Result
from tests.journal.several import Bastions, fold_of, spoken


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Bastions]:
    made = Bastions(tmp_path)
    made.write("a", Kind.DECLARE, "gv0", title="gv0", severity=2)
    for number in range(1, 6):
        made.write("b", Kind.NOTE, f"line {number}")
    yield made
    made.close()


class Sticks:
    """`export` and `import` of the two journals."""

    def __init__(self, program: Program, directory: Path) -> None:
        self.program = program
        self.directory = directory

    def run(self, letter: str, *words: str, check: int | None = 0) -> Result:
        return self.program(*words, "--journal", str(self.directory / letter), check=check)

    def take(self, letter: str, name: str, *words: str) -> Path:
        path = self.directory / name
        self.run(letter, "export", "--format", "journal", "-o", str(path), *words)
        return path

    def give(self, letter: str, path: Path, *words: str, check: int | None = 0) -> Result:
        return self.run(letter, "import", str(path), *words, check=check)


@pytest.fixture
def sticks(program: Program, tmp_path: Path) -> Sticks:
    return Sticks(program, tmp_path)


def test_a_stick_each_way_and_both_know_the_same(two: Bastions, sticks: Sticks) -> None:
    dry = sticks.give("a", sticks.take("b", "one"), "--dry-run")
    assert "b1 to b5; 5 of 5 are new" in dry.stdout and two["a"].others is None
    assert "5 of b came; 0 were here already" in sticks.give("a", sticks.directory / "one").stdout
    assert "nothing came; 5 were here already" in sticks.give("a", sticks.directory / "one").stdout
    assert "1 of a came" in sticks.give("b", sticks.take("a", "two")).stdout
    assert spoken(fold_of(two["a"])) == spoken(fold_of(two["b"]))
    assert "b1 to b5" in sticks.run("a", "export", "--format", "journal", "-o", str(sticks.directory / "three")).stdout


def test_what_is_missing_is_named_and_how_to_get_it(two: Bastions, sticks: Sticks) -> None:
    said = sticks.give("a", sticks.take("b", "late", "--since", "b4")).stdout
    assert "b1 to b3 are missing: on a bastion that has them, incident-tui export --format journal --since b1" in said
    status = sticks.run("a", "replica", check=1).stdout
    assert "b  0 of 5 entries, 2 wait for what is before them" in status and "missing: b1 to b3" in status
    assert "missing" not in sticks.give("a", sticks.take("b", "all")).stdout
    assert "b  5 entries, the last" in sticks.run("a", "replica", "status").stdout


def test_since_a_time_takes_what_was_recorded_then_of_every_journal(two: Bastions, sticks: Sticks) -> None:
    two.send("a", "b")
    said = sticks.run(
        "b", "export", "--format", "journal", "--since", "2026-11-23T03:00:04+00:00", "-o", str(sticks.directory / "x")
    ).stdout
    assert "b3 to b5;" in said and "a1" not in said
    none = sticks.run("b", "export", "--format", "journal", "--since", "2099-01-01", "-o", str(sticks.directory / "y"))
    assert "no entry" in none.stdout
    told = sticks.give("a", sticks.directory / "y").stdout
    assert "b1 to b5 are missing" in told, "an empty file still says how much there is"


@pytest.mark.parametrize("harm", ["cut", "altered", "first line", "other version"])
def test_a_damaged_file_is_refused_whole_in_one_sentence(two: Bastions, sticks: Sticks, harm: str) -> None:
    path = sticks.take("b", "stick")
    data = path.read_bytes()
    head, _, body = data.partition(b"\n")
    harmed = {
        "cut": data[:-20],
        "altered": data[:-30] + bytes([data[-30] ^ 1]) + data[-29:],
        "first line": head[:60] + b"\n" + body,
        "other version": data.replace(b"incident-tui records 1", b"incident-tui records 9"),
    }[harm]
    path.write_bytes(harmed)
    done = sticks.give("a", path, check=1)
    assert len(done.stderr.strip().splitlines()) == 1 and str(path) in done.stderr and not done.stdout
    assert two["a"].others is None or not two["a"].others.read()[0]


def test_a_journal_restored_from_an_older_copy_is_told_and_takes_back_its_own(two: Bastions, sticks: Sticks) -> None:
    import shutil

    two.close()
    shutil.copytree(sticks.directory / "b", sticks.directory / "c")
    sticks.run("b", "log", "after the copy")
    path = sticks.take("b", "newer")
    done = sticks.give("c", path, check=1)
    assert "b6 of this very journal, which ends at b5" in done.stderr
    assert "1 entry of this journal itself came back" in sticks.give("c", path, "--recover").stdout
    sticks.run("c", "verify")


def test_a_fork_is_refused_named_and_forgotten_on_a_persons_word(two: Bastions, sticks: Sticks) -> None:
    import shutil

    two.close()
    shutil.copytree(sticks.directory / "b", sticks.directory / "c")
    for letter in ("b", "c"):
        sticks.run(letter, "log", f"written in {letter}")
    sticks.give("a", sticks.take("b", "one"))
    assert "forked at b6" in sticks.give("a", sticks.take("c", "two"), check=1).stderr
    status = json.loads(sticks.run("a", "replica", "status", "--json", check=1).stdout)
    assert status["copies"][0]["forked_at"] == 6
    assert "--yes" in sticks.run("a", "replica", "forget", "b", check=2).stderr
    assert "6 entries dropped" in sticks.run("a", "replica", "forget", "b", "--yes").stdout
    assert "6 of b came" in sticks.give("a", sticks.directory / "two").stdout
    sticks.run("a", "replica")


def test_what_a_new_bastion_would_get_is_shown_before_it_has_a_journal(two: Bastions, sticks: Sticks) -> None:
    two.send("a", "b")
    dry = sticks.give("new", sticks.take("b", "one"), "--dry-run").stdout
    assert "a1, b1 to b5; 6 of 6 are new" in dry and not (sticks.directory / "new").exists()


def test_a_purge_goes_along(two: Bastions, sticks: Sticks) -> None:
    sticks.give("a", sticks.take("b", "one"))
    two["b"].purge(two["b"].read()[1].id, author=Author("ana"), reason="a password")
    path = sticks.take("b", "two")
    assert b"line 2" not in path.read_bytes()
    sticks.give("a", path)
    assert b"line 2" not in (sticks.directory / "a" / "others.db").read_bytes()
    assert "copy of b: 6 entries, 1 of them purged; the chain holds" in sticks.run("a", "verify").stdout


def test_heads_of_every_journal_here_can_be_checked(two: Bastions, sticks: Sticks) -> None:
    two.send("b", "a")
    head = two["b"].head()
    sticks.run("a", "verify", str(head), str(two["a"].head()))
    rewritten = f"{head.journal}:{head.seq}:{'ab' * 32}"
    assert (
        "copy of b, 5: entry 5 or one before it was rewritten" in sticks.run("a", "verify", rewritten, check=1).stdout
    )


def test_show_and_list_are_of_all_bastions(two: Bastions, sticks: Sticks) -> None:
    two.join()
    here, there = (json.loads(sticks.run(letter, "show", "--json").stdout) for letter in "ab")
    assert here == there and [one["handle"] for one in here["timeline"]] == ["a1", *(f"b{n}" for n in range(1, 6))]
    sticks.run("a", "log", "/amend b1 said better")
    assert "said better" in sticks.run("a", "show").stdout
    assert sticks.run("b", "log", "into the incident of a").returncode == 0
    assert json.loads(sticks.run("b", "show", "--json").stdout)["timeline"][-1]["text"] == "into the incident of a"


def test_check_says_what_copies_are_here_and_when_they_cannot_be_read(two: Bastions, sticks: Sticks) -> None:
    def said() -> tuple[bool, str]:
        rows = json.loads(sticks.run("a", "check", "--json", check=None).stdout)
        return next((one["ok"], one["sentence"]) for one in rows if one["what"] == "copies")

    two.send("b", "a")
    assert said() == (True, "entries of other bastions: b: 5")
    two.close()
    (sticks.directory / "a" / "others.db").write_bytes(b"no database" * 1000)
    assert said()[0] is False and "others.db" in said()[1]
    show = sticks.run("a", "show")
    assert "without the copies of other journals" in show.stderr and "gv0" in show.stdout
    assert "were not checked" in sticks.run("a", "verify", check=1).stdout
    assert sticks.run("a", "log", "saved all the same").stdout.startswith("a")


def test_wrong_words_are_told(two: Bastions, sticks: Sticks) -> None:
    assert "replica status" in sticks.run("a", "replica", "nonsense", check=2).stderr
    assert "no copy" in sticks.run("a", "replica", "forget", "z", check=2).stderr
    assert "of all incidents" in sticks.run("a", "export", "I1", "--format", "journal", check=2).stderr
