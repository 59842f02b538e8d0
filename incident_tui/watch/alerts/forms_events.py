"""Reads alerts in the forms of PagerDuty (webhooks v3) and CloudEvents 1.0. Pure.

Sources: developer.pagerduty.com/docs/webhooks-overview, and the CloudEvents 1.0 HTTP binding (cloudevents.io).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from incident_tui.watch.alerts.alert import Alert, FormError, fields, make, words
from incident_tui.watch.alerts.forms import decode, status_of

_PAGERDUTY: Final = {
    "incident.triggered": "firing",
    "incident.reopened": "firing",
    "incident.unacknowledged": "note",
    "incident.acknowledged": "acknowledged",
    "incident.resolved": "resolved",
}


def pagerduty(body: object, source: str, now: datetime) -> list[Alert]:
    """One event of one incident. Events of other kinds (a test, a service) are notes."""
    event = fields(fields(body, "the body").get("event"), "event")
    kind, data = words(event.get("event_type"), 80), fields(event.get("data", {}), "event.data")
    ident = words(event.get("id"), 120)
    if not kind or not ident:
        raise FormError("event.id or event.event_type is missing: is this PagerDuty's webhook version 3?")
    status = _PAGERDUTY.get(kind, "note")
    service = data.get("service")
    labels = {
        "event": kind,
        "number": data.get("number"),
        "service": service.get("summary") if isinstance(service, Mapping) else "",
        "incident_key": data.get("incident_key"),
    }
    number = words(data.get("number"), 20)
    title = words(data.get("title"), 300) or words(data.get("message"), 300) or kind
    urgency = words(data.get("urgency"), 20)
    return [
        make(
            source,
            data.get("id") or ident,
            status,
            f"#{number} {title}" if number else title,
            now,
            episode=ident,  # no signature holds a time: each event counts once, by its id
            at=event.get("occurred_at"),
            severity={"high": "critical", "low": "warning"}.get(urgency, urgency),
            text="" if status != "note" else kind.replace("incident.", "").replace("_", " "),
            labels={name: value for name, value in labels.items() if value},
            link=data.get("html_url"),
        )
    ]


def cloudevents(headers: Mapping[str, str], body: bytes, source: str, now: datetime) -> list[Alert]:
    """An event in the binary or the structured mode, or a batch. `data` may be of our generic form; else the type
    and the subject are all that is known. A type that ends in resolved, ok, closed, … is the end of an alert."""
    mime = headers.get("content-type", "").partition(";")[0].strip().casefold()
    if mime == "application/cloudevents-batch+json":
        batch = decode(body)
        if not isinstance(batch, list):
            raise FormError("a batch is a list of events")
        return [_event(fields(each, "an event"), each.get("data"), source, now) for each in batch]
    if mime == "application/cloudevents+json":
        event = fields(decode(body), "the event")
        return [_event(event, event.get("data"), source, now)]
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    data: object = None
    if body:
        data = decode(body) if "json" in mime else body.decode("utf-8", "replace")
    return [_event(attributes, data, source, now)]


def _event(event: Mapping[str, Any], data: object, source: str, now: datetime) -> Alert:
    ident, origin, kind = (words(event.get(name), 300) for name in ("id", "source", "type"))
    if not ident or not origin or not kind or not words(event.get("specversion"), 10).startswith("1."):
        raise FormError("id, source, type and specversion 1.0 of a CloudEvent are needed")
    told: Mapping[str, Any] = data if isinstance(data, Mapping) else {"text": data if isinstance(data, str) else ""}
    subject = words(event.get("subject"), 200)
    last = kind.rpartition(".")[2].casefold()
    try:
        status = status_of(told.get("status") or last)
    except FormError:
        status = "firing"
    labels = told.get("labels")
    return make(
        source,
        told.get("key") or (f"{origin} {subject}" if subject else f"{origin} {ident}"),
        status,
        words(told.get("title"), 300) or f"{kind} {subject}".strip(),
        now,
        episode=f"{origin} {ident}",  # the specification: source and id name an event once for all
        at=told.get("time") or event.get("time"),
        severity=told.get("severity"),
        text=told.get("text") or told.get("message"),
        labels=labels if isinstance(labels, Mapping) else {"type": kind, "event_source": origin},
        link=told.get("link"),
    )
