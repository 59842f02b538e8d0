from __future__ import annotations

import os
import select
import socket
import stat
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Draft
from incident_tui.journal.errors import JournalError
from incident_tui.journal.notify import Listener, ring
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(params=["short", "deep" * 40])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Also one whose socket paths are longer than a socket address can be."""
    path = tmp_path / str(request.param)
    path.mkdir()
    return path


def test_a_ring_wakes_every_listener(directory: Path) -> None:
    assert ring(directory) == 0
    first, second = Listener(directory), Listener(directory)
    assert select.select([first, second], [], [], 0)[0] == []
    assert ring(directory) == 2
    assert select.select([first, second], [], [], 1)[0] == [first, second]
    assert (first.drain(), first.drain(), second.drain()) == (1, 0, 1)
    first.close()
    assert ring(directory) == 1
    second.close()
    assert os.listdir(directory / "notify") == []


def test_sockets_are_for_the_group(directory: Path) -> None:
    before = os.umask(0o077)
    try:
        listener = Listener(directory)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(listener.path).st_mode) == 0o660
    assert stat.S_IMODE((directory / "notify").stat().st_mode) == 0o2770
    listener.close()


def test_a_full_queue_does_not_block(directory: Path) -> None:
    listener = Listener(directory)
    for _ in range(2000):
        ring(directory)
    assert 0 < listener.drain() < 2000
    assert ring(directory) == 1
    listener.close()


def test_the_socket_of_a_dead_reader_is_removed(tmp_path: Path) -> None:
    (tmp_path / "notify").mkdir()
    dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = tmp_path / "notify" / "1-dead.sock"
    dead.bind(str(path))
    dead.close()
    assert ring(tmp_path) == 0
    assert not path.exists()


def test_a_listener_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notify").write_text("a file")
    with pytest.raises(JournalError, match="not a directory"):
        Listener(tmp_path)
    assert ring(tmp_path) == 0


READER = """
import select, sys, time
from incident_tui.journal.notify import Listener
from incident_tui.journal.store import Store
store = Store.open(sys.argv[1])
bell = Listener(sys.argv[1]) if sys.argv[2] == "bell" else None
version, seq = store.data_version(), 0
print("ready")
while seq < int(sys.argv[3]):
    if bell is None:
        time.sleep(0.25)
    else:
        select.select([bell], [], [], 0.25)
        bell.drain()
    if (now := store.data_version()) != version:
        version = now
        for entry in store.read(seq):
            seq = entry.seq
            print(entry.text, time.monotonic() - float(entry.text))
"""


@pytest.mark.parametrize(("how", "median", "count"), [("bell", 0.1, 20), ("poll", 1.0, 3)])
def test_another_process_sees_an_entry_soon(
    place: Path, draft: MakeDraft, spawn: Spawn, how: str, median: float, count: int
) -> None:
    """By the bell typically within 100 ms, and always within 1 s, also when every ring is lost."""
    with Store.open(place) as store:
        reader = spawn(READER, place, how, count)
        assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
        delays = []
        for number in range(count):
            text = repr(time.monotonic())
            store.append([draft(text)], key=str(number))
            seen, delay = reader.stdout.readline().split()
            assert seen == text
            delays.append(float(delay))
        assert max(delays) < 1.0
        assert statistics.median(delays) < median
