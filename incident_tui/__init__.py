"""incident-tui: a terminal UI for incident command during outages."""

from __future__ import annotations

__version__ = "0.1.0"
