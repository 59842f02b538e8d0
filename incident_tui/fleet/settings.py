"""Settings of the fleet: how each host is reached. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[hosts]]`: one machine to watch."""

    name: str
    address: str = ""
    """Name or address to connect to; empty means `name`. An alias of ~/.ssh/config works."""
    port: int = 0
    """0 means what ~/.ssh/config says, or 22."""
    user: str = ""
    identity_file: str = ""
    """Private key; empty means the agent and ~/.ssh/config."""
    known_hosts: str = ""
    """File with the host's key; empty means ~/.ssh/known_hosts. There is no way to switch the check off."""
    jump: str = ""
    """ProxyJump: user@host:port through which to connect."""
    sudo: bool = False
    """Run the reading under `sudo -n`."""
    legacy_algorithms: bool = False
    """Also offer the algorithms that only old servers need (group1, gex-sha1, CBC, hmac-md5, ssh-dss)."""
    roles: tuple[str, ...] = ()
    """docker, gluster: what is read besides the machine itself. Empty means: whatever is found."""


class Fleet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[fleet]`: how often, and how long to wait."""

    fast_seconds: float = 5.0
    slow_seconds: float = 15.0
    gluster_seconds: float = 45.0
    """Between the Gluster commands that take the cluster's lock; from one peer only. At least 30."""
    heal_seconds: float = 300.0
    seldom_seconds: float = 300.0
    """Between two looks at quota (a mount of its own), snapshots and geo-replication; a fifth of it while a
    geo-replication is not well, or was not told because another command had the lock."""
    connect_timeout: float = 10.0
    keepalive_seconds: float = 5.0
