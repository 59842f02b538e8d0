"""How parts of the watch save: through its writer, fenced by the epoch of its lease."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from incident_tui.incident.entry import Draft, Entry
from incident_tui.journal.writer import Writer


class Fenced:
    """A writer and the epoch without which it must not write."""

    def __init__(self, writer: Writer, epoch: int) -> None:
        self._writer = writer
        self._epoch = epoch

    def each(self, pairs: Sequence[tuple[Draft, str]]) -> Future[list[Entry]]:
        """Each under its own key, in one transaction. See `Writer.submit_each`."""
        return self._writer.submit_each(pairs, self._epoch)

    def together(self, drafts: Sequence[Draft], key: str) -> Future[list[Entry]]:
        """All under one key. See `Writer.submit`."""
        return self._writer.submit(drafts, key, self._epoch)
