from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_tui.incident.entry import Draft, Kind
from incident_tui.journal.errors import StaleEpoch
from incident_tui.journal.lease import STALE_SECONDS, Lease
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
Spawn = Callable[..., "subprocess.Popen[str]"]


class Boot:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def boot() -> Boot:
    return Boot()


def test_taking_writes_the_epoch_into_the_journal(store: Store, boot: Boot) -> None:
    lease = Lease(store.place.directory, store, boot_clock=boot)
    assert lease.holder() is None and not lease.held and not lease.renew()
    assert lease.take() == 1 == store.epoch() == lease.take()
    entry = store.read()[0]
    assert entry.kind is Kind.LEASE
    assert entry.data == {"epoch": 1, "host": os.uname().nodename, "pid": os.getpid()}
    holder = lease.holder()
    assert holder is not None and (holder.pid, holder.epoch, holder.age, holder.fresh) == (os.getpid(), 1, 0.0, True)
    assert lease.held
    lease.release()
    assert not lease.held and lease.holder() is None
    assert lease.take() == 2
    names = [name for name in os.listdir(store.place.directory) if "lease" in name]
    assert names == ["lease-2.lock"]
    assert stat.S_IMODE(os.stat(store.place.directory + "/lease-2.lock").st_mode) == 0o660


def test_a_living_holder_keeps_it_while_it_beats(store: Store, boot: Boot) -> None:
    mine = Lease(store.place.directory, store, boot_clock=boot)
    other = Lease(store.place.directory, store, boot_clock=boot)
    assert mine.take() == 1
    for _ in range(10):
        boot.now += STALE_SECONDS - 1
        assert other.take() is None
        assert mine.renew() and mine.held
    boot.now += STALE_SECONDS
    assert other.take() is None


def test_a_stale_heartbeat_loses_it_though_the_flock_is_held(store: Store, boot: Boot, draft: MakeDraft) -> None:
    mine = Lease(store.place.directory, store, boot_clock=boot)
    other = Lease(store.place.directory, store, boot_clock=boot)
    assert mine.take() == 1
    boot.now += STALE_SECONDS + 0.1
    assert not mine.held, "a process that stood still must not act before it has looked"
    holder = other.holder()
    assert holder is not None and not holder.fresh and holder.age > STALE_SECONDS
    assert other.take() == 2
    assert not mine.renew() and not mine.held
    with pytest.raises(StaleEpoch):
        store.append([draft("from the past")], key="k", epoch=1)
    assert other.held and mine.take() is None


def test_a_holder_that_slept_and_was_not_replaced_goes_on(store: Store, boot: Boot) -> None:
    mine = Lease(store.place.directory, store, boot_clock=boot)
    assert mine.take() == 1
    boot.now += 3600
    assert not mine.held
    assert mine.renew() and mine.held and store.epoch() == 1


def test_a_heartbeat_of_another_boot_is_stale(store: Store, boot: Boot) -> None:
    before = Lease(store.place.directory, store, boot_clock=boot, boot="boot one")
    assert before.take() == 1
    assert Lease(store.place.directory, store, boot_clock=boot, boot="boot two").take() == 2


def test_a_crash_between_file_and_commit_leaves_it_free(store: Store, boot: Boot) -> None:
    Path(store.place.directory, "lease-1.lock").write_text("left behind by a taker that died before its commit")
    assert Lease(store.place.directory, store, boot_clock=boot).take() == 1


def test_of_several_takers_one_wins(place: Path, boot: Boot, store: Store) -> None:
    """The second taker looked before the first one committed: the journal's lock decides."""
    first = Lease(place, store, boot_clock=boot)
    with Store.open(place) as other_store:
        second = Lease(place, other_store, boot_clock=boot)
        real = other_store.bump_epoch

        def slow(decide: Callable[[int], Draft | None]) -> int | None:
            assert first.take() == 1
            return real(decide)

        other_store.bump_epoch = slow  # type: ignore[method-assign]
        assert second.take() is None
    assert first.held
    assert [name for name in os.listdir(place) if "lease" in name] == ["lease-1.lock"]


HOLDER = """
import sys, time
from incident_tui.journal.lease import Lease
from incident_tui.journal.store import Store
from incident_tui.journal.errors import StaleEpoch
from incident_tui.incident.entry import *
from datetime import datetime, UTC
store = Store.open(sys.argv[1])
lease = Lease(sys.argv[1], store)
print(lease.take())
number = 0
while lease.held and lease.renew():
    time.sleep(0.05)
print("lost")
draft = Draft(kind=Kind.NOTE, text="late", at=datetime.now(UTC), author=Author("watch"))
try:
    store.append([draft], key="late", epoch=lease.epoch)
except StaleEpoch as error:
    print("refused")
print(lease.take())
"""


def _take_within(lease: Lease, seconds: float) -> float:
    began = time.monotonic()
    while lease.take() is None:
        assert time.monotonic() - began < seconds, "the lease did not move"
        time.sleep(0.05)
    return time.monotonic() - began


def test_kill_frees_it_at_once(place: Path, store: Store, spawn: Spawn) -> None:
    holder = spawn(HOLDER, place)
    assert holder.stdout is not None and holder.stdout.readline() == "1\n"
    lease = Lease(place, store)
    assert lease.take() is None
    found = lease.holder()
    assert found is not None and found.pid == holder.pid and found.fresh
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert _take_within(lease, 1.0) < 1.0
    assert lease.epoch == 2


def test_a_stopped_holder_loses_it_within_15_s_and_does_no_harm_after(place: Path, store: Store, spawn: Spawn) -> None:
    holder = spawn(HOLDER, place)
    assert holder.stdout is not None and holder.stdout.readline() == "1\n"
    holder.send_signal(signal.SIGSTOP)
    lease = Lease(place, store)
    assert _take_within(lease, 15.0) > STALE_SECONDS - 1
    holder.send_signal(signal.SIGCONT)
    assert holder.stdout.readline() == "lost\n"
    assert holder.stdout.readline() == "refused\n"
    assert holder.stdout.readline() == "None\n"
    assert lease.renew() and lease.held
    assert [entry.kind for entry in store.read()] == [Kind.LEASE, Kind.LEASE]
