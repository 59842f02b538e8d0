"""The bell: each reader has a datagram socket in DIR/notify, and whoever commits rings them all.

A ring carries nothing and may be lost (a full queue is ignored): readers also look at `data_version` about once a
second. Sockets are 0660; the socket of a dead reader refuses and is removed by the next ring.
"""

from __future__ import annotations

import os
from typing import Final

from incident_tui.journal.errors import from_os
from incident_tui.journal.place import FILE_MODE, StrPath, make_folder

BURST: Final = 0.005
"""Seconds that whoever works at each ring waits first: it does not compete with the append that rang, and what follows
at once goes along."""
_LONGEST: Final = 107  # bytes of sun_path without its NUL


def ring(directory: StrPath) -> int:
    """Wake every listener of the journal in `directory`; never blocks, never raises. Returns how many were woken."""
    folder = os.fspath(directory) + "/notify"
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".sock")]
    except OSError:
        return 0
    if not names:
        return 0
    import socket

    woken = 0
    fd = -1
    try:
        bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    except OSError:
        return 0
    try:
        for name in names:
            path = f"{folder}/{name}"
            address = path
            if len(os.fsencode(path)) > _LONGEST:
                if fd < 0:
                    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                address = f"/proc/self/fd/{fd}/{name}"
            try:
                bell.sendto(b"!", address)
                woken += 1
            except ConnectionRefusedError:
                _remove(path)
            except OSError:
                continue  # EAGAIN: it has rings waiting already; EACCES, ENOENT: not ours, or gone
    except OSError:
        pass
    finally:
        bell.close()
        if fd >= 0:
            os.close(fd)
    return woken


class Listener:
    """The socket of one reader. `fileno()` becomes readable when somebody has committed; then `drain()` and read."""

    def __init__(self, directory: StrPath) -> None:
        """Raises JournalError (ReadOnly, Full, NotThere): the reader then lives by its poll alone."""
        import socket

        folder = os.fspath(directory) + "/notify"
        make_folder(folder)
        name = f"{os.getpid()}-{os.urandom(4).hex()}.sock"
        self.path = f"{folder}/{name}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        fd = -1
        try:
            address = self.path
            if len(os.fsencode(address)) > _LONGEST:
                fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
                address = f"/proc/self/fd/{fd}/{name}"
            self._socket.bind(address)
            os.chmod(self.path, FILE_MODE)
        except OSError as error:
            self._socket.close()
            raise from_os(error, self.path) from None
        finally:
            if fd >= 0:
                os.close(fd)

    def fileno(self) -> int:
        return self._socket.fileno()

    def drain(self) -> int:
        """Take all rings that wait and return their number; never blocks."""
        count = 0
        try:
            while True:
                self._socket.recv(16)
                count += 1
        except OSError:
            return count

    def close(self) -> None:
        self._socket.close()
        _remove(self.path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
