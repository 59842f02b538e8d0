"""The spool: alerts that commands on this machine hand in, as files in DIR/spool. Works when no watch runs.

`incident-tui notify` puts, the watch takes: a file goes when what is in it has been saved. Imports no asyncio.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.words import time_of
from incident_tui.journal import notify
from incident_tui.journal.errors import JournalError, from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_folder, open_place
from incident_tui.text import sanitise
from incident_tui.watch.alerts.alert import Alert, FormError, fields
from incident_tui.watch.alerts.forms import decode, generic

MOST: Final = 10_000
"""Files that wait; more are refused, so that a loop elsewhere cannot fill the disk."""
_BYTES: Final = 65_536
_AT_ONCE: Final = 200


class Spooled(msgspec.Struct, frozen=True):
    """A file of the spool, read. `alert` None: it is of no use, and `problem` says why."""

    path: str
    alert: Alert | None
    problem: str = ""


def put(directory: StrPath, source: str, told: Mapping[str, Any], now: datetime) -> None:
    """Hand in one alert in the generic form. Raises FormError for what is none, JournalError when it cannot be kept."""
    generic(dict(told), source, now)
    body = msgspec.json.encode({"source": source, "spooled": now.isoformat(), "alert": dict(told)})
    if len(body) > _BYTES:
        raise FormError(f"it is longer than {_BYTES} bytes")
    folder = os.path.join(open_place(directory).directory, "spool")
    name = f"{int(now.timestamp() * 1e6):020d}-{secrets.token_hex(6)}"
    path, made = os.path.join(folder, f".{name}"), False
    try:
        make_folder(folder)
        if sum(1 for _ in os.scandir(folder)) >= MOST:
            raise JournalError(f"{folder} holds {MOST} alerts that no watch has taken. Start incident-tui watch.")
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        made = True
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, FILE_MODE)  # the watch may be another account of the group, whatever the umask here
            file.write(body)
            file.flush()
            os.fsync(handle)
        os.rename(path, os.path.join(folder, f"{name}.json"))
        made = False
    except OSError as error:
        raise from_os(error, path) from None
    finally:
        if made:
            with contextlib.suppress(OSError):
                os.unlink(path)
    notify.ring(directory)


def waiting(directory: StrPath) -> list[Spooled]:
    """What was handed in, oldest first; so many at a time. Never raises."""
    folder = os.path.join(os.fspath(directory), "spool")
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json") and name[0] != ".")
    except OSError:
        return []
    return [_read(os.path.join(folder, name)) for name in names[:_AT_ONCE]]


def _read(path: str) -> Spooled:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            told = fields(decode(file.read(_BYTES + 1)), "the file")
    except OSError as error:
        return Spooled(path, None, f"cannot be read ({error.strerror})")
    except FormError as error:
        return Spooled(path, None, error.sentence)
    source = sanitise(str(told.get("source") or "notify"), limit=60)
    try:
        when = time_of(told.get("spooled"))
        if when is None:
            raise FormError("it does not say when it was handed in")
        (alert,) = generic([told.get("alert")], source, when)
    except FormError as error:
        return Spooled(path, None, error.sentence)
    return Spooled(path, alert)


def done(spooled: Spooled) -> None:
    """It is saved, or of no use: the file goes. Never raises."""
    with contextlib.suppress(OSError):
        os.unlink(spooled.path)
