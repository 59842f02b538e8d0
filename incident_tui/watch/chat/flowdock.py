"""Flowdock's chat message, for the record of where this program comes from: the service is gone. What speaks its shape
today takes it; the thread's id is the incident's. Pure."""

from __future__ import annotations

from typing import Any

from incident_tui.watch.chat.answers import refused, web_page
from incident_tui.watch.chat.bodies import NOTHING, URL, json_request, plain
from incident_tui.watch.chat.fitting import fit
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink


class Flowdock:
    limit = 8_096
    pace = Pace(1.0, 5)
    idempotent = False
    threads = False
    needs = URL
    may = NOTHING

    def size(self, text: str) -> int:
        return len(plain(text))

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        text = plain(fit(out.text, self.limit, self.size))
        body: dict[str, Any] = {"content": text, "external_user_name": "incident-tui"}
        if out.incident:
            body["tags"] = [out.incident]
            if sink.threads:
                body["external_thread_id"] = out.incident
        return json_request("POST", secrets.url, body)

    def judge(self, answer: Answer) -> Outcome:
        found = refused(answer) or web_page(answer)
        if found is not None:
            return found
        return Outcome("accepted" if answer.status == 202 else "sent")
