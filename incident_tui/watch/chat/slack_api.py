"""Slack, its Web API: `chat.postMessage` with a bot's token. Unlike a webhook it names the message, so that an incident
has its thread. Errors come with status 200. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from incident_tui.watch.chat.answers import halted, inside, refused, wait_of, web_page, words
from incident_tui.watch.chat.bodies import bearer, json_request
from incident_tui.watch.chat.fitting import fit
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Request, Secrets
from incident_tui.watch.chat.webhooks import SLACK
from incident_tui.watch.settings import ChatSink

SERVER: Final = "https://slack.com"
_LATER: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_NO_THREAD: Final = frozenset({"thread_not_found", "message_not_found"})
_OF_THE_MESSAGE: Final = frozenset(
    {
        "msg_too_long",
        "no_text",
        "invalid_blocks",
        "message_limit_exceeded",
        "cannot_reply_to_message",
        "invalid_arguments",
    }
)


class SlackApi:
    limit = SLACK.limit
    pace = SLACK.pace
    idempotent = False
    threads = True
    needs = frozenset({"room", "token"})
    may = frozenset({"server"})

    def size(self, text: str) -> int:
        return SLACK.size(text)

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        body: dict[str, Any] = {
            "channel": sink.room,
            "text": SLACK.defuse(fit(out.text, self.limit, self.size)),
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if out.root:
            body["thread_ts"] = out.root
        url = (sink.server or SERVER).rstrip("/") + "/api/chat.postMessage"
        request = json_request("POST", url, body, bearer(secrets.token))
        request.headers["Content-Type"] = "application/json; charset=utf-8"  # it warns without the character set
        return request

    def question(self, sink: ChatSink, secrets: Secrets) -> Request:
        return Request("POST", (sink.server or SERVER).rstrip("/") + "/api/auth.test", bearer(secrets.token), b"")

    def objection(self, answer: Answer) -> str:
        found = inside(answer)
        good = answer.status == 200 and found.get("ok") is True
        return "" if good else words(f"answered {answer.status} {found.get('error', '')}")

    def judge(self, answer: Answer) -> Outcome:
        found = inside(answer)
        outcome = refused(answer, str(found.get("error", ""))) or web_page(answer)
        if outcome is not None:
            return outcome
        if found.get("ok") is not True:
            error = words(str(found.get("error") or answer.text)) or "an answer without ok"
            if error in _NO_THREAD:
                return Outcome(
                    "again", f"answered 200 with {error}; a new thread is begun", timedelta(0), rootless=True
                )
            if error in _LATER:
                return Outcome("again", f"answered 200 with {error}", wait_of(answer))
            return Outcome("dead", f"refused: {error}") if error in _OF_THE_MESSAGE else halted(error)
        return Outcome("sent", remote=str(found.get("ts", "")))
