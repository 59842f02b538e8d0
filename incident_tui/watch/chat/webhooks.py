"""The shape `{"text": …}`: one URL that is the credential. Slack, Mattermost, Rocket.Chat, Google Chat, Zulip's Slack
endpoint, Matrix hookshot, and whatever else takes it. They differ in how text is disarmed, in limits and in pace.

Text goes into `text` alone: Zulip drops it beside `blocks` or `attachments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from incident_tui.watch.chat.answers import pause, refused, refused_inside, web_page
from incident_tui.watch.chat.bodies import NOTHING, URL, json_request, plain, with_query
from incident_tui.watch.chat.fitting import (
    backslashes,
    characters,
    entities,
    fit,
    json_bytes,
    no_links,
    no_mentions,
)
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One platform of this shape."""

    limit: int
    pace: Pace
    defuse: Callable[[str], str]
    measure: Callable[[str], int] = characters
    threaded: bool = False
    """Google Chat: `thread.threadKey` puts messages of one key together."""
    idempotent: bool = False
    threads: bool = False
    needs: frozenset[str] = URL
    may: frozenset[str] = NOTHING

    def size(self, text: str) -> int:
        return self.measure(self.defuse(text))

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        body: dict[str, Any] = {"text": self.defuse(fit(out.text, self.limit, self.size))}
        url = secrets.url
        if self.threaded and sink.threads and out.incident:
            body["thread"] = {"threadKey": out.incident}
            url = with_query(url, messageReplyOption="REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD")
        return json_request("POST", url, body)

    def judge(self, answer: Answer) -> Outcome:
        found = refused(answer) or web_page(answer)
        if found is not None:
            return found
        if problem := refused_inside(answer):
            return Outcome("dead", f"refused: {problem}")
        return Outcome("sent", wait=pause(answer))


def _slack(text: str) -> str:
    return no_links(no_mentions(entities(text)))


def _mattermost(text: str) -> str:
    # It translates Slack's angle brackets, then reads Markdown, in which entities and backslashes count.
    return no_links(no_mentions(backslashes(entities(text))))


SLACK: Final = Webhook(limit=3_900, pace=Pace(1.0, 5), defuse=_slack)
"""Slack advises 4,000 characters and one message a second; it is also the form for what is not known better, and every
platform of this shape takes as much."""
MATTERMOST: Final = Webhook(limit=16_000, pace=Pace(1.0, 5), defuse=_mattermost)
"""Above 16,383 characters it would split a message in several."""
ROCKETCHAT: Final = Webhook(limit=4_900, pace=Pace(6.0, 1), defuse=plain)
"""Ten calls a minute for each route, 5,000 characters by default."""
GOOGLECHAT: Final = Webhook(limit=30_000, measure=json_bytes, pace=Pace(1.0, 1), defuse=plain, threaded=True)
"""32,000 bytes, one message a second for a space. `requestId` would make it idempotent, but for webhooks that is not
confirmed, so it is not relied on."""
ZULIP_SLACK: Final = Webhook(limit=9_900, pace=Pace(0.5, 10), defuse=plain)
"""10,000 characters, 200 messages a minute. It does not read entities."""
