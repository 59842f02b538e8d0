"""Settings of the screen. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class Screen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[screen]`."""

    ascii: bool = False
    """Only ASCII characters."""
    mouse: bool = False
    """Let the program have the mouse. Off, the terminal's own selection and copy work."""
    bell: bool = False
    """Ring once when a finding becomes critical."""
