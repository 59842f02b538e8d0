"""Reads alerts in the forms of Alertmanager (webhook version 4, API v2) and Grafana, and our own generic one. Pure.

Sources: prometheus.io/docs/alerting/latest/configuration/#webhook_config, Alertmanager's OpenAPI v2, and
grafana.com/docs/grafana/latest/alerting (webhook notifier), whose body is Alertmanager's with more fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.words import time_of
from incident_tui.watch.alerts.alert import Alert, FormError, fields, labels_of, make, words

Form = Callable[[object, str, datetime], list[Alert]]
"""(decoded JSON, source's name, now) -> alerts. Raises FormError."""

_NEVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_WHERE: Final = ("instance", "host", "hostname", "node", "pod", "container", "volume", "device")
"""Labels that tell which of several an alert is about, the first that is there."""
_SUMMARIES: Final = ("summary", "message", "description", "title")


def decode(body: bytes) -> object:
    """JSON. Raises FormError for what is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FormError("the body is no JSON") from None


def alertmanager(body: object, source: str, now: datetime) -> list[Alert]:
    """What Alertmanager and Grafana post: a group of alerts, firing and resolved ones mixed."""
    group = fields(body, "the body")
    alerts = group.get("alerts")
    if not isinstance(alerts, list):
        raise FormError("it has no list of alerts: is this Alertmanager's or Grafana's webhook?")
    named = labels_of(group.get("groupLabels"))
    # For people; the group's key says no more than the route besides.
    key = ", ".join(f"{name}={value}" for name, value in named.items())[:300] or words(group.get("groupKey"), 300)
    found = [_one(fields(each, "an alert"), source, now, key) for each in alerts]
    cut = group.get("truncatedAlerts")
    if isinstance(cut, int) and cut > 0:
        title = f"{cut} more alerts of this group were not sent (max_alerts)"
        found.append(make(source, f"{key} truncated", "note", title, now, episode=now.isoformat(), group=key))
    return found


def polled(body: object, source: str, now: datetime) -> list[Alert]:
    """What GET /api/v2/alerts answers: all that fire now, silenced and inhibited ones marked."""
    if not isinstance(body, list):
        raise FormError("it answered no list of alerts: is this the address of an Alertmanager?")
    return [_one(fields(each, "an alert"), source, now, "", polled=True) for each in body]


def _one(alert: Mapping[str, Any], source: str, now: datetime, group: str, *, polled: bool = False) -> Alert:
    labels = labels_of(alert.get("labels"))
    notes = labels_of(alert.get("annotations"))
    state = alert.get("status")
    silenced = False
    if polled:
        silenced = isinstance(state, Mapping) and state.get("state") == "suppressed"
        state = "firing"
    if state not in ("firing", "resolved"):
        raise FormError("the status of an alert is neither firing nor resolved")
    ended = time_of(alert.get("endsAt"))
    began = words(alert.get("startsAt"), 60)
    resolved = state == "resolved"
    where = next((labels[name] for name in _WHERE if labels.get(name)), "")
    name = labels.get("alertname") or notes.get("title") or ""
    links = (alert.get(each) for each in ("dashboardURL", "panelURL", "generatorURL"))
    start = time_of(began)
    return make(
        source,
        alert.get("fingerprint"),
        str(state),
        f"{name} {where}".strip(),
        now,
        # The API cuts the time after its milliseconds, the webhook does not [tried with 0.25].
        episode=start.isoformat(timespec="milliseconds") if start is not None else began,
        at=(ended if ended is not None and ended > _NEVER else None) if resolved else start,
        severity=labels.get("severity") or labels.get("priority") or "",
        text=next((notes[each] for each in _SUMMARIES if notes.get(each)), ""),
        labels=labels,
        link=next((link for link in links if link), ""),
        group=group,
        silenced=silenced,
    )


_OVER: Final = frozenset({"resolved", "ok", "up", "recovered", "recovery", "closed", "close", "normal", "clear"})
_FIRES: Final = frozenset(
    {"", "firing", "alerting", "problem", "open", "triggered", "down", "critical", "warning", "error", "fail", "failed"}
)


def status_of(value: object) -> str:
    """firing, resolved, acknowledged or note, of a foreign word; without one it fires. Raises FormError."""
    word = words(value, 40).casefold()
    if word in _OVER:
        return "resolved"
    if word in _FIRES:
        return "firing"
    if word.startswith("ack"):
        return "acknowledged"
    if word in ("note", "info", "test"):
        return "note"
    raise FormError("status: write firing or resolved")


def generic(body: object, source: str, now: datetime) -> list[Alert]:
    """Our own form, one object or a list of them: title, text, severity, status, key, time, link, labels. Only a title
    or a text is needed, so that what posts {"text": …} to a chat can post here, too."""
    return [_generic(fields(one, "an alert"), source, now) for one in _each(body)]


def _each(body: object) -> Iterable[object]:
    return body if isinstance(body, list) else [body]


def _generic(one: Mapping[str, Any], source: str, now: datetime) -> Alert:
    time = one.get("time")
    if time is not None and time_of(time) is None:
        raise FormError("time: write an ISO time with its zone, 2026-11-23T14:05:00Z")
    status = status_of(one.get("status"))
    began = time_of(one.get("since"))
    return make(
        source,
        one.get("key"),
        status,
        one.get("title"),
        now,
        episode=one.get("episode") or (began.isoformat() if began else ""),
        at=time if time is not None or status == "resolved" else began,
        severity=one.get("severity"),
        text=one.get("text"),
        labels=one.get("labels"),
        link=one.get("link"),
        group=one.get("group"),
    )
