"""A long journal opens at once, with what the last screen knew, until it is read."""

from __future__ import annotations

from typing import Any

import pytest

from incident_tui.journal import snapshot
from incident_tui.ui.lines import plain
from incident_tui.ui.present import header, notices


def test_what_was_known_is_shown_while_the_journal_is_read(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "LONG", 5)
    world.full()
    first = world.session()
    first.load()
    known = first.view()
    first.close("")
    second = world.session()
    view = second.view()
    assert view.incident is not None and view.incident.title == known.incident.title
    assert list(view.rows) == list(known.rows)
    assert known.incident.title in plain(header(view, 80))
    assert "reading the journal" in plain([notices(view, 200)]) and "this was known at" in plain([notices(view, 200)])
    second.load()
    assert second.view().loading == "" and list(second.view().rows) == list(known.rows)
