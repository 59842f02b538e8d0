"""An outbox and a platform for the tests of chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from incident_tui.watch.chat.outbox import Outbox
from tests.chat.fakes import Fake, served


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db")
    yield made
    made.close()


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fake]:
    """A platform; $ITUI_TEST_URL is its webhook."""
    async with served() as made:
        monkeypatch.setenv("ITUI_TEST_URL", made.url)
        monkeypatch.setenv("ITUI_TEST_TOKEN", "tokensecret")
        yield made
