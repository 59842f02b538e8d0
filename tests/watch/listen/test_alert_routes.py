"""Alerts by HTTP: from whom they say, saved before they are acknowledged, refused without a word otherwise."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.watch.alerts.settings import AlertSource, Listener
from tests.watch.alerts.test_forms import ALERTMANAGER
from tests.watch.listen.conftest import SECRET, TOKEN

Start = Callable[..., Any]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AM = AlertSource(name="am", token_env="TOKEN")


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_what_is_acknowledged_is_saved(listening: Start) -> None:
    one = await listening((AM,))
    assert await one.post("/alerts/am", ALERTMANAGER, BEARER) == (200, {"taken": 3})
    assert await one.post("/alerts/am", ALERTMANAGER, BEARER) == (200, {"taken": 3})
    assert [entry.data["status"] for entry in one.entries(Kind.ALERT)] == ["firing", "resolved", "note"]
    assert one.sources.rows()[0].heard_at == one.now


@pytest.mark.parametrize(
    ("path", "headers", "method"),
    [
        ("/alerts/am", {}, "POST"),
        ("/alerts/am", {"Authorization": "Bearer wrong"}, "POST"),
        ("/alerts/am", {"Authorization": f"Basic {TOKEN}"}, "POST"),
        ("/alerts/am", BEARER, "GET"),
        ("/alerts/am", {**BEARER, "Origin": "https://evil.example"}, "POST"),
        ("/alerts/am/", {}, "POST"),
        ("/alerts/other", BEARER, "POST"),
        ("/alerts/am/../am", {}, "POST"),
        ("/chat/am", BEARER, "POST"),
        ("/", BEARER, "POST"),
        ("/alerts/am", {**BEARER, "Content-Encoding": "gzip"}, "POST"),
    ],
)
async def test_who_is_not_known_gets_401_and_no_detail(
    listening: Start, path: str, headers: dict[str, str], method: str
) -> None:
    one = await listening((AM,))
    assert await one.post(path, ALERTMANAGER, headers, method) == (401, {})
    assert one.entries(Kind.ALERT) == []


async def test_each_kind_has_its_signature(listening: Start) -> None:
    pagerduty = {"event": {"id": "e1", "event_type": "incident.triggered", "data": {"id": "P1", "title": "x"}}}
    cases: dict[str, tuple[Any, Callable[[bytes], dict[str, str]]]] = {
        "pagerduty": (pagerduty, lambda body: {"X-PagerDuty-Signature": f"v1=00,v1={signature(body)}"}),
        "grafana": (ALERTMANAGER, lambda body: {"X-Grafana-Alerting-Signature": signature(body)}),
        "generic": ({"title": "x"}, lambda body: {"X-Signature": f"sha256={signature(body)}"}),
    }
    sources = tuple(AlertSource(name=kind, kind=kind, secret_env="SECRET") for kind in cases)
    one = await listening(sources)
    for kind, (told, sign) in cases.items():
        body = json.dumps(told).encode()
        assert (await one.post(f"/alerts/{kind}", body, sign(body)))[0] == 200, kind
        assert (await one.post(f"/alerts/{kind}", body + b" ", sign(body)))[0] == 401, kind
        assert (await one.post(f"/alerts/{kind}", body, BEARER))[0] == 401, kind
    assert {entry.data["from"] for entry in one.entries(Kind.ALERT)} == set(cases)


async def test_token_and_secret_must_both_hold_where_both_are_named(listening: Start) -> None:
    one = await listening((AlertSource(name="g", kind="generic", token_env="TOKEN", secret_env="SECRET"),))
    body = b'{"text": "hello"}'
    signed = {"X-Signature": f"sha256={signature(body)}"}
    assert [(await one.post("/alerts/g", body, each))[0] for each in (signed, BEARER, {**signed, **BEARER})] == [
        401,
        401,
        200,
    ]


async def test_basic_and_the_listeners_token(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_PASSWORD", "tui:pass")
    sources = (
        AlertSource(name="a", kind="generic", auth="basic", token_env="USER_PASSWORD"),
        AlertSource(name="b", kind="generic"),
    )
    one = await listening(sources, listener=Listener(bind="127.0.0.1:1", token_env="TOKEN"))
    basic = {"Authorization": f"Basic {base64.b64encode(b'tui:pass').decode()}"}
    assert (await one.post("/alerts/a", {"text": "x"}, basic))[0] == 200
    assert (await one.post("/alerts/b", {"text": "x"}, BEARER))[0] == 200
    assert (await one.post("/alerts/b", {"text": "x"}))[0] == 401
    monkeypatch.delenv("TOKEN")
    assert (await one.post("/alerts/b", {"text": "x"}, BEARER))[0] == 401, "a token that cannot be read lets nobody in"
    assert one.sources.rows()[1].problem == "$TOKEN is not set where the watch was started"


async def test_on_loopback_alone_a_source_may_have_no_token(listening: Start) -> None:
    here = await listening((AlertSource(name="g", kind="generic"),))
    assert (await here.post("/alerts/g", {"text": "x"}))[0] == 200
    there = await listening((AlertSource(name="g", kind="generic"),), listener=Listener(bind="192.0.2.1:1"))
    assert (await there.post("/alerts/g", {"text": "x"}))[0] == 401


async def test_cloudevents(listening: Start) -> None:
    one = await listening((AlertSource(name="ce", kind="cloudevents", token_env="TOKEN"),))
    headers = {**BEARER, "ce-id": "1", "ce-source": "/s", "ce-type": "org.x.alert", "ce-specversion": "1.0"}
    assert (await one.post("/alerts/ce", {"title": "x"}, {**headers, "Content-Type": "application/json"}))[0] == 200
    assert (await one.post("/alerts/ce", {"title": "x"}, {**headers, "Content-Type": "application/json"}))[0] == 200
    assert len(one.entries(Kind.ALERT)) == 1


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b'{"alerts": 3}', b'{"alerts": [{"status": "x"}]}', b"\xff\xfe"]
)
async def test_what_is_not_understood_is_said_to_who_is_known_and_shown(listening: Start, body: bytes) -> None:
    one = await listening((AM,))
    status, told = await one.post("/alerts/am", body, BEARER)
    assert status == 400 and told["error"]
    assert one.sources.rows()[0].problem.startswith("what it posts is not understood")
    assert (await one.post("/alerts/am", ALERTMANAGER, BEARER))[0] == 200
    assert one.sources.rows()[0].problem == ""


async def test_a_disk_that_hangs_is_503_and_told_again_nothing_is_doubled(listening: Start) -> None:
    one = await listening((AM,))
    one.hang = asyncio.Event()
    assert (await one.post("/alerts/am", ALERTMANAGER, BEARER))[0] == 503
    assert one.entries(Kind.ALERT) == []
    one.hang.set()
    assert (await one.post("/alerts/am", ALERTMANAGER, BEARER))[0] == 200
    assert len(one.entries(Kind.ALERT)) == 3


async def test_what_waits_for_the_disk_is_bounded(listening: Start) -> None:
    one = await listening((AlertSource(name="g", kind="generic"),))
    one.hang = asyncio.Event()
    body = json.dumps({"title": "x", "text": "y" * 900_000}).encode()
    answers = await asyncio.gather(*(one.post("/alerts/g", body) for _ in range(40)))
    assert {status for status, _ in answers} == {503}
    assert one.routes._pending <= 16 * 1024 * 1024 and 1 <= len(one.routes._tasks) < 40
    one.hang.set()
    assert (await one.post("/alerts/g", {"title": "after"}))[0] == 200
