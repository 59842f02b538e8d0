"""A clock that is off, and can be set while a real program runs that no preloaded library reaches, as a static Go
program: qemu-user runs it and answers its system calls by the C library, where libfaketime shifts the time of day.
The clocks that do not jump stay as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

_EMULATOR: Final = "qemu-x86_64"
_PLACES: Final = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/faketime", "/usr/lib64/faketime")


class Clock:
    """The time of day of one program. Skips the test where it cannot be had, which CI may not."""

    def __init__(self, file: Path) -> None:
        emulator = shutil.which(_EMULATOR)
        library = next((found for place in _PLACES if (found := Path(place, "libfaketimeMT.so.1")).exists()), None)
        if emulator is None or library is None:
            if os.environ.get("CI") == "true":
                pytest.fail("CI installs qemu-user and faketime (.ci/run), and they are not here")
            pytest.skip("needs qemu-user and libfaketime (Debian: apt install qemu-user faketime)")
        self._file = file
        # The emulated program is not given the library, which it could not use.
        self.command: Final = (emulator, "-E", "LD_PRELOAD=")
        self.environment: Final = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        self.set("+0")

    def set(self, off: str) -> None:
        """`off`: as +1h or -1h. The program goes by it within a second."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{off}\n")
        fresh.rename(self._file)
