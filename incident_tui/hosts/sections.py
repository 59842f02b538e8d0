"""The framing between probe.sh and us: a stream of marked lines in, whole sections out.

Every control line starts with the marker, a random word the client chose for this channel, so nothing a container or a
file name prints can be taken for one:

    MARKER READY protocol mode [script]  the script runs; what came before is the login's chatter. `script`: it is the
                                         one installed on the host, and this is which
    MARKER ROUND id                      an answer begins
    MARKER SECTION name                  the output of one reading follows
    MARKER CHILD name pid                (before its section's output) the command now running
    MARKER END name rc centiseconds limit
    MARKER DONE id                       the answer is complete
    MARKER EVENTS state                  the follower of docker events: on, off, none

Lines outside any round are what the follower of docker events prints. A section counts only with its END.
"""

from __future__ import annotations

import re

import msgspec

from incident_tui import text

SECTION_LIMIT = 8 * 1024 * 1024
"""Bytes kept of one section; what comes after is dropped and the section is marked `cut`."""
CHATTER_LIMIT = 4096
PROTOCOL = "1"

_WORD = re.compile(rb"[A-Za-z0-9_.:/-]{1,200}\Z")


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One reading's raw output, the command's `rc`, how long it took, and the limit it was given (0: none)."""

    name: str
    body: str
    rc: int
    seconds: float = 0.0
    limit: float = 0.0
    cut: bool = False

    @property
    def timed_out(self) -> bool:
        """It was killed at its limit."""
        return self.limit > 0 and self.rc in (124, 137, 143) and self.seconds >= self.limit - 0.6


class Ready(msgspec.Struct, frozen=True):
    """The script runs. `chatter` is what the login printed before, sanitised and bounded."""

    version: str
    mode: str
    chatter: str
    installed: str = ""


class ChildStarted(msgspec.Struct, frozen=True):
    section: str
    pid: int


class RoundEnded(msgspec.Struct, frozen=True):
    """A whole answer. `sections` keep the order in which they came."""

    id: str
    sections: tuple[Section, ...]


class FollowerChanged(msgspec.Struct, frozen=True):
    """`state` is "on", "off" (it ended) or "none" (there is nothing to follow)."""

    state: str


class EventLine(msgspec.Struct, frozen=True):
    """A line outside any round, after READY: what the follower printed."""

    line: str


Message = Ready | ChildStarted | RoundEnded | FollowerChanged | EventLine | Section


class Framer:
    """Bytes in, messages out. Never raises on any input; memory is bounded.

    `feed` returns the messages completed by these bytes. A Section is returned as soon as its END came (the clock needs
    that) and again inside its RoundEnded.
    """

    def __init__(self, marker: str) -> None:
        self._mark = marker.encode() + b" "
        self._cut_at = b"\n" + self._mark
        self._buffer = bytearray()
        self._ready = False
        self._chatter = bytearray()
        self._round: bytes | None = None
        self._done: list[Section] = []
        self._name: bytes | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._cut = False

    @property
    def ready(self) -> bool:
        return self._ready

    @property
    def chatter(self) -> str:
        """What was printed before READY, so far."""
        said = self._chatter if self._ready else self._chatter + self._buffer[:CHATTER_LIMIT]
        return text.sanitise(bytes(said)).strip()

    def feed(self, data: bytes) -> list[Message]:
        buffer = self._buffer
        out: list[Message] = []
        if buffer or not data.endswith(b"\n"):
            buffer += data
            end = buffer.rfind(b"\n", len(buffer) - len(data))
            if end < 0:
                self._bound()
                return out
            data = bytes(buffer[: end + 1])
            del buffer[: end + 1]
        # Cut at the control lines, of which there are few; the lines between them are many.
        before, *marked = (b"\n" + data[:-1]).split(self._cut_at)
        if before:
            self._lines(before[1:], out)
        for piece in marked:
            line, more, lines = piece.partition(b"\n")
            self._control(line, out)
            if more:
                self._lines(lines, out)
        self._bound()
        return out

    def _bound(self) -> None:
        """A line without end is kept as far as a section may go."""
        if len(self._buffer) > SECTION_LIMIT:
            self._keep(bytes(self._buffer))
            self._buffer.clear()

    def _control(self, line: bytes, out: list[Message]) -> None:
        """A line that begins with the marker, without it. The kinds of each round come first."""
        kind, *args = line.split() or [b""]
        if not self._ready:
            if kind != b"READY":
                self._lines(self._mark + line, out)
                return
            self._ready = True
            words = [word.decode("utf-8", "replace") for word in (*args[:3], b"", b"", b"")]
            out.append(Ready(words[0], words[1], self.chatter, text.sanitise(words[2], limit=40)))
        elif kind == b"SECTION" and args and _WORD.match(args[0]):
            self._name, self._body, self._size, self._cut = args[0], [], 0, False
        elif kind == b"END" and self._name is not None and args and args[0] == self._name:
            section = self._close(args[1:])
            self._done.append(section)
            out.append(section)
        elif kind == b"ROUND" and args:
            self._round, self._done, self._name = args[0], [], None
        elif kind == b"DONE" and args and args[0] == self._round:
            out.append(RoundEnded(args[0].decode("utf-8", "replace"), tuple(self._done)))
            self._round, self._done, self._name = None, [], None
        elif kind == b"CHILD" and len(args) > 1:
            out.append(ChildStarted(args[0].decode("utf-8", "replace"), _int(args[1])))
        elif kind == b"EVENTS" and args:
            out.append(FollowerChanged(args[0].decode("utf-8", "replace")))
        elif not kind:
            self._lines(self._mark + line, out)

    def _lines(self, lines: bytes, out: list[Message]) -> None:
        """Whole lines without the marker; the last newline is left out."""
        if self._name is not None:
            self._keep(lines + b"\n")
        else:
            for line in lines.split(b"\n"):
                self._plain(line, out)

    def _plain(self, line: bytes, out: list[Message]) -> None:
        if not self._ready:
            if len(self._chatter) < CHATTER_LIMIT:
                self._chatter += line[:CHATTER_LIMIT] + b"\n"
        elif self._round is None and line.strip():
            out.append(EventLine(text.sanitise(line)))

    def _keep(self, data: bytes) -> None:
        if self._name is None or self._cut:
            return
        if self._size + len(data) > SECTION_LIMIT:
            self._cut = True
            data = data[: data.rfind(b"\n", 0, SECTION_LIMIT - self._size) + 1]  # half a line would be another one
        self._size += len(data)
        self._body.append(data)

    def _close(self, numbers: list[bytes]) -> Section:
        name, body = self._name or b"", b"".join(self._body)
        rc, hundredths, limit = [*(_int(number) for number in numbers[:3]), *([-1, 0, 0][len(numbers[:3]) :])]
        # The script ends every section with one newline of its own, so that END starts a line.
        section = Section(
            name=name.decode(),
            body=body.removesuffix(b"\n").decode("utf-8", "replace"),
            rc=rc,
            seconds=max(0, hundredths) / 100,
            limit=float(max(0, limit)),
            cut=self._cut,
        )
        self._name, self._body, self._size = None, [], 0
        return section


def _int(word: bytes) -> int:
    """A decimal number of the script; -1 when it is none."""
    return int(word) if len(word) < 20 and word.removeprefix(b"-").isdigit() else -1
