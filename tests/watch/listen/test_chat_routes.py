"""Slash commands, outgoing webhooks and events of chat platforms, by HTTP."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from incident_tui.incident.entry import Kind
from incident_tui.watch.alerts.settings import Hook
from incident_tui.watch.inbound.verbs import NOT_ALLOWED
from tests.watch.listen.conftest import INCIDENT, NOW, SECRET, TOKEN

Start = Callable[..., Any]
PEOPLE: dict[str, Any] = {"people": {"U1": "ana"}, "allow": ("U1",)}
SLACK = Hook(name="ops", kind="slack", secret_env="SECRET", take=("all",), **PEOPLE)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def signed(body: bytes, at: float = NOW.timestamp(), secret: str = SECRET) -> dict[str, str]:
    """As Slack signs it, by Slack's own client."""
    stamp = str(int(at))
    made = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    assert made is not None
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": made}


def command(text: str, user: str = "U1", trigger: str = "t1", **more: str) -> bytes:
    fields = {"token": "x", "channel_id": "C1", "user_id": user, "user_name": "ana", "command": "/inc", "text": text}
    return urlencode({**fields, "trigger_id": trigger, **more}).encode()


async def test_a_slash_command_of_slack(listening: Start) -> None:
    one = await listening(hooks=(SLACK,))
    body = command("sev 1 data at risk")
    status, told = await one.post("/chat/ops", body, {**FORM, **signed(body)})
    assert status == 200 and told["response_type"] == "ephemeral" and "SEV1 (was SEV2): data at risk" in told["text"]
    (entry,) = one.entries(Kind.SEVERITY)
    assert (entry.author.name, entry.author.proven, entry.incident) == ("ana", True, INCIDENT)


async def test_a_signature_is_good_once_and_for_five_minutes(listening: Start) -> None:
    one = await listening(hooks=(SLACK,))
    body = command("note x")
    headers = {**FORM, **signed(body)}
    assert (await one.post("/chat/ops", body, headers))[0] == 200
    assert (await one.post("/chat/ops", body, headers)) == (401, {})
    for wrong in (signed(body, NOW.timestamp() - 301), signed(body, secret="other"), signed(body + b"x"), {}):
        assert (await one.post("/chat/ops", body, {**FORM, **wrong})) == (401, {})
    assert len(one.entries(Kind.NOTE)) == 1


async def test_who_is_not_allowed_is_told_so(listening: Start) -> None:
    one = await listening(hooks=(SLACK,))
    body = command("sev 1 x", user="U2")
    assert (await one.post("/chat/ops", body, {**FORM, **signed(body)}))[1]["text"] == NOT_ALLOWED
    assert one.entries(Kind.SEVERITY) == []


async def test_events_of_slack(listening: Start) -> None:
    one = await listening(hooks=(SLACK,))

    async def event(told: dict[str, Any]) -> tuple[int, Any]:
        body = json.dumps(told).encode()
        answer: tuple[int, Any] = await one.post(
            "/chat/ops", body, {**signed(body), "Content-Type": "application/json", "X-Slack-Retry-Num": "1"}
        )
        return answer

    assert await event({"type": "url_verification", "challenge": "c" * 9, "token": "x"}) == (
        200,
        {"challenge": "c" * 9},
    )
    ts = f"{NOW.timestamp():.6f}"
    message = {"type": "message", "channel": "C1", "user": "U1", "text": "web2 &lt;down&gt; &amp; out", "ts": ts}
    assert await event({"type": "event_callback", "event_id": "E1", "event": message}) == (200, {})
    await event({"type": "event_callback", "event_id": "E1", "event_time": 2, "event": message})
    edited = {"user": "U1", "ts": ts, "text": "web2 is back", "edited": {"ts": f"{NOW.timestamp() + 9:.6f}"}}
    one.now = NOW.replace(minute=1)
    await event(
        {
            "type": "event_callback",
            "event": {"type": "message", "subtype": "message_changed", "channel": "C1", "message": edited},
        }
    )
    unfurled = {key: edited[key] for key in ("user", "ts", "text")}
    await event(
        {
            "type": "event_callback",
            "event": {"type": "message", "subtype": "message_changed", "channel": "C1", "message": unfurled},
        }
    )
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": ts, "event_ts": ts}
    await event({"type": "event_callback", "event": gone})
    joined = {
        "type": "message",
        "subtype": "channel_join",
        "channel": "C1",
        "user": "U9",
        "text": "joined",
        "ts": "9.1",
    }
    await event({"type": "event_callback", "event": joined})
    (entry,) = one.entries(Kind.CHAT)
    assert entry.text == "web2 <down> & out" and entry.at == NOW
    assert [entry.data for entry in one.entries(Kind.AMEND)] == [{"text": "web2 is back"}]
    assert len(one.entries(Kind.STRIKE)) == 1


MATTERMOST = {
    "token": TOKEN,
    "channel_id": "ch1",
    "post_id": "p1",
    "text": "!log restarted nginx",
    "timestamp": str(int(NOW.timestamp() * 1000)),
    "user_id": "U1",
    "user_name": "ana",
    "trigger_word": "!log",
}


async def test_mattermosts_outgoing_webhook_and_slash_command(listening: Start) -> None:
    one = await listening(hooks=(Hook(name="mm", kind="mattermost", token_env="TOKEN", **PEOPLE),))
    as_form = urlencode(MATTERMOST).encode()
    json_header = {"Content-Type": "application/json"}
    assert await one.post("/chat/mm", as_form, FORM) == (200, {})
    assert await one.post("/chat/mm", {**MATTERMOST, "post_id": "p2", "text": "!log two"}, json_header) == (200, {})
    assert await one.post("/chat/mm", as_form, FORM) == (200, {})
    assert [(entry.text, entry.at) for entry in one.entries(Kind.CHAT)] == [("restarted nginx", NOW), ("two", NOW)]
    body = command("action look at web2", token=TOKEN)
    authorised = {**FORM, "Authorization": f"Token {TOKEN}"}
    assert (await one.post("/chat/mm", body, authorised))[0] == 200
    assert [entry.text for entry in one.entries(Kind.ACTION)] == ["look at web2"]
    assert (await one.post("/chat/mm", body, {**FORM, "Authorization": "Token other"}))[0] == 401
    for token in ("", "wrong", TOKEN + "x"):
        assert await one.post("/chat/mm", {**MATTERMOST, "token": token}, json_header) == (401, {})
    assert await one.post("/chat/mm", {**MATTERMOST, "token": [TOKEN]}, json_header) == (401, {})


async def test_rocketchats_outgoing_webhook(listening: Start) -> None:
    one = await listening(hooks=(Hook(name="rc", kind="rocketchat", token_env="TOKEN", take=("all",), **PEOPLE),))
    told = {
        "token": TOKEN,
        "bot": False,
        "channel_id": "GENERAL",
        "channel_name": "general",
        "message_id": "m1",
        "timestamp": "2026-11-23T14:00:00.000Z",
        "user_id": "U1",
        "user_name": "ana",
        "text": "the switch is back",
        "siteUrl": "https://rc.example",
    }
    headers = {"Content-Type": "application/json"}
    assert await one.post("/chat/rc", told, headers) == (200, {})
    one.now = NOW.replace(minute=2)
    assert await one.post("/chat/rc", {**told, "isEdited": True, "text": "the switch is up"}, headers) == (200, {})
    assert [entry.text for entry in one.entries(Kind.CHAT)] == ["the switch is back"]
    assert [entry.data["text"] for entry in one.entries(Kind.AMEND)] == ["the switch is up"]


async def test_zulips_outgoing_webhook_in_both_forms(listening: Start) -> None:
    hook = Hook(name="z", kind="zulip", token_env="TOKEN", take=("all",), people={"25": "ana"}, allow=("25",))
    one = await listening(hooks=(hook,))
    message = {
        "id": 112,
        "sender_id": 25,
        "sender_full_name": "Ana P",
        "content": "@**tui** heal is at 40 %",
        "timestamp": int(NOW.timestamp()),
        "stream_id": 7,
        "subject": INCIDENT,
        "type": "stream",
    }
    native = {
        "bot_email": "b@z",
        "data": "@**tui** heal is at 40 %",
        "message": message,
        "token": TOKEN,
        "trigger": "mention",
    }
    headers = {"Content-Type": "application/json"}
    assert await one.post("/chat/z", native, headers) == (200, {"response_not_required": True})
    line = {**native, "data": "@**tui** /inc sev 1 x", "message": {**message, "id": 113}}
    assert "SEV1" in (await one.post("/chat/z", line, headers))[1]["content"]
    slack_form = urlencode(
        {
            "token": TOKEN,
            "team_id": "T1",
            "channel_id": "C7",
            "timestamp": str(NOW.timestamp()),
            "user_id": "U25",
            "user_name": "Ana P",
            "text": "again",
            "trigger_word": "mention",
            "command": "mention",
            "service_id": "27",
        }
    ).encode()
    assert (await one.post("/chat/z", slack_form, FORM))[0] == 200
    assert [(entry.text, entry.data.get("thread")) for entry in one.entries(Kind.CHAT)] == [
        ("heal is at 40 %", INCIDENT),
        ("again", None),
    ]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"a=b", b"[]", b"&".join(b"a%d=1" % n for n in range(500))])
async def test_what_is_no_form_of_theirs_is_refused(listening: Start, body: bytes) -> None:
    one = await listening(hooks=(SLACK, Hook(name="mm", kind="mattermost", token_env="TOKEN")))
    for kind in ("application/json", "application/x-www-form-urlencoded", ""):
        header = {"Content-Type": kind} if kind else {}
        assert (await one.post("/chat/mm", body, header)) == (401, {})
        status, told = await one.post("/chat/ops", body, {**header, **signed_any(body)})
        assert status == 400 and told["error"], (kind, told)


_SECONDS = itertools.count()


def signed_any(body: bytes) -> dict[str, str]:
    """Signed bytes that are no text, each time with another time."""
    stamp = str(int(NOW.timestamp()) + next(_SECONDS))
    digest = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
