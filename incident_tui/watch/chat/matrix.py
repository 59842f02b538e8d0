"""Matrix, the client API: one room, one thread an incident. The transaction id makes it idempotent: the server answers
a second request with the first one's event, also after it was started anew. Pure.

`m.notice` keeps bots from answering each other, and an empty `m.mentions` says that nobody is named. Plain text only:
no client reads markup in `body`.
"""

from __future__ import annotations

from typing import Any, Final

from incident_tui.watch.chat.answers import inside, pause, refused, web_page, words
from incident_tui.watch.chat.bodies import bearer, json_request, path_part
from incident_tui.watch.chat.fitting import fit, json_bytes, no_mentions
from incident_tui.watch.chat.platform import Answer, Outcome, Outgoing, Pace, Request, Secrets
from incident_tui.watch.settings import ChatSink

_API: Final = "/_matrix/client/v3"


class Matrix:
    limit = 58_000
    """Bytes, of 65,536 for the whole event with what the server adds."""
    pace = Pace(5.0, 8)
    """Synapse's default: a message each five seconds, after ten at once."""
    idempotent = True
    threads = True
    needs = frozenset({"server", "room", "token"})
    may: frozenset[str] = frozenset()

    def size(self, text: str) -> int:
        return json_bytes(no_mentions(text))

    def request(self, out: Outgoing, sink: ChatSink, secrets: Secrets) -> Request:
        content: dict[str, Any] = {
            "msgtype": "m.notice",
            "body": no_mentions(fit(out.text, self.limit, self.size)),
            "m.mentions": {},
        }
        if out.root:
            content["m.relates_to"] = {
                "rel_type": "m.thread",
                "event_id": out.root,
                # For clients without threads: an answer to the first message.
                "is_falling_back": True,
                "m.in_reply_to": {"event_id": out.root},
            }
        path = f"{_API}/rooms/{path_part(sink.room)}/send/m.room.message/{path_part(out.key)}"
        return json_request("PUT", sink.server.rstrip("/") + path, content, bearer(secrets.token))

    def question(self, sink: ChatSink, secrets: Secrets) -> Request:
        """Whether the room is encrypted: 404 says that it is not, and that we are in it."""
        path = f"{_API}/rooms/{path_part(sink.room)}/state/m.room.encryption/"
        return Request("GET", sink.server.rstrip("/") + path, bearer(secrets.token), b"")

    def objection(self, answer: Answer) -> str:
        found = inside(answer)
        if answer.status == 200 and found.get("algorithm"):
            return "the room is encrypted, which this program cannot do: name a room that is not"
        code = str(found.get("errcode", ""))
        if answer.status == 404 and code == "M_NOT_FOUND":
            return ""
        return words(f"answered {answer.status} {code} {found.get('error', '')}")

    def judge(self, answer: Answer) -> Outcome:
        found = inside(answer)
        code, said = str(found.get("errcode", "")), str(found.get("error", ""))
        outcome = refused(answer, f"{code} {said}" if code else "") or web_page(answer)
        if outcome is not None:
            return outcome
        event = found.get("event_id")
        if not isinstance(event, str):
            return Outcome("again", f"answered {answer.status} without an event: {words(answer.text)}")
        return Outcome("sent", wait=pause(answer), remote=event)
