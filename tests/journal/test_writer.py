from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.errors import Full, JournalError, StaleEpoch
from incident_tui.journal.store import Store
from incident_tui.journal.writer import Writer, WriterStatus

MakeDraft = Callable[..., Draft]
Spawn = Callable[..., "subprocess.Popen[str]"]
FAST = (0.02, 0.05)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until `condition` holds; fails when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


def test_a_future_completes_when_it_is_committed(place: Path, draft: MakeDraft) -> None:
    writer = Writer(lambda: Store.open(place))
    futures = [writer.submit([draft(f"{n}")], f"k{n}") for n in range(20)]
    entries = [future.result(10)[0] for future in futures]
    assert [entry.seq for entry in entries] == list(range(1, 21))
    with Store.open(place) as store:
        assert store.read() == entries
    assert writer.close() == []
    status = writer.status
    assert status.problem == "" and status.waiting == 0 and status.saved_at is not None


def test_requests_that_can_never_succeed_carry_their_error(place: Path, draft: MakeDraft) -> None:
    writer = Writer(lambda: Store.open(place))
    naive = Draft(kind=Kind.NOTE, text="x", at=datetime(2026, 1, 1), author=Author("ana"))  # noqa: DTZ001
    with pytest.raises(StaleEpoch):
        writer.submit([draft("x")], "k", epoch=9).result(10)
    with pytest.raises(JournalError, match="cannot be stored"):
        writer.submit([naive], "k").result(10)
    with pytest.raises(JournalError, match="cannot be stored"):
        writer.submit([draft("x", data={"what": object()})], "k").result(10)
    assert writer.submit([draft("x")], "k").result(10)[0].seq == 1
    assert writer.close() == []
    with pytest.raises(JournalError, match="closing"):
        writer.submit([draft("late")], "k2").result(1)


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked")
sys.stdin.read()
"""


def test_a_lock_over_a_second_shows_its_holder_and_is_waited_out(place: Path, draft: MakeDraft, spawn: Spawn) -> None:
    Store.open(place).close()
    statuses: list[WriterStatus] = []
    writer = Writer(lambda: Store.open(place), on_status=statuses.append, retry_seconds=FAST)
    writer.submit([draft("first")], "k0").result(10)
    holder = spawn(HOLD, place / "journal.db")
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    future = writer.submit([draft("x")], "k")
    wait_for(lambda: f"journal locked by pid {holder.pid} (python" in writer.status.problem)
    assert writer.status.waiting == 1 and writer.status.since is not None and not future.done()
    holder.communicate("")
    assert future.result(10)[0].seq == 2
    wait_for(lambda: writer.status.problem == "")
    assert [bool(status.problem) for status in statuses][-1] is False
    assert any("locked" in status.problem for status in statuses)
    assert writer.close() == []


def test_a_deleted_directory_keeps_the_text_until_it_returns(place: Path, draft: MakeDraft) -> None:
    statuses: list[WriterStatus] = []
    writer = Writer(lambda: Store.open(place), on_status=statuses.append, retry_seconds=FAST)
    writer.submit([draft("one")], "k1").result(10)
    place.rename(place.with_name("away"))
    future = writer.submit([draft("two")], "k2")
    wait_for(lambda: sum("missing or was replaced" in status.problem for status in statuses) >= 4)
    assert not place.exists(), "a new, empty journal must not take the place of the lost one"
    Store.open(place).close()
    wait_for(lambda: "another journal" in writer.status.problem)
    assert not future.done() and writer.status.waiting == 1
    place.rename(place.with_name("impostor"))
    place.with_name("away").rename(place)
    assert future.result(10)[0].seq == 2
    assert writer.close() == []


def test_a_damaged_journal_keeps_the_text_until_it_is_mended(place: Path, draft: MakeDraft) -> None:
    place.mkdir()
    (place / "journal.db").write_bytes(b"garbage" * 1000)
    writer = Writer(lambda: Store.open(place), retry_seconds=FAST)
    wait_for(lambda: "not a journal" in writer.status.problem)
    future = writer.submit([draft("x")], "k")
    (place / "journal.db").unlink()
    assert future.result(10)[0].seq == 1
    writer.close()


class Hanging:
    """A store whose disk does not answer until it is let go."""

    def __init__(self, store: Store, gate: threading.Event) -> None:
        self._store = store
        self._gate = gate

    def __getattr__(self, name: str) -> object:
        if name == "append":
            self._gate.wait()
        return getattr(self._store, name)


def test_close_is_bounded_and_reports_what_was_not_saved(place: Path, draft: MakeDraft) -> None:
    gate = threading.Event()
    writer = Writer(lambda: Hanging(Store.open(place), gate))  # type: ignore[arg-type,return-value]
    futures = [writer.submit([draft(text)], text) for text in ("one", "two")]
    wait_for(lambda: "has not answered for" in writer.status.problem)
    began = time.monotonic()
    unsaved = writer.close(0.2)
    assert time.monotonic() - began < 2
    assert [item.drafts[0].text for item in unsaved] == ["one", "two"]
    assert all("did not answer" in item.problem for item in unsaved)
    for future in futures:
        with pytest.raises(JournalError, match="not saved"):
            future.result(1)
    gate.set()
    writer.close()
    with Store.open(place) as store:
        for item in unsaved:
            store.append(item.drafts, key=item.key)
        assert [entry.text for entry in store.read()] == ["one", "two"], "saving again doubled an entry"


def test_close_gives_what_waits_a_last_chance(place: Path, draft: MakeDraft) -> None:
    broken = threading.Event()
    broken.set()

    def open_store() -> Store:
        if broken.is_set():
            raise Full("no room left on the disk of /x.")
        return Store.open(place)

    writer = Writer(open_store, retry_seconds=(30, 30))
    future = writer.submit([draft("x")], "k")
    wait_for(lambda: "no room" in writer.status.problem)
    broken.clear()
    assert writer.close() == []
    assert future.result(0)[0].seq == 1


def test_a_status_callback_that_fails_does_not_stop_the_saving(place: Path, draft: MakeDraft) -> None:
    def explode(_: WriterStatus) -> None:
        raise RuntimeError("the screen is gone")

    writer = Writer(lambda: Store.open(place), on_status=explode)
    assert writer.submit([draft("x")], "k").result(10)[0].seq == 1
    assert writer.submit([draft("y")], "k2").result(10)[0].seq == 2
    writer.close()


def test_a_full_disk_keeps_the_text_and_saves_it_when_room_returns(small_disk: Path, draft: MakeDraft) -> None:
    place = small_disk / "journal"
    writer = Writer(lambda: Store.open(place), retry_seconds=FAST)
    assert writer.submit([draft("before")], "k0").result(10)[0].seq == 1
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file, pytest.raises(OSError):
        while True:
            os.write(file.fileno(), bytes(4096))
    futures = [writer.submit([draft(f"{n} " + "x" * 30_000)], f"k{n}") for n in range(1, 6)]
    wait_for(lambda: "no room left on the disk" in writer.status.problem)
    assert not futures[-1].done() and writer.status.waiting >= 1
    with Store.open(place, create=False) as reader:
        assert reader.read()[0].text == "before", "what is stored stays readable on a full disk"
    ballast.unlink()
    assert [future.result(10)[0].seq for future in futures] == [2, 3, 4, 5, 6]
    wait_for(lambda: writer.status.problem == "" and writer.status.waiting == 0)
    assert writer.close() == []
    with Store.open(place) as store:
        assert store.verify().ok and len(store.read()) == 6


def test_a_disk_mounted_read_only_keeps_the_text_too(small_disk: Path, draft: MakeDraft) -> None:
    place = small_disk / "journal"
    with Store.open(place) as store:
        store.append([draft("before")], key="k0")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with Store.open(place) as reader:
        assert [entry.text for entry in reader.read()] == ["before"], "a read-only journal can be exported"
        with pytest.raises(JournalError, match="mounted read-only"):
            reader.append([draft("x")], key="x")
    writer = Writer(lambda: Store.open(place), retry_seconds=FAST)
    wait_for(lambda: "mounted read-only" in writer.status.problem)
    future = writer.submit([draft("x")], "k")
    wait_for(lambda: writer.status.waiting == 1)
    unsaved_now = future.done()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert future.result(10)[0].seq == 2 and not unsaved_now
    assert writer.close() == []
