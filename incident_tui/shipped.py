"""Files that come with the program: the example configuration and the playbooks.

In a wheel they lie inside the package; in a checkout at its top, where people edit them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """The path of `config.toml` or `playbooks`."""
    inside = _PACKAGE / "shipped" / name
    return inside if inside.exists() else _PACKAGE.parent / name
