"""The start and the end of the process, where the time of `incident-tui log` goes: it runs in loops and from hooks.

Measured on one machine: an import of typing_extensions that nobody needs 10 ms, taking the interpreter down 5 ms,
looking for garbage among what is imported 3 ms; without them the whole command takes 44 ms.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys


def start() -> None:
    """Before anything else of ours is imported."""
    # A start allocates much and drops little: looking for cycles after each 700 objects finds none. Later, in the
    # screen, this only makes collections rarer and longer (below 2 ms).
    gc.set_threshold(20_000, 20, 20)
    _import_msgspec()


def _import_msgspec() -> None:
    """Import msgspec as on a machine without typing_extensions, which it takes as an option for older Pythons.

    When it finds that package (other dependencies of ours install it) it reads type hints through it, with no other
    result on 3.11 and later, and that loads inspect, ast and tokenize. None in `sys.modules` makes an import fail as
    if it were not installed; the entry goes at once, so that whoever imports it later gets it.
    """
    name = "typing_extensions"
    if name in sys.modules:
        import msgspec

        return
    sys.modules[name] = None  # type: ignore[assignment]  # the documented way to block an import
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[name]


def leave(status: int) -> None:
    """End the process now, without freeing every object one by one; returns when it must end in the ordinary way.

    Whatever is registered for the exit is run, and what was printed is written out. It returns when threads may be
    running, for which the interpreter waits, and when output cannot be written, which the interpreter reports.
    """
    if "threading" in sys.modules:
        return
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        os._exit(status)  # the reader went away (`… --help | head`): that is how pipes are used
    except (OSError, ValueError):
        return
    os._exit(status)
