"""Settings of the hosts room: when a reading becomes a finding. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[thresholds]`. Percentages are of what is used, seconds are ages, rates are pages a second."""

    memory_warn: float = 85.0
    memory_crit: float = 95.0
    swap_rate_warn: float = 50.0
    """Pages swapped in and out a second."""
    swap_rate_crit: float = 1000.0
    load_warn: float = 2.0
    """One-minute load for each processor."""
    load_crit: float = 6.0
    disk_warn: float = 80.0
    disk_crit: float = 90.0
    inodes_warn: float = 80.0
    inodes_crit: float = 90.0
    pressure_warn: float = 20.0
    """PSI memory "some avg10", where the kernel has it."""
    pressure_crit: float = 60.0
    clock_skew_warn: float = 2.0
    clock_skew_crit: float = 60.0
    heal_age_warn: float = 1200.0
    """Seconds with a backlog of heals before it is a finding (the usual figure of gluster monitors)."""
    heal_count_crit: int = 1000
    restarts_warn: int = 1
    """Restarts of a container within ten minutes."""
    restarts_crit: int = 3
    fast_max_age: float = 20.0
    """A reading of /proc and files older than this is stale."""
    slow_max_age: float = 90.0
    """A reading of Docker or GlusterFS older than this is stale."""
    heal_max_age: float = 900.0
