"""Settings of the watch: sites, chat sinks, reminders. Read by config.py; frozen."""

from __future__ import annotations

import msgspec


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[sites]]`: a public web property."""

    name: str
    url: str
    expect: int = 200
    """The HTTP status that means well; redirects are not followed."""
    hosts: tuple[str, ...] = ()
    """Names of the hosts behind it."""
    seconds: float = 15.0
    timeout: float = 10.0
    slow_ms: int = 3000
    tls_days_warn: int = 14


class ChatSink(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[chat]]`: a place updates are sent to. The URL is a credential: by environment or file only."""

    name: str
    kind: str = "slack"
    """The body's shape; "slack" posts {"text": …}, which Slack, Mattermost, Rocket.Chat and others take."""
    url_env: str = ""
    """Name of the environment variable that holds the webhook's URL."""
    url_file: str = ""
    """File that holds it; readable by its owner only."""
    send: tuple[str, ...] = ("update", "severity", "status", "commander", "declare", "card")
    """What is posted: declare, update, severity, status, commander, and the break-glass card when it is asked for."""
    seconds_between: float = 1.0
    """The token bucket: at most one message each so many seconds, with a burst of five."""


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[watch]`: the process that reads hosts and sites and sends to chat."""

    hold_seconds: float = 10.0
    """A change of level is journalled after it has lasted this long; the board shows it at once."""
    linger_seconds: float = 900.0
    """It ends itself this long after the last screen has gone, unless started as a service."""
    silence_minutes: int = 15
    """A gap entry after so long with no entry in an open incident."""
