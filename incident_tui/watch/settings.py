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
    """`[[chat]]`: a place that messages are sent to. Credentials are by environment or file only. Which of the settings
    a kind needs is in `chat.kinds`."""

    name: str
    kind: str = "slack"
    """One of `chat.kinds`; "slack" posts {"text": …}, which most platforms take."""
    url_env: str = ""
    """Name of the environment variable that holds the webhook's URL."""
    url_file: str = ""
    """File that holds it; readable by its owner only."""
    token_env: str = ""
    """Name of the environment variable that holds the bot's token or API key (matrix, zulip, slack-api)."""
    token_file: str = ""
    """File that holds it; readable by its owner only."""
    server: str = ""
    """https://… of the server (matrix, zulip)."""
    room: str = ""
    """The room's id (matrix: "!…"), or the channel's (slack-api: "C…")."""
    account: str = ""
    """The bot's address (zulip)."""
    stream: str = ""
    topic: str = ""
    """Empty: one topic an incident (zulip)."""
    thread_id: str = ""
    """An existing thread (discord)."""
    command: tuple[str, ...] = ()
    """A program and its arguments; the text is its standard input. `{tag}`, `{incident}` and `{sink}` are filled in
    where they are whole arguments (command)."""
    seconds: float = 30.0
    """A command that runs so long is stopped."""
    path: str = ""
    """Each message is appended to this file (file)."""
    send: tuple[str, ...] = ("declare", "update", "severity", "status", "commander", "card")
    """What is posted: words of `chat.compose.SENDS`."""
    audiences: tuple[str, ...] = ("internal", "public", "exec")
    """Updates for these are posted."""
    threads: bool = True
    """One thread an incident, where the platform has threads."""
    seconds_between: float = 0.0
    """At most one message each so many seconds, after a burst; 0: as the platform wants it."""
    coalesce: int = 5
    """When so many wait, they go together as one message with a line each; 0: never."""


class Watch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[watch]`: the process that reads hosts and sites and sends to chat."""

    hold_seconds: float = 10.0
    """A change of level is journalled after it has lasted this long; the board shows it at once."""
    linger_seconds: float = 900.0
    """It ends itself this long after the last screen has gone, unless started as a service."""
    silence_minutes: int = 15
    """A gap entry after so long with no entry in an open incident."""
