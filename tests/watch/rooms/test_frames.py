"""Whatever a platform sends, its parser tells something or nothing, and never breaks."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.watch.inbound.said import Said
from incident_tui.watch.rooms import matrix_events, mattermost_frames, slack_frames, zulip_events
from incident_tui.watch.rooms.answering import plain, slack
from incident_tui.watch.rooms.problem import RoomError
from tests.watch.rooms.kit import HOSTILE

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
_KEYS = [
    *("type", "event_id", "sender", "origin_server_ts", "content", "body", "msgtype", "m.relates_to", "rel_type"),
    *("key", "redacts", "m.new_content", "unsigned", "event", "data", "post", "reaction", "broadcast", "channel_id"),
    *("id", "create_at", "edit_at", "delete_at", "user_id", "root_id", "message", "props", "payload", "channel"),
    *("ts", "text", "user", "subtype", "thread_ts", "edited", "item", "reactions", "trigger_id", "op", "message_id"),
    *("emoji_name", "stream_id", "timestamp", "subject", "edit_timestamp", "message_ids", "metadata", "files"),
    *("attachments", "state_key", "displayname", "deleted_ts"),
]
_WORDS = [
    *("m.room.message", "m.reaction", "m.room.redaction", "m.replace", "m.thread", "m.annotation", "m.text", "posted"),
    *("post_edited", "post_deleted", "reaction_added", "events_api", "slash_commands", "message", "message_changed"),
    *("message_deleted", "reaction", "update_message", "delete_message", "stream", "add", "C1", "r", "$e"),
]
_PLAIN = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 5, -1, 1_700_000_000, 1_700_000_000_000, 10**30, 1e300])
    | st.sampled_from(_WORDS)
    | st.text(max_size=20)
)
_JSON = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6)
        | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4).map(json.dumps)
    ),
    max_leaves=25,
)
_FRAME = st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=10)


@settings(max_examples=300, deadline=None)
@given(_FRAME)
def test_no_frame_breaks_a_parser(frame: dict[str, Any]) -> None:
    found: list[Said | None] = []
    with contextlib.suppress(RoomError):  # an encrypted room
        found.append(matrix_events.said_of(frame, "r", "ops", {}))
        matrix_events.learn([frame], {})
        list(matrix_events.timelines(frame, ["r"], {}))
    found.append(mattermost_frames.said_of(frame, {"C1"}, "ops"))
    found += mattermost_frames.whole(frame, "ops", "ana")
    found.append(slack_frames.enveloped(frame, {"C1"}, "ops", NOW))
    found += slack_frames.whole(frame, "C1", "ops", NOW)
    found += zulip_events.said_of(frame, {5}, "ops", NOW)
    found += zulip_events.whole(frame, {5}, "ops")
    for said in found:
        assert said is None or (said.at.tzinfo is not None and isinstance(said.id, str) and isinstance(said.room, str))


def test_nobody_is_called_by_an_answer() -> None:
    for words in ("<!channel>", "@everyone", "](http", "<http"):
        assert words not in plain(HOSTILE)
    assert "<" not in slack(HOSTILE) and "@everyone" not in slack(HOSTILE) and "&lt;!channel&gt;" in slack(HOSTILE)


def test_the_words_that_older_clients_quote_are_not_said_again() -> None:
    content = {"msgtype": "m.text", "body": "> <@ana:m> is it full?\n> really?\n\nyes\n> 40 G"}
    assert matrix_events.body(content, sender="bob", quoting=True) == "yes\n> 40 G"
    assert matrix_events.body({"msgtype": "m.emote", "body": "reboots web2"}, sender="bob") == "* bob reboots web2"
