"""The thread that saves: it owns its own store, keeps what cannot be saved yet, and says so in words.

Nothing handed to `submit` is ever dropped: its future completes when it is committed, or carries the error of a
request that can never succeed, or `close` returns it as unsaved.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from datetime import datetime
from typing import Final

import msgspec

from incident_tui.incident.entry import Draft, Entry
from incident_tui.journal.errors import (
    Corrupt,
    FromTheFuture,
    JournalError,
    Locked,
    NetworkFilesystem,
    NotThere,
    not_there,
)
from incident_tui.journal.store import Clock, Store, system_clock

SLOW_SECONDS: Final = 1.0
"""An append that takes longer is shown as a problem while it lasts."""
RETRY_SECONDS: Final = (0.25, 5.0)
"""First and longest pause between two tries; it doubles."""
CLOSE_SECONDS: Final = 5.0

_MENDABLE: Final = (Corrupt, FromTheFuture, NetworkFilesystem, NotThere)
"""Not transient by themselves, but mended from outside while the screen is open: the drafts are kept."""


class WriterStatus(msgspec.Struct, frozen=True):
    """Whether entries are being saved. `problem` is empty when all is well, else one sentence."""

    saved_at: datetime | None = None
    """When the last commit returned."""
    problem: str = ""
    since: datetime | None = None
    """When the present problem began."""
    waiting: int = 0
    """Appends that are not saved yet."""


class Unsaved(msgspec.Struct, frozen=True):
    """What `close` could not save. Submitting it again with the same key is safe even if it was saved after all."""

    drafts: tuple[Draft, ...]
    key: str
    """Of drafts with keys of their own, the first one's."""
    epoch: int | None
    problem: str


class _Job:
    """One append; with `keys`, each draft has its own."""

    __slots__ = ("drafts", "epoch", "future", "key", "keys")

    def __init__(self, drafts: Sequence[Draft], key: str, epoch: int | None, keys: tuple[str, ...] = ()) -> None:
        self.drafts = tuple(drafts)
        self.key = key
        self.keys = keys
        self.epoch = epoch
        self.future: Future[list[Entry]] = Future()
        self.future.set_running_or_notify_cancel()  # from here on a cancelled awaiter cannot drop it


class Writer:
    """Saves drafts in the order they were submitted. Any thread may submit; callbacks run on the writer's thread."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        clock: Clock = system_clock,
        on_status: Callable[[WriterStatus], None] | None = None,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
    ) -> None:
        self._open_store = open_store
        self._clock = clock
        self._on_status = on_status
        self.on_saved: Callable[[Sequence[Entry]], None] = lambda entries: None
        """Called on the writer's thread with what it has just saved; it must return at once and never raise."""
        self._first_pause, self._longest_pause = retry_seconds
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._saved_at: datetime | None = None
        self._problem = ""
        self._since: datetime | None = None
        self._began: float | None = None
        self._closing = False
        self._hurry = False
        self._store: Store | None = None
        self._known: tuple[str, str] | None = None
        self._thread = threading.Thread(target=self._run, name="journal writer", daemon=True)
        self._thread.start()

    def submit(self, drafts: Sequence[Draft], key: str, epoch: int | None = None) -> Future[list[Entry]]:
        """Queue one append. The future completes with the entries when they are durable, or with a JournalError
        when this request can never succeed (StaleEpoch, no key, a draft that cannot be stored). It cannot be cancelled.
        """
        return self._submit(_Job(drafts, key, epoch))

    def submit_each(self, pairs: Sequence[tuple[Draft, str]], epoch: int | None = None) -> Future[list[Entry]]:
        """As `submit`, for drafts that each have a key (`Store.append_each`): one transaction, an entry for each."""
        keys = tuple(key for _, key in pairs)
        return self._submit(_Job([draft for draft, _ in pairs], keys[0] if keys else "", epoch, keys))

    def _submit(self, job: _Job) -> Future[list[Entry]]:
        with self._changed:
            if self._closing:
                job.future.set_exception(JournalError("not saved: the program is closing the journal."))
                return job.future
            self._jobs.append(job)
            self._changed.notify_all()
        return job.future

    def retry_now(self) -> None:
        """Try again at once what waits, instead of after the pause."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()

    @property
    def status(self) -> WriterStatus:
        """The state now; includes a disk that has not answered for over a second."""
        with self._changed:
            problem, since = self._problem, self._since
            began = self._began
            waiting = len(self._jobs)
        if not problem and began is not None:
            seconds = time.monotonic() - began
            if seconds > SLOW_SECONDS:
                problem = f"the disk of the journal has not answered for {seconds:.0f} s. What waits is kept."
        return WriterStatus(self._saved_at, problem, since, waiting)

    def close(self, timeout: float = CLOSE_SECONDS) -> list[Unsaved]:
        """Save what waits, for at most `timeout` seconds, and end the thread. Returns what was not saved."""
        with self._changed:
            self._closing = True
            self._hurry = True
            self._changed.notify_all()
        self._deadline = time.monotonic() + timeout
        self._thread.join(timeout)
        with self._changed:
            left = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
            problem = self._problem or "the disk of the journal did not answer in time."
        unsaved = [Unsaved(job.drafts, job.key, job.epoch, problem) for job in left]
        for job in left:
            _settle(job, JournalError(f"not saved: {problem}"))
        return unsaved

    def _run(self) -> None:
        pause = self._first_pause
        self._try_open()
        while True:
            with self._changed:
                while not self._jobs and not self._closing:
                    self._changed.wait()
                if not self._jobs:
                    break
                job = self._jobs[0]
                self._hurry = False
                self._began = time.monotonic()
            problem = self._try(job)
            with self._changed:
                self._began = None
                if problem is None:
                    if self._jobs and self._jobs[0] is job:
                        self._jobs.popleft()
                    self._note("")
                    pause = self._first_pause
                    continue
                self._note(problem)
                if self._closing and not self._jobs:
                    break
                self._changed.wait_for(
                    lambda: self._hurry or not self._jobs, min(pause, 0.1) if self._closing else pause
                )
                pause = min(pause * 2, self._longest_pause)
        if self._store is not None:
            self._store.close()

    def _try_open(self) -> None:
        """Open at once, so that a problem shows before the first line is typed."""
        try:
            problem = self._opened().read_only
            self._note(problem.sentence if problem is not None else "")
        except JournalError as error:
            self._note(error.sentence)
        except Exception as error:
            self._note(f"the journal cannot be opened: {error}")

    def _try(self, job: _Job) -> str | None:
        """Try one append: None when it is settled for good or ill, else the sentence that says why it waits."""
        try:
            store = self._opened()
            if job.keys:
                entries = store.append_each(list(zip(job.drafts, job.keys, strict=True)), epoch=job.epoch)
            else:
                entries = store.append(job.drafts, key=job.key, epoch=job.epoch)
        except JournalError as error:
            if error.transient or isinstance(error, _MENDABLE):
                if not isinstance(error, Locked):
                    self._drop_store()
                return error.sentence
            _settle(job, error)
            return None
        except Exception as error:  # a draft that cannot be encoded or has a naive time: refuse it, keep the thread
            _settle(job, JournalError(f"this entry cannot be stored: {error}."))
            return None
        self._saved_at = self._clock()
        _settle(job, entries)
        self.on_saved(entries)
        return None

    def _opened(self) -> Store:
        if self._store is None:
            # A deleted journal must not be replaced silently by a new, empty one.
            if self._known is not None and not os.path.exists(self._known[0]):
                raise not_there(self._known[0])
            store = self._open_store()
            if self._known is not None and store.journal != self._known[1]:
                store.close()
                raise NotThere(
                    f"{self._known[0]} now holds another journal ({store.journal}) than this program began with "
                    f"({self._known[1]}). Put that one back; what waits is kept."
                )
            self._known = (store.path, store.journal)
            self._store = store
        return self._store

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _note(self, problem: str) -> None:
        with self._changed:
            if problem and not self._problem:
                self._since = self._clock()
            if not problem:
                self._since = None
            self._problem = problem
        if self._on_status is not None:
            try:
                self._on_status(self.status)
            except Exception:
                return  # a screen that is closing must not stop the saving


def _settle(job: _Job, outcome: list[Entry] | JournalError) -> None:
    try:
        if isinstance(outcome, JournalError):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)
    except InvalidStateError:
        return  # close() gave up on it while the disk hung
