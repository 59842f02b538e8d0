"""Two sides of an exchange joined by hand, which can be cut at any byte."""

from __future__ import annotations

from incident_tui.replica.exchange import Shelf, Side


class Cut(Exception):
    """So many bytes went through, and no more."""


class Pair:
    """`ours` asks, `theirs` serves."""

    def __init__(
        self, ours: Shelf, theirs: Shelf, *, recover: bool = False, stays: bool = False, noise: bytes = b""
    ) -> None:
        """`stays`: the asking side does not end it when both have all."""
        self.stays = stays
        self.ours = Side(ours, "theirs", "1", serves=False, recover=recover)
        self.theirs = Side(theirs, "ours", "1", serves=True)
        self.to_theirs = bytearray(self.ours.begin())
        self.to_ours = bytearray(noise + self.theirs.begin())

    def run(self, cut: int | None = None, step: int = 65536) -> int:
        """Carry bytes both ways, `step` at a time, until the asking side ends it or both are quiet; returns how many.
        Raises Cut at byte `cut`."""
        carried = 0
        while self.to_theirs or self.to_ours:
            for way, side, back in (
                (self.to_theirs, self.theirs, self.to_ours),
                (self.to_ours, self.ours, self.to_theirs),
            ):
                data = bytes(way[:step])
                del way[:step]
                if cut is not None and carried + len(data) > cut:
                    side.feed(data[: cut - carried])
                    raise Cut
                carried += len(data)
                if data:
                    back += side.feed(data)
            if self.ours.settled and not self.stays:
                self.to_theirs += self.ours.bye()
                self.theirs.feed(bytes(self.to_theirs))
                break
        return carried

    def news(self) -> None:
        """Both look whether something is new, and carry it."""
        self.to_theirs += self.ours.news()
        self.to_ours += self.theirs.news()
        self.run()
