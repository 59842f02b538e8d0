"""The lease: which process keeps the watch. One at a time, and a stopped one cannot do harm.

Three parts, because none is enough alone. A flock on `lease-<epoch>.lock` frees at once when its holder dies. The
heartbeat in that file, in CLOCK_BOOTTIME with the boot id and renewed only by completed rounds of work, shows a
holder that is stopped or hangs while its flock stays. The epoch in the journal decides: a taker raises it in the
transaction that stores its LEASE entry, and from then on an append with an older epoch is refused. Each epoch has a
file of its own, so that a stopped holder's flock stands in nobody's way.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.errors import JournalError, from_os
from incident_tui.journal.place import FILE_MODE, StrPath
from incident_tui.journal.store import Clock, Store, system_clock

STALE_SECONDS: Final = 10.0
"""A heartbeat older than this (seconds of CLOCK_BOOTTIME) may be taken over."""
_RECORD: Final = 512

BootClock = Callable[[], float]


def boot_clock() -> float:
    """Seconds since boot, time asleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The identity of this boot; times of `boot_clock` compare only within one."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lease."""

    pid: int
    epoch: int
    host: str
    age: float
    """Seconds of CLOCK_BOOTTIME since its last completed round."""
    fresh: bool
    """False when it may be taken over, because it is stopped or hangs."""


class _Beat(msgspec.Struct, frozen=True):
    pid: int
    epoch: int
    host: str
    boot: str
    at: float


class Lease:
    """The lease of the journal in `directory`. For the thread that uses `store`; children must not inherit it."""

    def __init__(
        self,
        directory: StrPath,
        store: Store,
        clock: Clock = system_clock,
        boot_clock: BootClock = boot_clock,
        *,
        stale_seconds: float = STALE_SECONDS,
        boot: str | None = None,
    ) -> None:
        self._directory = os.path.abspath(os.fspath(directory))
        self._store = store
        self._clock = clock
        self._boot_clock = boot_clock
        self._stale = stale_seconds
        self._boot = boot_id() if boot is None else boot
        self._fd = -1
        self._beat = 0.0
        self.epoch = 0
        """The epoch taken last; 0 before the first."""

    def take(self) -> int | None:
        """Take the lease when it is free, its holder is dead, or its heartbeat is stale; returns the new epoch.

        Returns None when a living holder has it, and the present epoch when this object holds it already. Raises
        JournalError when the journal cannot be written, because the epoch lives there.
        """
        if self.held:
            return self.epoch
        self._forget()
        current = self._store.epoch()
        if not self._is_free(current):
            return None
        temporary = f"{self._directory}/.lease-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise from_os(error, temporary) from None
        taken: int | None = None
        try:
            os.fchmod(fd, FILE_MODE)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            beat = self._write(fd, current + 1)

            def decide(epoch: int) -> Draft | None:
                # Under the journal's write lock: of several takers one gets here first, and the rest see its epoch.
                if epoch != current or not self._is_free(epoch):
                    return None
                os.rename(temporary, self._path(epoch + 1))
                return self._entry(epoch + 1)

            taken = self._store.bump_epoch(decide)
        except OSError as error:
            raise from_os(error, temporary) from None
        finally:
            if taken is None:
                os.close(fd)
                _unlink(temporary)
        if taken is None:
            return None
        self._fd, self._beat, self.epoch = fd, beat, taken
        self._tidy(taken)
        return taken

    def renew(self) -> bool:
        """Beat, after a completed round. False when the lease is lost; it must then be taken again."""
        if self._fd < 0:
            return False
        try:
            if self._store.epoch() != self.epoch:
                self._forget()
                return False
            self._beat = self._write(self._fd, self.epoch)
        except (OSError, JournalError):
            return self.held  # until the last beat is stale, nobody else can take it
        return True

    @property
    def held(self) -> bool:
        """Whether this process may act now. Cheap (one indexed read): check it before each send.

        True only while the own heartbeat is fresh and the journal's epoch is ours. After a stop or a hang it is False
        until `renew` has found that nobody took over.
        """
        if self._fd < 0 or self._boot_clock() - self._beat > self._stale:
            return False
        try:
            return self._store.epoch() == self.epoch
        except JournalError:
            return False

    def holder(self) -> Holder | None:
        """Who holds the lease, or None when nobody does or its holder is dead. Raises JournalError."""
        epoch = self._store.epoch()
        beat = self._look(epoch)
        if beat is None:
            return None
        age = self._age(beat)
        return Holder(beat.pid, epoch, beat.host, age, age <= self._stale)

    def release(self) -> None:
        """Give the lease back at once. Fine when it is not held."""
        self._forget()

    def _forget(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _path(self, epoch: int) -> str:
        return f"{self._directory}/lease-{epoch}.lock"

    def _is_free(self, epoch: int) -> bool:
        beat = self._look(epoch)
        return beat is None or self._age(beat) > self._stale

    def _age(self, beat: _Beat) -> float:
        return self._boot_clock() - beat.at if beat.boot == self._boot else float("inf")

    def _look(self, epoch: int) -> _Beat | None:
        """The heartbeat of the living holder of `epoch`; None when its flock is free."""
        try:
            fd = os.open(self._path(epoch), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise from_os(error, self._path(epoch)) from None
        try:
            # Shared, so that two who only look do not see each other.
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            return _read(fd, epoch)
        finally:
            os.close(fd)

    def _write(self, fd: int, epoch: int) -> float:
        now = self._boot_clock()
        beat = _Beat(os.getpid(), epoch, os.uname().nodename, self._boot, now)
        os.pwrite(fd, msgspec.json.encode(beat).ljust(_RECORD), 0)
        return now

    def _entry(self, epoch: int) -> Draft:
        node = os.uname().nodename
        data: dict[str, Any] = {"epoch": epoch, "host": node, "pid": os.getpid()}
        return Draft(
            kind=Kind.LEASE,
            text=f"watch taken by {node} pid {os.getpid()}",
            at=self._clock(),
            author=Author(name="watch", uid=os.getuid()),
            source="watch",
            data=data,
        )

    def _tidy(self, epoch: int) -> None:
        """Remove the files of earlier epochs; a stopped holder keeps its own open and notices by the journal."""
        try:
            names = os.listdir(self._directory)
        except OSError:
            return
        for name in names:
            number = name.removeprefix("lease-").removesuffix(".lock")
            if name == f"lease-{number}.lock" and number.isdigit() and int(number) < epoch:
                _unlink(f"{self._directory}/{name}")


def _read(fd: int, epoch: int) -> _Beat:
    """The record; read until two looks agree, because a beat may be written meanwhile."""
    before = b""
    for _ in range(20):
        raw = os.pread(fd, _RECORD, 0)
        if raw == before:
            break
        before = raw
    try:
        return msgspec.json.decode(before, type=_Beat)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Beat(0, epoch, "", "?", 0.0)  # held, but with a heartbeat nobody can read: stale


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
