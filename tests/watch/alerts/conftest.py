"""Alerts taken into a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.store import Store
from incident_tui.watch.alerts.alert import Alert, make
from incident_tui.watch.alerts.intake import Intake
from incident_tui.watch.alerts.judging import Judge
from incident_tui.watch.alerts.rows import Firings
from incident_tui.watch.alerts.settings import AlertRule, AlertSource
from tests.watch.inbound.conftest import OnStore

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Desk:
    """A journal and the intake of alerts on it. `again` is a watch started anew."""

    def __init__(self, store: Store, rules: Sequence[AlertRule], sources: Mapping[str, AlertSource]) -> None:
        self.store = store
        self.now = NOW
        self._rules, self._sources = rules, sources
        self._ids = iter(range(10_000))
        self.again()

    def again(self, kept: Firings | None = None) -> None:
        self.fold = Fold()
        for entry in self.store.read():
            self.fold.apply(entry)
        judge = Judge(self._rules, self._sources, ["web1", "web2", "web3"])
        self.intake = Intake(
            OnStore(self.store), self.fold, judge, clock=lambda: self.now, new_id=lambda: f"id{next(self._ids)}"
        )
        self.intake.remember(self.store.read(), kept)

    def take(self, *alerts: Alert) -> None:
        asyncio.run(self.intake.take(alerts))

    def forward(self, **length: float) -> None:
        self.now += timedelta(**length)

    def alert(self, key: str = "k1", status: str = "firing", **fields: Any) -> Alert:
        given: dict[str, Any] = {"episode": NOW.isoformat(), "at": NOW.isoformat(), "group": "g"}
        title = fields.pop("title", f"Down {key}")
        return make(fields.pop("source", "am"), key, status, title, self.now, **{**given, **fields})

    def entries(self, kind: Kind = Kind.ALERT) -> list[Entry]:
        return [entry for entry in self.store.read() if entry.kind is kind]

    def said(self) -> list[tuple[str, str]]:
        return [(str(entry.data["status"]), entry.text) for entry in self.entries()]

    def declare(self, incident: str = "INC-20261123-ab12", title: str = "sites 502", **data: Any) -> None:
        draft = Draft(
            kind=Kind.DECLARE,
            text=title,
            at=self.now,
            author=Author("ana"),
            incident=incident,
            data={"title": title, "severity": 2, **data},
        )
        self.fold.apply(self.store.append([draft], key=incident)[0])


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    stores: list[Store] = []

    def build(*rules: AlertRule, **sources: AlertSource) -> Desk:
        stores.append(Store.open(tmp_path / f"journal{len(stores)}"))
        return Desk(stores[-1], rules, sources)

    yield build
    for store in stores:
        store.close()
