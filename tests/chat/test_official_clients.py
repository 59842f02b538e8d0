"""Fakes of platforms that cannot be had: the platform's own client and ours are understood by the same fake, alike."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import msgspec
import zulip
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from incident_tui.watch.chat.outbox import Outbox
from tests.chat.fakes import SINKS, START, Got, served, states, worker

TOKEN = "tokensecret"


def slack(got: Got) -> web.Response:
    """What Slack's documentation says of chat.postMessage, and of webhooks."""
    if got.path != "/api/chat.postMessage":
        return web.Response(text="ok") if got.json.get("text") else web.Response(status=400, text="no_text")
    if got.headers.get("authorization") != f"Bearer {TOKEN}":
        return web.json_response({"ok": False, "error": "invalid_auth"})
    fields = got.json if "json" in got.headers["content-type"] else got.form
    if not fields.get("channel") or not fields.get("text"):
        return web.json_response({"ok": False, "error": "invalid_arguments"})
    return web.json_response({"ok": True, "channel": fields["channel"], "ts": f"1700000000.{len(fields['text']):06}"})


async def test_slacks_client_and_ours_post_to_the_same_api(outbox: Outbox, monkeypatch: Any) -> None:
    monkeypatch.setenv("ITUI_TEST_TOKEN", TOKEN)
    async with served(slack) as fake:
        theirs = AsyncWebClient(token=TOKEN, base_url=f"{fake.server}/api/")
        answer = await theirs.chat_postMessage(channel="C1", text="[INC-1 a1] text 1", thread_ts="17.1", mrkdwn=False)
        assert answer["ok"] and answer["ts"]
        outbox.enqueue("ops", "j", [1], 1, START)
        sink = msgspec.structs.replace(SINKS["slack-api"], server=fake.server)
        outbox.begin_thread(f"ops slack-api {fake.server} C1", "INC-1", "17.1")
        async with worker(sink, outbox) as one:
            await one.steps()
        first, second = fake.got
        assert states(outbox) == ["sent"] and (first.method, first.path) == (second.method, second.path)
        assert first.headers["authorization"] == second.headers["authorization"]
        known = {"channel", "text", "thread_ts", "mrkdwn"}
        fields = first.json if "json" in first.headers["content-type"] else first.form
        assert {name: str(fields[name]).lower() for name in known} == {
            name: str(second.json[name]).lower() for name in known
        }


async def test_slacks_client_and_ours_post_to_the_same_webhook(outbox: Outbox, monkeypatch: Any) -> None:
    async with served(slack) as fake:
        monkeypatch.setenv("ITUI_TEST_URL", fake.url)
        answer = await AsyncWebhookClient(fake.url).send(text="[INC-1 a1] text 1")
        assert (answer.status_code, answer.body) == (200, "ok")
        outbox.enqueue("ops", "j", [1], 1, START)
        async with worker(SINKS["slack"], outbox) as one:
            await one.steps()
        first, second = fake.got
        assert first.json["text"] == second.json["text"] and states(outbox) == ["sent"]


def zulip_server(got: Got) -> web.Response:
    """What Zulip's API documentation says of sending a message, and what its client asks first."""
    wanted = "Basic " + base64.b64encode(f"bot@z.example:{TOKEN}".encode()).decode()
    if got.headers.get("authorization") != wanted:
        return web.json_response({"result": "error", "msg": "Invalid API key", "code": "INVALID_API_KEY"}, status=401)
    form = got.form
    if got.path != "/api/v1/messages" or form.get("type") not in ("stream", "channel") or not form.get("to"):
        return web.json_response({"result": "error", "msg": "Missing argument", "code": "BAD_REQUEST"}, status=400)
    return web.json_response({"result": "success", "msg": "", "id": len(form["content"])})


async def test_zulips_client_and_ours_send_the_same(outbox: Outbox, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("ITUI_TEST_TOKEN", TOKEN)
    async with served(zulip_server) as fake:
        settings = {"result": "success", "zulip_version": "9.0", "zulip_feature_level": 278}
        fake.reads = lambda got: web.json_response(settings)

        def theirs() -> dict[str, Any]:
            client = zulip.Client(email="bot@z.example", api_key=TOKEN, site=fake.server)
            message = {
                "type": "stream",
                "to": "incidents",
                "topic": "INC-1 gv0 is down",
                "content": "[INC-1 a1] text 1",
            }
            sent: dict[str, Any] = client.send_message(message)
            return sent

        assert (await asyncio.to_thread(theirs))["result"] == "success"
        outbox.enqueue("ops", "j", [1], 1, START)
        async with worker(msgspec.structs.replace(SINKS["zulip"], server=fake.server), outbox) as one:
            await one.steps()
        first, second = (got for got in fake.got if got.method == "POST")
        assert states(outbox) == ["sent"]
        assert first.path == second.path and first.headers["authorization"] == second.headers["authorization"]
        assert {name: first.form[name].strip('"') for name in second.form} == second.form


async def test_a_wrong_key_is_said_in_zulips_words(outbox: Outbox, monkeypatch: Any) -> None:
    monkeypatch.setenv("ITUI_TEST_TOKEN", "another")
    async with served(zulip_server) as fake:
        outbox.enqueue("ops", "j", [1], 1, START)
        async with worker(msgspec.structs.replace(SINKS["zulip"], server=fake.server), outbox) as one:
            await one.sender.step()
            assert "401 Invalid API key" in one.sender.row().problem and states(outbox) == ["waiting"]
