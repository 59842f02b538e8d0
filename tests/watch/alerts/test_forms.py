"""The forms that alerts come in: as each source documents them, and whatever else somebody may post."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.watch.alerts import forms, forms_events, monitors
from incident_tui.watch.alerts.alert import Alert, FormError
from incident_tui.watch.alerts.judging import level_of
from tests.watch.alerts.conftest import NOW

ALERTMANAGER: dict[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="GlusterBrickDown", cluster="c1"}',
    "truncatedAlerts": 2,
    "status": "firing",
    "receiver": "tui",
    "groupLabels": {"alertname": "GlusterBrickDown"},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://am:9093",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "GlusterBrickDown", "instance": "web3:9100", "severity": "Critical"},
            "annotations": {"summary": "brick /b/gv0 is down", "runbook": "x"},
            "startsAt": "2026-11-23T13:58:00.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prom/graph?g0",
            "fingerprint": "e9a9fc528870d5d8",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "GlusterBrickDown", "instance": "web1:9100"},
            "annotations": {},
            "startsAt": "2026-11-23T13:00:00+01:00",
            "endsAt": "2026-11-23T13:59:30Z",
            "generatorURL": "javascript:alert(1)",
            "fingerprint": "aa",
        },
    ],
}


def test_alertmanagers_webhook() -> None:
    fires, over, cut = forms.alertmanager(ALERTMANAGER, "am", NOW)
    assert (fires.key, fires.status, fires.title) == ("e9a9fc528870d5d8", "firing", "GlusterBrickDown web3:9100")
    assert (fires.text, fires.severity, fires.link) == ("brick /b/gv0 is down", "critical", "http://prom/graph?g0")
    assert fires.at.isoformat() == "2026-11-23T13:58:00.123456+00:00"
    assert (over.status, over.at.isoformat(), over.link) == ("resolved", "2026-11-23T13:59:30+00:00", "")
    assert over.episode == "2026-11-23T12:00:00.000+00:00"
    assert fires.group == over.group == cut.group == "alertname=GlusterBrickDown"
    assert cut.status == "note" and "2 more alerts" in cut.title


def test_the_same_alert_polled_has_the_same_identity() -> None:
    first = dict(ALERTMANAGER["alerts"][0])
    first |= {"status": {"state": "suppressed", "silencedBy": ["x"]}, "startsAt": "2026-11-23T13:58:00.123Z"}
    posted = dict(ALERTMANAGER["alerts"][0], startsAt="2026-11-23T13:58:00.123956789Z")
    (polled,) = forms.polled([first], "am", NOW)
    (told,) = forms.alertmanager({"alerts": [posted]}, "am", NOW)
    assert polled.identity == told.identity and polled.silenced and not told.silenced


def test_grafanas_webhook() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "DatasourceNoData", "grafana_folder": "f"},
        "annotations": {"message": "no data"},
        "startsAt": "2026-11-23T13:59:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "c6eadffa33fcdf37",
        "dashboardURL": "https://grafana/d/x",
        "valueString": "[ var='B' ]",
        "values": {"B": 22, "C": 1},
    }
    body = {"version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "groupKey": "g", "alerts": [alert]}
    (one,) = forms.alertmanager(body, "grafana", NOW)
    assert (one.title, one.text, one.link) == ("DatasourceNoData", "no data", "https://grafana/d/x")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("incident.triggered", "firing"),
        ("incident.reopened", "firing"),
        ("incident.acknowledged", "acknowledged"),
        ("incident.resolved", "resolved"),
        ("incident.annotated", "note"),
        ("pagey.ping", "note"),
    ],
)
def test_pagerdutys_events(kind: str, status: str) -> None:
    data = {"id": "PGR0VU2", "number": 2, "title": "A little bump", "urgency": "high", "html_url": "https://pd/2"}
    event = {"id": "01BW", "event_type": kind, "occurred_at": "2026-11-23T13:00:00.000Z", "data": data}
    (one,) = forms_events.pagerduty({"event": event}, "pd", NOW)
    assert (one.status, one.key, one.episode, one.title) == (status, "PGR0VU2", "01BW", "#2 A little bump")
    assert level_of(one.severity) == "crit" and one.link == "https://pd/2"


def test_cloudevents_in_three_modes() -> None:
    told = {"title": "disk full", "severity": "critical", "key": "d1"}
    plain = {"specversion": "1.0", "id": "7", "source": "/mon", "type": "org.example.disk.alert", "subject": "web2"}
    binary = {f"ce-{name}": value for name, value in plain.items()} | {"content-type": "application/json"}
    (one,) = forms_events.cloudevents(binary, json.dumps(told).encode(), "ce", NOW)
    structured = {"content-type": "application/cloudevents+json; charset=utf-8"}
    body = json.dumps(plain | {"data": told}).encode()
    assert forms_events.cloudevents(structured, body, "ce", NOW) == [one]
    batch = {"content-type": "application/cloudevents-batch+json"}
    assert forms_events.cloudevents(batch, b"[" + body + b"]", "ce", NOW) == [one]
    assert (one.key, one.episode, one.status, one.title) == ("d1", "/mon 7", "firing", "disk full")
    binary |= {"ce-type": "org.example.disk.resolved", "ce-subject": "web%202"}
    (over,) = forms_events.cloudevents(binary, b"", "ce", NOW)
    assert (over.status, over.key, over.title) == ("resolved", "/mon web 2", "org.example.disk.resolved web 2")
    with pytest.raises(FormError, match="specversion"):
        forms_events.cloudevents({"ce-id": "1"}, b"", "ce", NOW)


def test_the_generic_form_and_what_posts_to_a_chat() -> None:
    (one,) = forms.generic({"title": "UPS on battery", "severity": "warning", "labels": {"room": 4}}, "ups", NOW)
    (same,) = forms.generic({"title": "UPS on battery", "labels": {"room": 4}, "status": "ok"}, "ups", NOW)
    assert one.key == same.key and (one.status, same.status) == ("firing", "resolved")
    assert one.labels == {"room": "4"} and one.at == NOW
    (chat,) = forms.generic({"text": "backup failed"}, "cron", NOW)
    assert chat.title == "backup failed" and chat.sentence == "backup failed"
    many = forms.generic([{"title": "a"}, {"title": "b", "time": "2026-11-23T13:00:00Z"}], "x", NOW)
    assert [each.at.hour for each in many] == [14, 13]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({}, "neither a title nor a text"),
        ("x", "no JSON object"),
        ({"title": "x", "status": "purple"}, "status: write firing or resolved"),
        ({"title": "x", "time": "yesterday"}, "time: write an ISO time"),
        ({"title": "\u202e\x1b[2J"}, "neither a title nor a text"),
    ],
)
def test_what_is_wrong_with_a_generic_alert_is_said(body: object, sentence: str) -> None:
    with pytest.raises(FormError, match=sentence):
        forms.generic(body, "x", NOW)


def test_a_time_in_our_future_is_now_and_everything_is_bounded() -> None:
    told = {
        "title": "t" * 9_000,
        "text": "\x1b[31mred\x07 [bold] " + "x" * 9_000,
        "time": "2031-01-01T00:00:00Z",
        "labels": {f"l{number}": "v" * 9_000 for number in range(900)},
        "link": "https://user:password@host/x",
        "key": "k" * 9_000,
    }
    (one,) = forms.generic(told, "x", NOW)
    assert one.at == NOW and len(one.title) == 300 and len(one.text) == 2_000 and one.text.startswith("red [bold]")
    assert len(one.labels) == 40 and max(map(len, one.labels.values())) == 300 and len(one.key) == 200
    assert one.link == ""


def test_nagios_tells_by_the_environment_and_a_recovery_by_its_last_problem() -> None:
    base = {"NAGIOS_HOSTNAME": "web2", "NAGIOS_SERVICEDESC": "HTTP", "NAGIOS_SERVICEOUTPUT": "timeout; $(reboot) <b>"}
    problem = base | {
        "NAGIOS_NOTIFICATIONTYPE": "PROBLEM",
        "NAGIOS_SERVICESTATE": "CRITICAL",
        "NAGIOS_SERVICEPROBLEMID": "17",
    }
    recovery = base | {
        "NAGIOS_NOTIFICATIONTYPE": "RECOVERY",
        "NAGIOS_SERVICESTATE": "OK",
        "NAGIOS_SERVICEPROBLEMID": "0",
        "NAGIOS_LASTSERVICEPROBLEMID": "17",
    }
    (fires,), (over,) = (forms.generic(monitors.nagios(one), "nagios", NOW) for one in (problem, recovery))
    assert (fires.title, fires.status, fires.severity) == ("HTTP on web2 CRITICAL", "firing", "critical")
    assert (over.status, over.key, over.episode) == ("resolved", fires.key, "17") and fires.episode == "17 CRITICAL"
    assert fires.text == "timeout; $(reboot) <b>"
    (worse,) = forms.generic(monitors.nagios(problem | {"NAGIOS_SERVICESTATE": "WARNING"}), "nagios", NOW)
    assert worse.identity != fires.identity
    host = {"NAGIOS_HOSTNAME": "web2", "NAGIOS_HOSTSTATE": "DOWN", "NAGIOS_HOSTPROBLEMID": "3"}
    (down,) = forms.generic(monitors.nagios(host | {"NAGIOS_NOTIFICATIONTYPE": "PROBLEM"}), "nagios", NOW)
    assert (down.key, down.title) == ("web2", "web2 DOWN")
    acked = problem | {"NAGIOS_NOTIFICATIONTYPE": "ACKNOWLEDGEMENT", "NAGIOS_NOTIFICATIONCOMMENT": "ana looks"}
    (ack,) = forms.generic(monitors.nagios(acked), "nagios", NOW)
    assert (ack.status, ack.text) == ("acknowledged", "acknowledgement: ana looks")
    with pytest.raises(FormError, match="enable_environment_macros"):
        monitors.nagios({})


def test_icinga_tells_by_the_options_of_its_own_scripts() -> None:
    words = [
        "-d",
        "2026-11-23",
        "-l",
        "web2",
        "-n",
        "web2.example",
        "-o",
        "-rm -rf / ; `x`",
        "-r",
        "a@b",
        "-s",
        "CRITICAL",
    ]
    (one,) = forms.generic(monitors.icinga([*words, "-t", "PROBLEM", "-e", "http", "-u", "HTTP"]), "icinga", NOW)
    assert (one.key, one.title, one.text) == ("web2!http", "http on web2 CRITICAL", "-rm -rf / ; `x`")
    for wrong in (["-x", "1"], ["-l"], ["-l", "web2"]):
        with pytest.raises(FormError):
            monitors.icinga(wrong)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)
WORDS = """alerts status labels annotations startsAt endsAt fingerprint event data id event_type title text time key
link groupKey truncatedAlerts severity episode group since"""
FIELD = st.sampled_from(WORDS.split())
NEARLY = st.dictionaries(
    FIELD, ANYTHING | st.lists(st.dictionaries(FIELD, ANYTHING, max_size=8), max_size=3), max_size=9
)


@given(NEARLY | ANYTHING, st.sampled_from(["alertmanager", "polled", "generic", "pagerduty", "cloudevents"]))
def test_whatever_is_posted_gives_alerts_or_one_sentence(body: Any, form: str) -> None:
    try:
        if form == "cloudevents":
            headers = {"content-type": "application/cloudevents+json"}
            raw = json.dumps(body).encode("utf-8", "surrogatepass")
            found = forms_events.cloudevents(headers, raw, "s", NOW)
        else:
            module = forms_events if form == "pagerduty" else forms
            found = getattr(module, form)(body, "s", NOW)
    except FormError as error:
        assert error.sentence
        return
    for one in found:
        assert (
            isinstance(one, Alert)
            and one.title
            and one.at <= NOW
            and one.status in ("firing", "resolved", "acknowledged", "note")
        )
        shown = "".join([one.title, one.text, one.key, one.group, *one.labels, *one.labels.values()])
        assert shown.isprintable() or not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in shown)
        one.identity.encode()


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_json_or_are_not(body: bytes) -> None:
    try:
        forms.decode(body)
    except FormError as error:
        assert error.sentence == "the body is no JSON"


def test_json_that_is_too_deep_is_refused() -> None:
    with pytest.raises(FormError):
        forms.decode(b"[" * 500_000)
