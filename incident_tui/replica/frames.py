"""What two journals say to each other over a stream of bytes: the wire form, and where foreign bytes are believed.

Each side begins with a line that says which it is, in which format it speaks and which version it is; what a login
printed before that line is skipped. Then frames: four bytes of length, big-endian, and MessagePack of an array whose
first element is the kind. A frame that is too long, of an unknown kind or of another shape ends the exchange. Pure.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from incident_tui.journal.record import LONGEST, Record
from incident_tui.text import sanitise

FORMAT: Final = 1
"""What is spoken. Another number is refused: both sides must have the same."""
ASKS: Final = b"incident-tui sync asks "
"""Begins the line of the side that connected; then FORMAT, a space, the program's version."""
SERVES: Final = b"incident-tui sync serves "
"""Of the other side. They differ so that an echo is no answer."""
FRAME: Final = LONGEST + (1 << 20)
"""Bytes of a frame: the longest record, or many short ones."""
NOISE: Final = 1 << 16
"""Bytes that a login may print before the line."""
_LINE: Final = 80
JOURNALS: Final = 1000

Journal = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Letter = Annotated[str, msgspec.Meta(pattern="^[a-z]$")]
Number = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Link = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class ExchangeError(Exception):
    """The exchange cannot go on; `sentence` says why and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a side has of one journal: up to `seq` without a hole, ending with `link` (of an empty one zeros)."""

    journal: Journal
    letter: Letter
    seq: Number
    link: Link
    told: Number
    """The highest number that is known to exist."""
    forked_at: Number = 0
    """The number from which it is two journals there; 0 when it is one."""


class Hello(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """The first frame: the own journal, and the copies."""

    own: Held
    copies: Annotated[tuple[Held, ...], msgspec.Meta(max_length=JOURNALS)]


class Records(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Records of one journal, in order, following what the other side has."""

    records: Annotated[tuple[Record, ...], msgspec.Meta(min_length=1)]


class Ack(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """What became of one `Records`: it is durable up to `seq`, or `problem` says why it is not."""

    journal: Journal
    seq: Number
    problem: str = ""


class Done(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The other side has all that is here, and has said so; until more is sent."""

    asks: Number = 0
    """So many `Differs` and `Wish` of the other side were answered before this."""


class Differs(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """Both have entry `seq` of this journal, and not the same: all of it must be compared."""

    journal: Journal
    seq: Number


class Wish(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """Send what you have of my own journal after `seq`: it was restored from an older copy."""

    seq: Number


class Ping(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """Are you there? `Pong` is the answer."""


class Pong(msgspec.Struct, frozen=True, array_like=True, tag=8):
    pass


class Bye(msgspec.Struct, frozen=True, array_like=True, tag=9):
    """The end; `sentence` says why when it is not because all is done."""

    sentence: str = ""


Frame = Hello | Records | Ack | Done | Differs | Wish | Ping | Pong | Bye
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Frame)


def opening(mark: bytes, version: str) -> bytes:
    """The line that a side begins with. The empty line before it ends what a login may have left open."""
    return b"\n" + mark + f"{FORMAT} {version}\n".encode()


def pack(frame: Frame) -> bytes:
    body = _encoder.encode(frame)
    return len(body).to_bytes(4, "big") + body


class Unpacker:
    """Takes bytes as they come; holds at most one frame and what came with its end."""

    def __init__(self, mark: bytes, name: str, version: str) -> None:
        """`mark` is what the other side must begin with; `name` is what sentences call it."""
        self._mark = mark
        self._name = name
        self._version = version
        self._buffer = bytearray()
        self.begun = False
        """The other side has said who it is."""
        self.noise = b""
        """What stood before."""

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Frame | None:
        """The next whole frame, or None when more must come first. Raises ExchangeError."""
        if not self.begun and not self._begin():
            return None
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[:4], "big")
        if not 0 < length <= FRAME:
            raise ExchangeError(f"{self._name} sent a frame of {length} bytes, which no incident-tui does.")
        if len(self._buffer) < 4 + length:
            return None
        body = bytes(self._buffer[4 : 4 + length])
        del self._buffer[: 4 + length]
        try:
            frame: Frame = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = sanitise(str(error), limit=120)
            raise ExchangeError(f"{self._name} sent what cannot be read ({what}): altered on its way?") from None
        return frame

    def _begin(self) -> bool:
        at = self._buffer.find(b"\n" + self._mark)
        if at < 0:
            if len(self._buffer) > NOISE:
                raise ExchangeError(f"{self._name} does not answer as incident-tui sync does{self.said()}")
            return False
        start = at + 1 + len(self._mark)
        end = self._buffer.find(b"\n", start, start + _LINE)
        if end < 0:
            if len(self._buffer) - start > _LINE:
                raise ExchangeError(f"{self._name} does not answer as incident-tui sync does.")
            return False
        spoken, _, version = bytes(self._buffer[start:end]).partition(b" ")
        if spoken != str(FORMAT).encode():
            theirs = sanitise(version, limit=20) or "of another version"
            raise ExchangeError(
                f"{self._name} has incident-tui {theirs} (sync format {sanitise(spoken, limit=8)}), this one is "
                f"{self._version} (format {FORMAT}): install the same version on both."
            )
        self.noise = bytes(self._buffer[:at]).strip()
        del self._buffer[: end + 1]
        self.begun = True
        return True

    def said(self) -> str:
        """What came in place of the line, for a sentence."""
        text = sanitise(bytes(self._buffer[:600]).strip(), limit=160).strip()
        return f': it said "{text}"' if text else ""
