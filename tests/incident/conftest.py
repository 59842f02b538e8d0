"""Entries for the tests of the fold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Entry, Kind, Ref

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Maker:
    """Makes numbered entries: `at` and `recorded` are minutes after 14:00Z; `recorded` defaults to `at`."""

    def __init__(self) -> None:
        self.seq = 0

    def __call__(
        self,
        kind: Kind,
        at: float = 0,
        text: str = "",
        /,
        *,
        by: str = "ana",
        incident: str = "I",
        ref: Entry | Ref | None = None,
        recorded: float | None = None,
        journal: str = "j",
        **data: Any,
    ) -> Entry:
        self.seq += 1
        return Entry(
            journal=journal,
            seq=self.seq,
            kind=kind,
            at=START + timedelta(minutes=at),
            recorded_at=START + timedelta(minutes=at if recorded is None else recorded),
            author=Author(by),
            text=text,
            incident=incident,
            data=data,
            ref=ref.id if isinstance(ref, Entry) else ref,
        )


@pytest.fixture
def make() -> Maker:
    return Maker()


@pytest.fixture
def start() -> datetime:
    """14:00Z, the minute 0 of `make`."""
    return START
