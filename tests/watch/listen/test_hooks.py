"""Whatever is posted to a hook is something said, or one sentence; times and names of all platforms are understood."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.watch.alerts.alert import FormError
from incident_tui.watch.alerts.settings import HOOK_KINDS, Hook
from incident_tui.watch.inbound import messages
from incident_tui.watch.inbound.slack_events import said_of
from incident_tui.watch.listen import hooks
from tests.watch.alerts.test_forms import ANYTHING
from tests.watch.listen.conftest import NOW

NAMES = """token text command channel_id channel_name user_id user_name trigger_id trigger_word timestamp post_id
message_id isEdited tmid thread_ts root_id type challenge event message data content subject topic stream_id id
sender_id sender_full_name recipient_id ts edited channel user bot_id subtype deleted_ts event_ts item reaction
user_profile"""
FIELDS = st.sampled_from(NAMES.split())
WORDS = st.sampled_from(
    [
        "url_verification",
        "event_callback",
        "message",
        "message_changed",
        "message_deleted",
        "reaction_added",
        "/inc",
        "1.5",
    ]
)
LEAF = ANYTHING | WORDS
TOLD = st.dictionaries(
    FIELDS, LEAF | st.dictionaries(FIELDS, LEAF | st.dictionaries(FIELDS, LEAF, max_size=6), max_size=8), max_size=12
)


@given(st.sampled_from(HOOK_KINDS), TOLD, st.booleans())
def test_whatever_is_posted_is_said_or_refused(kind: str, told: dict[str, Any], as_form: bool) -> None:
    hook = Hook(name="h", kind=kind, token_env="T", take=("all",))
    if as_form:
        body, mime = urlencode({name: str(value) for name, value in told.items()}, errors="replace").encode(), ""
    else:
        body, mime = json.dumps(told).encode("utf-8", "surrogatepass"), "application/json"
    try:
        posted = hooks.read(hook, mime, body, NOW)
    except FormError as error:
        assert error.sentence
        return
    json.dumps(hooks.answered(hook, posted, "saved"))
    if posted.said is not None:
        said = messages.bounded(posted.said)
        assert said.at.tzinfo is not None and messages.key_of(said).startswith("chat:")
        draft = messages.entry_draft(said, hook.rules, "", NOW)
        assert draft.at <= NOW and draft.author.name and not any(ord(each) < 32 and each != "\n" for each in draft.text)


@given(TOLD)
def test_whatever_event_slack_sends_is_about_a_message_or_not(event: dict[str, Any]) -> None:
    said = said_of(event, "ops", NOW)
    assert said is None or said.at.tzinfo is not None


@pytest.mark.parametrize(
    "timestamp", ["1795442400", "1795442400.000200", "1795442400000", 1795442400, "2026-11-23T14:00:00.000Z"]
)
def test_times_of_all_platforms(timestamp: object) -> None:
    assert abs((hooks._time(timestamp, NOW.replace(year=2020)) - NOW).total_seconds()) < 1


@pytest.mark.parametrize("timestamp", [None, "", "soon", "1e999", -1e300, "nan", [], {}])
def test_a_time_that_is_none_is_now(timestamp: object) -> None:
    assert hooks._time(timestamp, NOW) == NOW


def test_a_trigger_word_is_no_part_of_what_was_said_but_a_prefix_is() -> None:
    hook = Hook(name="h", kind="mattermost", token_env="T")
    told = {"channel_id": "c", "post_id": "p", "user_id": "u", "text": "tui: web2 is back", "trigger_word": "tui"}
    posted = hooks.read(hook, "application/json", json.dumps(told).encode(), NOW)
    assert posted.said is not None and posted.said.text == "web2 is back"
    told |= {"text": "!log web2", "trigger_word": "!log"}
    posted = hooks.read(hook, "application/json", json.dumps(told).encode(), NOW)
    assert posted.said is not None and posted.said.text == "!log web2"
