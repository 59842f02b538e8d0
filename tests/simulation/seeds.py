"""Seeds of random schedules: fresh ones each run, or the one in $SEED, to play a failure again.

`make simulate SEED=17` plays all simulations with that one; `SEED=17 python -m pytest tests/replica/…` one of them.
"""

from __future__ import annotations

import os
import random


def seeds(count: int) -> list[int]:
    """So many to play, each printed by pytest as a part of the test's name."""
    said = os.environ.get("SEED", "")
    return [int(said)] if said else [random.SystemRandom().randrange(1 << 32) for _ in range(count)]
