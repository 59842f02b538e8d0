"""Settings of the incident room: people, rosters, severities, how an incident is commanded. Frozen."""

from __future__ import annotations

from collections.abc import Sequence

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
    keys: tuple[str, ...] = ()
    """Public SSH keys, each a line as in `id_ed25519.pub`, that may join under this name (`incident-tui join-keys`)."""


class Severity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[severities]]`: what a number means to this team; 1 is worst."""

    level: int
    name: str
    update_minutes: int = 30
    """How often the public is promised news at this severity."""
    public: bool = True
    """Whether the public feels it: then a first public update is due soon after the declare."""


def is_public(level: int | None, severities: Sequence[Severity]) -> bool:
    """Whether the public is told of an incident of this severity; of an unknown one, yes."""
    return next((one.public for one in severities if one.level == level), True)


DEFAULT_SEVERITIES = (
    Severity(level=1, name="public sites down or data at risk", update_minutes=20),
    Severity(level=2, name="degraded, or one failure from down", update_minutes=30),
    Severity(level=3, name="internal, no public effect", update_minutes=60, public=False),
)


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[rosters.overrides]]`: somebody else is on call for a while."""

    who: str
    """A name from `[[people]]`."""
    since: str
    """Local time of the roster, "2026-12-24 09:00", or an ISO time with its zone."""
    until: str
    """As `since`; no longer counted."""
    why: str = ""


class Roster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[rosters]]`: a weekly rotation of who is on call."""

    name: str
    time_zone: str = "UTC"
    """IANA name; the handover is at this wall-clock time in summer and in winter."""
    handover: str = "monday 09:00"
    first: str
    """The day on which the rotation starts with the first of `people`, 2026-01-05."""
    people: tuple[str, ...]
    """In turn, a week each."""
    escalation: tuple[str, ...] = ()
    """Whom to call when who is on call does not answer, in order."""
    overrides: tuple[Override, ...] = ()


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[command]`: roles and clocks of an incident. Defaults: PagerDuty's incident response documentation (call-outs
    each 10 min, first public message within 5 min, executives each 30 min)."""

    roles: tuple[str, ...] = ("deputy", "operations", "communications", "scribe")
    """Roles besides the commander."""
    callout_minutes: int = 10
    """The age of the incident is called out each so many minutes; 0: never."""
    first_update_minutes: int = 5
    """A first public update is due so long after the declare; 0: no such clock."""
    internal_minutes: int = 30
    """`/next internal` without a time; the public has the severity's own."""
    exec_minutes: int = 30
    """`/next exec` without a time."""
    ack_minutes: int = 3
    """A task that nobody acknowledged for so long is a gap."""
    fatigue_hours: int = 4
    """Somebody who held a role so long is due to be relieved; 0: never."""
    host_silent_minutes: int = 10
    """A host that was not seen for so long is a gap of the timeline; 0: never."""
    rally: tuple[str, ...] = ()
    """Where people meet, in order, when the first place does not work: bridge numbers, chat rooms, places."""
    recovery: tuple[str, ...] = ()
    """Exact login and recovery commands for the break-glass card."""


class Playbooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[playbooks]`: those of the team, beside those that come with the program."""

    directory: str = ""
    """Markdown files, one a playbook; one of the same name takes the place of one that comes with the program."""


READS = (
    *("uptime", "date", "date -u", "hostname", "hostname -f", "w", "who ...", "id", "uname ...", "mount", "lsblk ..."),
    *("df ...", "free ...", "ps ...", "top -b -n 1", "vmstat ...", "iostat ...", "stat ...", "dmesg", "dmesg -T"),
    *("ls ...", "cat ...", "head ...", "tail ...", "grep ...", "wc ...", "getfattr ...", "netstat ...", "ss -tlnp"),
    *("ip addr", "ip route", "ip -s link", "ping -c * *", "chronyc tracking", "ntpq -p", "ntpstat", "crontab -l"),
    *("docker ps ...", "docker inspect ...", "docker logs ...", "docker images ...", "docker top ...", "docker info"),
    *("docker version", "docker stats --no-stream ...", "docker diff *", "docker port ..."),
    *("systemctl status ...", "systemctl is-active ...", "systemctl show ...", "systemctl --failed"),
    *("service * status", "initctl list", "status *", "journalctl -n *", "journalctl -k", "journalctl -u *"),
    *("journalctl -u * -n *", "gluster peer status", "gluster pool list", "gluster volume list"),
    *("gluster volume info ...", "gluster volume status ...", "gluster volume heal * info ..."),
    *("gluster volume get * *", "gluster volume geo-replication status", "gluster --version"),
    *("rpm -q ...", "rpm -qa", "dpkg -l ..."),
)
"""Commands that only read, in the versions that we know. Left out is what changes something by an option that stands
anywhere or may be shortened: journalctl --vac…, find -delete, ss -K, date -s."""


class Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[commands]`: what may be run on hosts from here. How patterns match is in `incident.policy`."""

    mode: str = "confirm"
    """off: nothing; read-only: what only reads; confirm: everything, what may change something after a question."""
    roles: dict[str, str] = {}
    """Another mode for whoever holds a role; of several the one that allows most."""
    read: tuple[str, ...] = ()
    """Commands that only read, besides READS. All others may change something."""
    changes: tuple[str, ...] = ()
    """Commands that count as changing although they fit one of those."""
    seconds: int = 300
    """A command that runs so long is stopped."""
    keys: str = "own"
    """own: the agent and keys of whoever runs the command; hosts: the identity_file of [[hosts]]."""
    user: str = ""
    """Whom to log in as; empty: as [[hosts]] says."""


COMMAND_MODES = ("off", "read-only", "confirm")
