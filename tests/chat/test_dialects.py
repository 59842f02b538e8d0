"""What each platform is sent: nobody is named, nothing is too long, and an answer means what it means there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.text import sanitise
from incident_tui.watch.chat.answers import pause, wait_of
from incident_tui.watch.chat.fitting import GAP
from incident_tui.watch.chat.kinds import PLATFORMS
from incident_tui.watch.chat.matrix import Matrix
from incident_tui.watch.chat.platform import HALT, Answer, Outgoing, Request, Secrets
from tests.chat.fakes import HOSTILE, SECRET, SINKS, START, Got

SECRETS = Secrets(url=f"https://chat.example/hooks/{SECRET}?key=1", token="sometoken")
KINDS = sorted(PLATFORMS)


def made(kind: str, text: str, **more: Any) -> Request:
    fields: dict[str, Any] = {"key": "j-1", "tag": "[INC-1 a1]", "incident": "INC-1", "title": "gv0 is down", **more}
    return PLATFORMS[kind].request(Outgoing(text=sanitise(text, lines=True), **fields), SINKS[kind], SECRETS)


def said(request: Request) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Got(request.method, "", {}, headers, request.body).text


def answered(kind: str, status: int, text: str = "", **headers: str) -> Any:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return PLATFORMS[kind].judge(Answer(status, names, text, START))


GOLDEN = {
    "slack": "&lt;!channel&gt; &lt;users/all&gt; @~channel @~**all** &amp; &lt; * _ | `x` [red]~(u)",
    "slack-api": "&lt;!channel&gt; &lt;users/all&gt; @~channel @~**all** &amp; &lt; * _ | `x` [red]~(u)",
    "mattermost": "&lt;!channel&gt; &lt;users/all&gt; @~channel @~\\*\\*all\\*\\* "
    "&amp; &lt; \\* \\_ \\| \\`x\\` [red]~(u)",
    "rocketchat": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "googlechat": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "zulip-slack": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "zulip": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "discord": "<~!channel> <~users/all> @~channel @~\\*\\*all\\*\\* & <~ \\* \\_ \\| \\`x\\` [red]~(u)",
    "teams": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "flowdock": "<~!channel> <~users/all> @~channel @~**all** & <~ * _ | `x` [red]~(u)",
    "matrix": "<!channel> <users/all> @~channel @~**all** & < * _ | `x` [red](u)",
}
"""`~` is the gap that nobody sees. Matrix shows plain text."""


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_as_each_platform_gets_it(kind: str) -> None:
    text = said(made(kind, "<!channel> <users/all> @channel @**all** & < * _ | `x` [red](u)\x1b[31m"))
    assert text.replace(GAP, "~") == GOLDEN[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_named(kind: str) -> None:
    text = said(made(kind, HOSTILE))
    for mention in ("@channel", "@here", "@everyone", "@room", "@all", "@ana", "@*", "@_", "@\\"):
        assert mention not in text
    if kind != "matrix":  # reads no markup in its plain body
        for mark in ("<!", "<@", "<users", "<http", "]("):
            assert mark not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_command_can_be_copied_and_names_nobody(kind: str) -> None:
    assert "ssh root@web1" in said(made(kind, "ssh root@web1"))
    for hidden in ("x@everyone", "x@_**ana**", "x@**all**", "é@ana", "_@ana", "@root@web1"):
        assert "@" + GAP in said(made(kind, hidden)), hidden


def test_the_platforms_own_guards_against_mentions_are_on() -> None:
    assert json.loads(made("discord", HOSTILE).body)["allowed_mentions"] == {"parse": []}
    assert json.loads(made("matrix", HOSTILE).body)["m.mentions"] == {}
    assert "formatted_body" not in json.loads(made("matrix", HOSTILE).body)
    assert json.loads(made("slack-api", HOSTILE).body)["mrkdwn"] is False


LIMITS = {
    "slack": (4_000, len),
    "slack-api": (4_000, len),
    "mattermost": (16_383, len),
    "rocketchat": (5_000, len),
    "googlechat": (32_000, lambda text: len(text.encode())),
    "zulip-slack": (10_000, len),
    "zulip": (10_000, len),
    "discord": (2_000, lambda text: len(text.encode("utf-16-le")) // 2),
    "teams": (28_000, lambda text: len(text.encode())),
    "flowdock": (8_096, len),
    "matrix": (65_536, lambda text: len(text.encode())),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("character", ["x", "<", "&", "@", "*", "é", "☃", "🔥", "\n", '"', "\\"])
def test_what_is_too_long_is_cut_to_the_platforms_limit_and_says_so(kind: str, character: str) -> None:
    request = made(kind, "begin " + character * 63_000)
    text = said(request)
    limit, size = LIMITS[kind]
    assert size(text) <= limit and text.startswith("begin") and "the whole text is in the journal" in text
    if kind in ("teams", "matrix", "googlechat"):
        assert len(request.body) <= limit


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.text(max_size=3000))
def test_any_text_makes_a_request(kind: str, value: str) -> None:
    limit, size = LIMITS[kind]
    assert size(said(made(kind, value))) <= limit


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_shows_no_secret(kind: str) -> None:
    request = made(kind, "x")
    assert SECRET not in repr(request) + repr(SECRETS) and "sometoken" not in repr(request) + repr(SECRETS)
    assert SECRET.encode() not in request.body and b"sometoken" not in request.body


def test_where_each_request_goes() -> None:
    assert made("slack", "x").url == SECRETS.url
    assert made("discord", "x").url == SECRETS.url + "&wait=true"
    assert made("googlechat", "x").url == SECRETS.url + "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    matrix = made("matrix", "x")
    assert (matrix.method, matrix.url) == (
        "PUT",
        "https://m.example/_matrix/client/v3/rooms/%21r%3Am.example/send/m.room.message/j-1",
    )
    assert made("zulip", "x").url == "https://z.example/api/v1/messages"
    assert made("slack-api", "x").url == "https://slack.com/api/chat.postMessage"


def test_one_thread_an_incident() -> None:
    assert json.loads(made("googlechat", "x").body)["thread"] == {"threadKey": "INC-1"}
    assert json.loads(made("flowdock", "x").body)["external_thread_id"] == "INC-1"
    assert "topic=INC-1+gv0+is+down" in made("zulip", "x").body.decode()
    assert json.loads(made("slack-api", "x", root="17.1").body)["thread_ts"] == "17.1"
    relation = json.loads(made("matrix", "x", root="$e").body)["m.relates_to"]
    assert (relation["rel_type"], relation["event_id"]) == ("m.thread", "$e")
    assert "m.relates_to" not in json.loads(made("matrix", "x").body)


SUCCESS = {
    "slack": (200, "ok"),
    "slack-api": (200, '{"ok": true, "ts": "17.1"}'),
    "mattermost": (200, "ok"),
    "rocketchat": (200, '{"success":true}'),
    "googlechat": (200, '{"name":"spaces/S/messages/M","thread":{"name":"spaces/S/threads/T"}}'),
    "zulip-slack": (200, '{"result":"success","msg":""}'),
    "zulip": (200, '{"result":"success","msg":"","id":42}'),
    "discord": (200, '{"id":"1"}'),
    "teams": (202, ""),
    "flowdock": (200, "{}"),
    "matrix": (200, '{"event_id":"$e"}'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_success_is_one(kind: str) -> None:
    outcome = answered(kind, *SUCCESS[kind])
    assert outcome.state == ("accepted" if kind == "teams" else "sent") and outcome.problem == ""


@pytest.mark.parametrize(
    ("kind", "status", "text", "state", "words"),
    [
        ("slack", 200, '{"ok":false,"error":"channel_is_archived"}', "dead", "channel_is_archived"),
        ("slack", 400, "invalid_payload \x1b[31m", "dead", "400 invalid_payload"),
        ("slack", 404, "no_team", "again", "no_team"),
        ("slack", 200, "<html><title>Log in</title>", "again", "web page"),
        ("slack-api", 200, '{"ok":false,"error":"msg_too_long"}', "dead", "msg_too_long"),
        ("slack-api", 200, '{"ok":false,"error":"invalid_auth"}', "again", "invalid_auth"),
        ("slack-api", 200, '{"ok":false,"error":"ratelimited"}', "again", "ratelimited"),
        ("slack-api", 200, "", "again", "without ok"),
        ("rocketchat", 200, '{"success":false,"error":"error-invalid-channel"}', "dead", "error-invalid-channel"),
        ("rocketchat", 503, "", "again", "503"),
        ("zulip-slack", 200, '{"result":"error","msg":"Stream does not exist"}', "dead", "Stream does not exist"),
        ("zulip", 400, '{"result":"error","msg":"Stream \'x\' does not exist"}', "dead", "does not exist"),
        ("zulip", 200, "{}", "dead", "refused"),
        ("discord", 204, "", "accepted", ""),
        ("discord", 404, '{"message":"Unknown Webhook"}', "again", "Unknown Webhook"),
        ("discord", 400, '{"content":["Must be 2000 or fewer in length."]}', "dead", "2000"),
        (
            "teams",
            200,
            "failed with error: Microsoft Teams endpoint returned HTTP error 413",
            "dead",
            "413",
        ),
        ("teams", 200, "Microsoft Teams endpoint returned HTTP error 429 with ContextId", "again", "429"),
        ("flowdock", 202, "{}", "accepted", ""),
        ("matrix", 413, '{"errcode":"M_TOO_LARGE","error":"event too large"}', "dead", "M_TOO_LARGE event too large"),
        ("matrix", 401, '{"errcode":"M_UNKNOWN_TOKEN","error":"x"}', "again", "M_UNKNOWN_TOKEN"),
        ("matrix", 200, "{}", "again", "without an event"),
        ("matrix", 302, "", "again", "302"),
    ],
)
def test_answers_that_are_no_success(kind: str, status: int, text: str, state: str, words: str) -> None:
    outcome = answered(kind, status, text)
    assert outcome.state == state and words in outcome.problem and "\x1b" not in outcome.problem


def test_a_sink_that_is_refused_as_such_is_left_alone_for_a_while() -> None:
    assert answered("discord", 404, "{}").wait == HALT and answered("discord", 400, "{}").wait is None


def test_a_secret_in_the_platforms_words_is_not_repeated() -> None:
    said = answered("slack", 400, "bad request Authorization: Bearer xoxb-123456789012-abcdefABCDEF").problem
    assert "abcdefABCDEF" not in said


@pytest.mark.parametrize(
    ("header", "text", "seconds"),
    [
        ("3", "", 3.0),
        ("0.5", "", 0.5),
        ("Mon, 23 Nov 2026 03:10:20 GMT", "", 20.0),
        ("Mon, 23 Nov 2026 03:00:00 GMT", "", 0.0),
        (None, '{"retry_after": 1.5}', 1.5),
        (None, '{"retry-after": 2.5}', 2.5),
        (None, '{"retry_after_ms": 4494}', 4.494),
        ("5", '{"retry_after_ms": 4494}', 5.0),
        ("1", '{"retry_after": 1.5}', 1.5),
        ("999999", "", 600.0),
        (None, '{"retry_after_ms": 9e300}', 600.0),
    ],
)
def test_every_form_of_retry_after(header: str | None, text: str, seconds: float) -> None:
    wait = wait_of(Answer(429, {} if header is None else {"retry-after": header}, text, START))
    assert wait is not None and wait.total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("header", [None, "soon", "-4", "nan", "inf"])
def test_nonsense_in_retry_after_is_not_an_answer(header: str | None) -> None:
    assert wait_of(Answer(429, {"retry-after": header} if header else {}, "[]", START)) is None


def test_an_allowance_that_is_used_up_makes_a_pause() -> None:
    def wait(**headers: str) -> float | None:
        found = pause(Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, "", START))
        return None if found is None else found.total_seconds()

    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset_after="1.25") == 1.25
    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset=str(START.timestamp() + 30)) == 30
    assert wait(x_ratelimit_remaining="3", x_ratelimit_reset_after="1.25") is None
    assert wait(x_ratelimit_remaining="0", x_ratelimit_reset="9e99") == 600


def test_an_encrypted_room_is_refused() -> None:
    assert "encrypted" in Matrix().objection(Answer(200, {}, '{"algorithm":"m.megolm.v1.aes-sha2"}', START))
    assert Matrix().objection(Answer(404, {}, '{"errcode":"M_NOT_FOUND"}', START)) == ""
