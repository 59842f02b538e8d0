"""The umask belongs to the whole process: threads that change it for a moment take turns, or one would restore what
another had set."""

from __future__ import annotations

import contextlib
import os
from _thread import RLock  # threading has the same one, and would cost `incident-tui log` a millisecond
from collections.abc import Iterator
from typing import Final

_TURN: Final = RLock()


@contextlib.contextmanager
def umask(mask: int) -> Iterator[int]:
    """It is `mask` inside; gives what it was, and is, outside."""
    with _TURN:
        before = os.umask(mask)
        try:
            yield before
        finally:
            os.umask(before)
