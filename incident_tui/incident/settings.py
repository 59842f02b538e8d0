"""Settings of the incident room: people and severities. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[people]]`: somebody who may take a role."""

    name: str
    """The short name used everywhere: in `/ic ana`, `@ana`, the timeline. One word."""
    full_name: str = ""
    organisation: str = ""
    """Own team, consultants, hosting company, developers, …"""
    role: str = ""
    time_zone: str = "UTC"
    """IANA name, e.g. Europe/Madrid."""
    contact: str = ""
    """Phone or how to reach them. Shown, never sent to chat."""
    account: str = ""
    """The Unix account that proves the name. Without it the name is printed as claimed."""


class Severity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[severities]]`: what a number means to this team; 1 is worst."""

    level: int
    name: str
    update_minutes: int = 30
    """How often the public is promised news at this severity."""


DEFAULT_SEVERITIES = (
    Severity(level=1, name="public sites down or data at risk", update_minutes=20),
    Severity(level=2, name="degraded, or one failure from down", update_minutes=30),
    Severity(level=3, name="internal, no public effect", update_minutes=60),
)
