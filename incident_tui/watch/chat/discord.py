"""Discord, a webhook. `wait=true`, because without it a message that is not saved is no error. `allowed_mentions` is
what keeps a webhook from naming everybody, whatever the roles of the channel say. Pure."""

from __future__ import annotations

from typing import Any

from incident_tui.watch.chat.answers import pause, refused, web_page
from incident_tui.watch.chat.bodies import URL, json_request, with_query
from incident_tui.watch.chat.fitting import backslashes, fit, no_angles, no_links, no_mentions
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink


class Discord:
    limit = 2_000
    pace = Pace(1.0, 5)
    idempotent = False
    threads = False
    needs = URL
    may = frozenset({"thread_id"})

    def size(self, text: str) -> int:
        return len(self._defuse(text).encode("utf-16-le")) // 2

    @staticmethod
    def _defuse(text: str) -> str:
        return no_links(no_mentions(no_angles(backslashes(text))))

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        query = {"wait": "true"} | ({"thread_id": sink.thread_id} if sink.thread_id else {})
        text = self._defuse(fit(out.text, self.limit, self.size))
        # 4: suppress the previews of links.
        body: dict[str, Any] = {"content": text, "allowed_mentions": {"parse": []}, "flags": 4}
        return json_request("POST", with_query(secrets.url, **query), body)

    def judge(self, answer: Answer) -> Outcome:
        found = refused(answer) or web_page(answer)
        if found is not None:
            return found
        if answer.status == 204:
            return Outcome("accepted", wait=pause(answer))
        return Outcome("sent", wait=pause(answer))
