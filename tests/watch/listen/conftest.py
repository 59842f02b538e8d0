"""The listener on a real port of loopback, with an intake and an inbound on a real journal."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from incident_tui.incident.entry import Author, Draft, Entry, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.store import Store
from incident_tui.watch.alerts.intake import Intake
from incident_tui.watch.alerts.judging import Judge
from incident_tui.watch.alerts.settings import AlertSource, Hook, Listener
from incident_tui.watch.alerts.sources import Sources
from incident_tui.watch.inbound.taking import Inbound
from incident_tui.watch.listen.limits import Limits
from incident_tui.watch.listen.port import Port
from incident_tui.watch.listen.routes import Routes
from incident_tui.watch.outside import OutsideSettings
from tests.watch.inbound.conftest import OnStore, Settings

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
INCIDENT = "INC-20261123-ab12"
TOKEN = "planted-t0ken-of-a-source"
SECRET = "planted-secret-of-a-source"


class Listening:
    """A running listener. `post` returns status and body."""

    def __init__(
        self, store: Store, settings: OutsideSettings, port: dict[str, Any], rate: tuple[float, float]
    ) -> None:
        self.store = store
        self.now = NOW
        fold = Fold()
        for entry in store.read():
            fold.apply(entry)
        saving = OnStore(store)
        self.hang: asyncio.Event | None = None
        self.sources = Sources(settings.alerts, self.clock)
        self.intake = Intake(saving, fold, Judge([], {}), clock=self.clock, new_id=lambda: "x")
        self.inbound = Inbound(saving, fold, store, Settings(), clock=self.clock, new_id=lambda: "0123456789abcdef")
        self.routes = Routes(
            settings, self.sources, self._alerts, self._chat, clock=self.clock, limits=Limits(rate), ack_seconds=0.3
        )
        self.port = Port(self.routes.handle, **port)
        self.number = 0

    def clock(self) -> datetime:
        return self.now

    async def _alerts(self, alerts: Any) -> None:
        if self.hang is not None:
            await self.hang.wait()
        await self.intake.take(alerts)

    async def _chat(self, rules: Any, batch: Any) -> Any:
        if self.hang is not None:
            await self.hang.wait()
        return await self.inbound.take(rules, batch)

    async def post(
        self, path: str, body: object = b"", headers: dict[str, str] | None = None, method: str = "POST"
    ) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"http://127.0.0.1:{self.number}{path}", data=raw, headers=headers) as response,
        ):
            return response.status, json.loads(await response.read())

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)

    def entries(self, kind: Kind) -> list[Entry]:
        return [entry for entry in self.store.read() if entry.kind is kind]


@pytest_asyncio.fixture
async def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Any]]:
    """`await listening(alerts=[…], hooks=[…])` starts one. $TOKEN and $SECRET are set."""
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("SECRET", SECRET)
    started: list[Listening] = []

    async def start(
        alerts: tuple[AlertSource, ...] = (),
        hooks: tuple[Hook, ...] = (),
        listener: Listener = Listener(bind="127.0.0.1:1"),  # noqa: B008
        tls: ssl.SSLContext | None = None,
        rate: tuple[float, float] = (1e6, 1e6),
        **port: Any,
    ) -> Listening:
        store = Store.open(tmp_path / f"journal{len(started)}")
        declare = Draft(
            kind=Kind.DECLARE,
            text="sites 502",
            at=NOW,
            author=Author("ana"),
            incident=INCIDENT,
            data={"title": "sites 502", "severity": 2},
        )
        store.append([declare], key="declare")
        settings = OutsideSettings(alerts=alerts, hooks=hooks, listener=listener)
        one = Listening(store, settings, port, rate)
        started.append(one)
        one.number = await one.port.start("127.0.0.1", 0, tls)
        return one

    yield start
    for one in started:
        await one.port.stop()
        one.store.close()
