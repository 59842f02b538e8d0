"""What a watch is to do: the parts of the configuration that it needs, and how it was started. Frozen."""

from __future__ import annotations

from pathlib import Path

import msgspec

from incident_tui.fleet.settings import Fleet as FleetSettings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Roster, Severity
from incident_tui.replica.settings import Replica
from incident_tui.replica.sync_settings import Sync
from incident_tui.watch.outside import OutsideSettings
from incident_tui.watch.settings import ChatSink, Site
from incident_tui.watch.settings import Watch as WatchSettings


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to watch and how."""

    directory: Path
    letter: str
    hosts: tuple[Host, ...]
    sites: tuple[Site, ...]
    chat: tuple[ChatSink, ...]
    fleet: FleetSettings
    thresholds: Thresholds
    watch: WatchSettings
    command: Command = Command()
    severities: tuple[Severity, ...] = DEFAULT_SEVERITIES
    people: tuple[Person, ...] = ()
    rosters: tuple[Roster, ...] = ()
    outside: OutsideSettings = OutsideSettings()
    sync: tuple[Sync, ...] = ()
    replica: Replica = Replica()
    service: bool = False
    demo: bool = False
    takeover_wait: float = 0.0
    """Seconds to stand by while another watch holds the lease; inf for a service."""
