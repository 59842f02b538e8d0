"""Zulip, its own API: a bot's messages to a stream, the topic is the incident's thread. Pure.

It reads no entities and no backslashes; a mention is `@**…**`, which the gap behind each `@` disarms.
"""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import urlencode

from incident_tui.watch.chat.answers import inside, pause, refused, words
from incident_tui.watch.chat.bodies import plain
from incident_tui.watch.chat.fitting import fit
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink

_TOPIC: Final = 60


class Zulip:
    limit = 9_900
    """Characters, of 10,000."""
    pace = Pace(0.5, 10)
    """200 messages a minute."""
    idempotent = False
    threads = False
    needs = frozenset({"server", "account", "stream", "token"})
    may = frozenset({"topic"})

    def size(self, text: str) -> int:
        return len(plain(text))

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        form = {
            "type": "stream",
            "to": sink.stream,
            "topic": self._topic(out, sink),
            "content": plain(fit(out.text, self.limit, self.size)),
        }
        headers = {**self._basic(sink, secrets), "Content-Type": "application/x-www-form-urlencoded"}
        return Request("POST", sink.server.rstrip("/") + "/api/v1/messages", headers, urlencode(form).encode())

    @staticmethod
    def _topic(out: Outgoing, sink: ChatSink) -> str:
        if sink.topic:
            return sink.topic
        if not sink.threads or not out.incident:
            return "incidents"
        return f"{out.incident} {plain(out.title)}".strip()[:_TOPIC].rstrip()

    def question(self, sink: ChatSink, secrets: Secrets) -> Request:
        return Request("GET", sink.server.rstrip("/") + "/api/v1/users/me", self._basic(sink, secrets), b"")

    def objection(self, answer: Answer) -> str:
        found = inside(answer)
        good = answer.status == 200 and found.get("result") == "success"
        return "" if good else words(f"answered {answer.status} {found.get('msg', '')}")

    @staticmethod
    def _basic(sink: ChatSink, secrets: Secrets) -> dict[str, str]:
        pair = base64.b64encode(f"{sink.account}:{secrets.token}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def judge(self, answer: Answer) -> Outcome:
        found = inside(answer)
        outcome = refused(answer, str(found.get("msg", "")))
        if outcome is not None:
            return outcome
        if found.get("result") != "success":
            return Outcome("dead", f"refused: {words(str(found.get('msg') or answer.text))}")
        return Outcome("sent", wait=pause(answer), remote=str(found.get("id", "")))
