"""Settings of the journal. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[journal]`: where entries are kept."""

    directory: str = ""
    """A local directory; empty means incident-tui in the user's data directory. Network file systems are refused."""
    letter: str = "a"
    """First letter of this journal's handles (a17). Give each bastion its own."""
    keep: str = ""
    """Closed incidents older than this ("365d", "52w", "2y") are named by `check` and the digest, to be archived."""
    sign: str = "off"
    """`agent`: what people write here is signed by their SSH key, through their agent, after it is saved."""
    sign_key: str = ""
    """The public key (a `.pub` file) that signs; empty means whichever of the person's `keys` the agent has."""
