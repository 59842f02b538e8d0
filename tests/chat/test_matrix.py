"""A real Matrix server (Synapse) is what our messages are for."""

from __future__ import annotations

import pytest

from tests.synapse import Synapse, quoted

pytestmark = pytest.mark.lab


def test_the_server_keeps_what_was_sent_and_one_transaction_is_one_message(synapse: Synapse) -> None:
    ana, bob = synapse.account("ana"), synapse.account("bob")
    room = synapse.room(ana, bob)
    path = f"/_matrix/client/v3/rooms/{quoted(room)}/send/m.room.message/once"
    body = {"msgtype": "m.notice", "body": "gv0 is down"}
    first = synapse.ask("PUT", path, body, token=ana.token)
    synapse.stop()
    synapse.start()
    assert synapse.ask("PUT", path, body, token=ana.token) == first
    (event,) = synapse.messages(room, bob)
    assert event["event_id"] == first["event_id"] and event["content"]["body"] == "gv0 is down"
