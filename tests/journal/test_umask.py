"""Threads that open the journal at once leave the process its umask."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from incident_tui.journal.store import Store
from incident_tui.journal.umask import umask


def test_two_threads_take_turns() -> None:
    inside, go = threading.Event(), threading.Event()
    seen: list[int] = []
    before = os.umask(0o022)
    try:

        def first() -> None:
            with umask(0o007):
                inside.set()
                go.wait(10)

        def second() -> None:
            with umask(0o077) as was:
                seen.append(was)

        one, two = threading.Thread(target=first), threading.Thread(target=second)
        one.start()
        assert inside.wait(10)
        two.start()
        go.set()
        one.join(10)
        two.join(10)
        assert seen == [0o022] and os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_many_stores_opened_at_once_leave_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        Store.open(tmp_path / "journal").close()

        def opens() -> None:
            for _ in range(20):
                Store.open(tmp_path / "journal").close()

        threads = [threading.Thread(target=opens) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
