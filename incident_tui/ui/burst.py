"""Telling a paste from typing where the terminal does not mark pastes: several Enters at once. Pure; no clock.

Enter that comes at the same moment as other keys may be the first line end of a paste. It is held for a moment: alone
it was a line, with more lines behind it a paste, which is never a command.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 0.005
"""Seconds between two keys that no hand types."""


class Burst:
    """`gap` is how long (seconds) a held Enter waits for more; 0 switches this off."""

    def __init__(self, gap: float) -> None:
        self.gap = gap
        self._held: list[str] | None = None
        self._end = 0.0
        self._last = 0.0

    @property
    def holding(self) -> bool:
        return self._held is not None

    def key(self, text: str, line: str, at: float) -> bool:
        """A key came at `at` (monotonic): its text, "\\n" for Enter, "" for others; `line` is what the prompt holds.
        True when it is held here and nobody else should act on it."""
        since, self._last = at - self._last, at
        if self._held is not None:
            self._held.append(text)
            self._end = at + self.gap
            return True
        if text == "\n" and self.gap and since < AT_ONCE:
            self._held = [line, text]
            self._end = at + self.gap
            return True
        return False

    def left(self, now: float) -> float:
        """Seconds until what is held is complete; not above 0 when it is."""
        return self._end - now

    def take(self) -> tuple[str, bool]:
        """What was held, and whether it is a paste (False: one line, and Enter)."""
        text, self._held = "".join(self._held or ()), None
        return text, not (text.count("\n") == 1 and text.endswith("\n"))
