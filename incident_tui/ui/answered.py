"""What hosts answered when somebody asked, read from the board: of hundreds of hosts only what came since."""

from __future__ import annotations

from collections.abc import Mapping

from incident_tui.journal.board import Board
from incident_tui.watch.answers import Answer


class Answered:
    """The answers on a board. `renew` is called when the board has changed."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._by_word: dict[str, Mapping[str, Answer]] = {}
        self._decoded: dict[str, tuple[float, Answer | None]] = {}

    def renew(self) -> None:
        self._by_word = {}

    def of(self, word: str) -> Mapping[str, Answer]:
        """By host, what was answered to `word`."""
        known = self._by_word.get(word)
        if known is None:
            prefix = f"asked/{word}/"
            times = self._board.detail_times(prefix)
            before = self._decoded
            self._decoded = {key: value for key, value in before.items() if key in times or not key.startswith(prefix)}
            for key, at in times.items():
                if key not in before or before[key][0] != at:
                    self._decoded[key] = (at, self._board.detail(key, Answer))
            found = (self._decoded[key][1] for key in times)
            known = self._by_word[word] = {one.host: one for one in found if one is not None}
        return known
