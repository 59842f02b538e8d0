"""`check` on chats: what can be known without sending a message."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from incident_tui.watch.chat.trial import trial
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import SECRET, SINKS, START, Fake


async def tried(sink: ChatSink) -> tuple[bool, str]:
    ok, sentence = await trial(sink, lambda: START)
    assert SECRET not in sentence and "tokensecret" not in sentence
    return ok, sentence


async def test_a_webhook_gets_no_message_and_its_server_answers(fake: Fake) -> None:
    assert await tried(SINKS["slack"]) == (True, "its server answers; incident-tui chat test ops sends a message")
    assert fake.got == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://127.0.0.1:1/{SECRET}", "Connection refused"),
        (f"http://no-such-name.invalid/{SECRET}", "its name is not found"),
        (f"http://127.0.0.1:99999/{SECRET}", "not one"),
        (f"{SECRET}", "does not hold a URL"),
        ("", "is not set"),
    ],
)
async def test_what_stands_against_a_webhook(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    monkeypatch.setenv("ITUI_TEST_URL", url)
    ok, sentence = await tried(SINKS["slack"])
    assert not ok and words in sentence


async def test_a_server_without_tls_is_none(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    monkeypatch.setenv("ITUI_TEST_URL", fake.url.replace("http:", "https:"))
    assert await tried(SINKS["slack"]) == (False, "TLS could not be agreed")


async def test_a_platform_that_can_be_asked_is_asked_for_token_and_room(fake: Fake) -> None:
    matrix = msgspec.structs.replace(SINKS["matrix"], server=fake.server)
    assert (await tried(matrix))[0]
    answers = {
        401: '{"errcode":"M_UNKNOWN_TOKEN","error":"tokensecret is wrong"}',
        403: '{"errcode":"M_FORBIDDEN","error":"not in room"}',
        200: '{"algorithm":"m.megolm.v1.aes-sha2"}',
    }
    for status, body in answers.items():
        fake.reads = lambda got, status=status, body=body: web.Response(status=status, text=body)  # type: ignore[misc]
        ok, sentence = await tried(matrix)
        assert not ok and ("encrypted" in sentence or str(status) in sentence)
    zulip = msgspec.structs.replace(SINKS["zulip"], server=fake.server)
    fake.reads = lambda got: web.json_response({"result": "success"})
    assert (await tried(zulip))[0] and fake.got[-1].path == "/api/v1/users/me"
    fake.reads = lambda got: web.json_response({"result": "error", "msg": "Invalid API key"}, status=401)
    assert await tried(zulip) == (False, "answered 401 Invalid API key")
    slack = msgspec.structs.replace(SINKS["slack-api"], server=fake.server)
    fake.usual = lambda got: web.json_response({"ok": False, "error": "invalid_auth"})
    assert await tried(slack) == (False, "answered 200 invalid_auth") and fake.got[-1].path == "/api/auth.test"
    fake.usual = lambda got: web.json_response({"ok": True})
    assert (await tried(slack))[0]


async def test_a_program_and_a_file(tmp_path: Path) -> None:
    assert (await tried(ChatSink(name="ops", kind="command", command=("cat",))))[0]
    assert not (await tried(ChatSink(name="ops", kind="command", command=("/no/such",))))[0]
    assert (await tried(ChatSink(name="ops", kind="file", path=str(tmp_path / "updates"))))[0]
    assert not (await tried(ChatSink(name="ops", kind="file", path=str(tmp_path / "no" / "updates"))))[0]
