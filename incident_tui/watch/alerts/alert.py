"""The normal form of an alert, whatever it came as. Everything foreign is sanitised and bounded here. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.words import time_of
from incident_tui.text import sanitise

STATUSES: Final = ("firing", "resolved", "acknowledged", "note")
TITLE: Final = 300
TEXT: Final = 2_000
_LABELS: Final = 40


class FormError(Exception):
    """What came is not of the form it should have; `sentence` says what is missing."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a source told. (source, key, episode, status) is its identity: the same again is a repetition."""

    source: str
    key: str
    """The source's own id of what it is about, the same each time that fires."""
    episode: str = ""
    """Since when it fires, or another id of this time it fires; empty where the source says none."""
    status: str
    title: str
    at: datetime
    """When it began to fire, or ended: as the source says, never after `seen_at`."""
    seen_at: datetime
    severity: str = ""
    """The source's word."""
    text: str = ""
    labels: dict[str, str] = {}
    link: str = ""
    group: str = ""
    """What the source puts together; empty: the labels of its `group` say."""
    silenced: bool = False

    @property
    def identity(self) -> str:
        """The journal's idempotency key."""
        return identity(self.source, self.key, self.episode, self.status)

    @property
    def thing(self) -> tuple[str, str]:
        return (self.source, self.key)

    @property
    def sentence(self) -> str:
        return f"{self.title}: {self.text}" if self.text and self.text != self.title else self.title


def identity(source: str, key: str, episode: str, status: str) -> str:
    """As `Alert.identity`."""
    return f"alert:{digest(source, key, episode, status)}"


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def make(
    source: str,
    key: object,
    status: str,
    title: object,
    seen_at: datetime,
    *,
    episode: object = "",
    at: object = None,
    severity: object = "",
    text: object = "",
    labels: object = None,
    link: object = "",
    group: object = "",
    silenced: bool = False,
) -> Alert:
    """An alert of foreign parts. A time that is none, or lies in our future, is `seen_at`. Raises FormError."""
    if status not in STATUSES:
        raise FormError(f"status: write one of {', '.join(STATUSES)}")
    kept = labels_of(labels)
    shown = words(title, TITLE) or words(text, TITLE)
    if not shown:
        raise FormError("it has neither a title nor a text")
    when = time_of(at)
    return Alert(
        source=source,
        key=words(key, 200) or digest(shown, *(f"{name}={value}" for name, value in sorted(kept.items()))),
        episode=words(episode, 200),
        status=status,
        title=shown,
        at=seen_at if when is None else min(when, seen_at),
        seen_at=seen_at,
        severity=words(severity, 40).lower(),
        text=words(text, TEXT),
        labels=kept,
        link=link_of(link),
        group=words(group, 300),
        silenced=silenced,
    )


def words(value: object, limit: int) -> str:
    """A foreign value as one line of text; anything but text and numbers is none."""
    if isinstance(value, str):
        return sanitise(value, limit=limit).strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def labels_of(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    pairs = ((words(name, 100), words(each, 300)) for name, each in list(value.items())[:_LABELS])
    return {name: each for name, each in pairs if name}


def link_of(value: object) -> str:
    """A web address without a password in it, else ""."""
    link = words(value, 500)
    if not link.startswith(("http://", "https://")) or " " in link:
        return ""
    return "" if "@" in link.split("/", 3)[2] else link


def fields(value: object, what: str) -> Mapping[str, Any]:
    """`value` as an object. Raises FormError."""
    if not isinstance(value, Mapping):
        raise FormError(f"{what} is no JSON object")
    return value
