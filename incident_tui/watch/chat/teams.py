"""Microsoft Teams, a Workflows URL: an Adaptive Card with one block of text. 202 means that the flow was started, and
nobody ever hears whether it succeeded. Its text names nobody: mentions are entities beside it. Pure."""

from __future__ import annotations

from incident_tui.watch.chat.answers import pause, refused, web_page, words
from incident_tui.watch.chat.bodies import NOTHING, URL, json_request, plain
from incident_tui.watch.chat.fitting import fit, json_bytes
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink


class Teams:
    limit = 20_000
    """Of 28 KB for the whole message."""
    pace = Pace(1.0, 4)
    idempotent = False
    threads = False
    needs = URL
    may = NOTHING

    def size(self, text: str) -> int:
        return json_bytes(self._defuse(text))

    @staticmethod
    def _defuse(text: str) -> str:
        return plain(text).replace("\n", "\n\n")  # a single line break is none in its Markdown

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        text = self._defuse(fit(out.text, self.limit, self.size))
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "TextBlock", "text": text, "wrap": True}],
        }
        content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        return json_request("POST", secrets.url, {"type": "message", "attachments": [content]})

    def judge(self, answer: Answer) -> Outcome:
        found = refused(answer) or web_page(answer)
        if found is not None:
            return found
        if "HTTP error" in answer.text:  # the connectors of old said 200 and put the refusal into the body
            if "HTTP error 429" in answer.text:
                return Outcome("again", "answered 200 with 429 inside")
            return Outcome("dead", f"refused: 200 with an error inside: {words(answer.text)}")
        return Outcome("accepted", wait=pause(answer))
