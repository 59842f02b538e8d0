"""What the README says of a new bastion and of one that is lost, with the commands that stand there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal.everything import START
from incident_tui.journal.store import Store
from incident_tui.replica.sync_settings import Sync
from tests.conftest import Program
from tests.replica.conftest import Bastion, write
from tests.replica.over_sshd import config, peer
from tests.sshd import Sshd


def texts(directory: str | Path) -> set[str]:
    with Store.open(directory, create=False) as store:
        return {one.text for one in store.read_all(START)[0]}


@pytest.fixture
def words(tmp_path: Path) -> Any:
    """`words("c", peer)`: the options of a bastion with this letter and [[sync]]; its journal may not be there yet."""

    def make(letter: str, *peers: Sync) -> tuple[str, ...]:
        file = tmp_path / f"{letter}.toml"
        file.write_text(config(*peers, letter=letter))
        return ("--config", str(file), "--journal", str(tmp_path / letter))

    return make


def test_a_new_bastion_has_everything_after_one_sync(
    bastion: Bastion, sshd: Sshd, program: Program, words: Any, tmp_path: Path
) -> None:
    a, b = bastion("a", 5), bastion("b", 4)
    program("sync", *words("a", peer(sshd, b.place.directory)))
    new = words("c", peer(sshd, a.place.directory, "bastion-1"))
    assert "got 9 (5 of a, 4 of b)" in program("sync", *new).stdout
    assert program("log", "here, too", *new).stdout.startswith("c1")
    program("sync", *new)
    assert texts(tmp_path / "c") == texts(a.place.directory)
    assert "the chain holds" in program("verify", *new).stdout
    program("replica", *new, check=None)


def test_of_a_lost_bastion_all_that_was_replicated_is_there_and_the_rest_is_named(
    bastion: Bastion, sshd: Sshd, program: Program, words: Any, tmp_path: Path
) -> None:
    a, b, c = bastion("a", 5), bastion("b", 4), bastion("c", 1)
    on_a = words("a", peer(sshd, b.place.directory))
    program("sync", *on_a)
    write(b, "late 1", "late 2")
    program("backup", str(tmp_path / "b.journal"), *words("b"))
    c.make_others().tell(b.journal, "b", b.head().seq, b.clock())  # c had just heard of them when b burned
    b.close()
    shutil.rmtree(tmp_path / "b")

    program("sync", *words("a", peer(sshd, c.place.directory, "bastion-3")), check=1)
    state = json.loads(program("replica", "--json", *words("a"), check=1).stdout)
    lost = next(one for one in state["copies"] if one["letter"] == "b")
    assert (lost["entries"], lost["told"], lost["missing"]) == (4, 6, [[5, 6]])
    assert "missing: b5 to b6" in program("replica", *words("a"), check=1).stdout

    new = words("d", peer(sshd, a.place.directory, "bastion-1"))
    assert "still missing: b5–b6" in program("sync", *new, check=1).stdout
    assert "b says 4" in texts(tmp_path / "d")

    file = str(tmp_path / "b.journal")
    assert "nothing was imported" in program("import", "--dry-run", file, *new).stdout
    assert "2 of b came; 4 were here already" in program("import", file, *new).stdout
    assert "nothing came" in program("import", file, *new).stdout
    assert {"late 1", "late 2"} <= texts(tmp_path / "d")
    assert "got 0" in program("sync", *new).stdout
    program("verify", *words("a"))
    assert {"late 1", "late 2"} <= texts(a.place.directory)


def test_a_backup_that_was_altered_or_is_of_this_journal_is_refused(
    bastion: Bastion, program: Program, words: Any, tmp_path: Path
) -> None:
    import sqlite3

    bastion("a", 5)
    bastion("b", 4)
    for letter in "ab":
        program("backup", str(tmp_path / f"{letter}.journal"), *words(letter))
    own = program("import", str(tmp_path / "a.journal"), *words("a"), check=1).stderr
    assert "backup of this very journal: incident-tui restore FILE" in own
    altered = sqlite3.connect(tmp_path / "b.journal")
    altered.execute("UPDATE entries SET body = replace(body, 'says', 'sais') WHERE seq = 2")
    altered.commit()
    altered.close()
    assert "does not pass its check" in program("import", str(tmp_path / "b.journal"), *words("a"), check=1).stderr
    assert "b says 1" not in texts(tmp_path / "a")
