"""A TCP relay between a client and a server on loopback that a test can cut, hold, heal, or end after some bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Relay:
    """Listens on `port` and passes everything to `target`, both ways, while it may."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.passed = 0
        """Bytes that went through, both ways, since the last `limit`."""
        self._limit: int | None = None
        self._open = True
        self._goes = threading.Event()
        self._goes.set()
        self._lock = threading.Lock()
        self._pairs: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._listener.close()
        self._goes.set()

    def cut(self) -> None:
        """Every connection is gone, and no new one is passed on."""
        with self._lock:
            self._open = False
            self._drop()

    def heal(self) -> None:
        with self._lock:
            self._open, self._limit = True, None

    def limit(self, count: int) -> None:
        """Cut after so many bytes more."""
        with self._lock:
            self.passed, self._limit, self._open = 0, count, True

    def hold(self) -> None:
        """Nothing goes through, and nobody is told."""
        self._goes.clear()

    def go_on(self) -> None:
        self._goes.set()

    def _drop(self) -> None:
        for one in self._pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def _accept(self) -> None:
        while True:
            try:
                here = self._listener.accept()[0]
            except OSError:
                return
            with self._lock:
                if not self._open:
                    here.close()
                    continue
                try:
                    there = socket.create_connection(("127.0.0.1", self.target), 5)
                except OSError:
                    here.close()
                    continue
                there.settimeout(None)
                self._pairs += [here, there]
            for source, target in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                self._goes.wait()
                with self._lock:
                    left = len(data) if self._limit is None else max(0, self._limit - self.passed)
                    self.passed += min(left, len(data))
                    over = left < len(data)
                    if over:
                        self._open = False
                target.sendall(data[:left])
                if over:
                    break
        with self._lock:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
