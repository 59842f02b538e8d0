"""What a command prints, in little room: the beginning, the end, how much, and the hash of all of it. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from incident_tui.text import LINE_LIMIT, decode, redact, sanitise

HEAD: Final = 4 * 1024
TAIL: Final = 12 * 1024
LINES: Final = 1_000
"""Lines that are shown while it runs."""
_KEY_END: Final = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


class Output:
    """Bytes of both streams in the order of their arrival."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()
        self._head = bytearray()
        self._tail = bytearray()

    def feed(self, data: bytes) -> None:
        self.count += len(data)
        self._hash.update(data)
        room = HEAD - len(self._head)
        self._head += data[: max(0, room)]
        self._tail += data[max(0, room) :][-TAIL:]
        del self._tail[:-TAIL]

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def text(self) -> str:
        """What is kept of it: whole lines, sanitised, without what looks like a secret."""
        head, tail = decode(bytes(self._head)), decode(bytes(self._tail))
        left_out = self.count - len(self._head) - len(self._tail)
        if left_out == 0:
            return redact(sanitise(head + tail, lines=True).strip("\n"))[0]
        head, tail = head.rpartition("\n")[0] or head, tail.partition("\n")[2] or tail
        ends = list(_KEY_END.finditer(tail))
        if ends and "-----BEGIN" not in head + tail[: ends[0].start()]:
            tail = tail[ends[0].end() :]  # a key whose beginning was not kept
        cut = f"[… the middle of {self.count} bytes was not kept …]"
        return redact(sanitise(f"{head}\n{cut}\n{tail}", lines=True).strip("\n"))[0]


class Lines:
    """The last lines, made safe for the terminal, as they come. A carriage return alone begins the line anew, as on a
    terminal, so that a progress bar is one line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dropped = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *whole, rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        if len(whole) > LINES:
            self.dropped += len(whole) - LINES
            whole = whole[-LINES:]
        self.lines += [_shown(line) for line in whole]
        if len(rest) > LINE_LIMIT:
            rest = rest[-LINE_LIMIT:]
        self._rest = rest
        if len(self.lines) > LINES:
            self.dropped += len(self.lines) - LINES
            del self.lines[:-LINES]

    def now(self) -> list[str]:
        """All lines that are kept, the unfinished one last."""
        return [*self.lines, _shown(self._rest)] if self._rest else list(self.lines)


def _shown(line: bytes) -> str:
    return sanitise(line.rstrip(b"\r").rpartition(b"\r")[2])
