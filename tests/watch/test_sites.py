"""Site checks against real HTTP and TLS servers on loopback, and the rules that judge them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from incident_tui.incident.finding import Level
from incident_tui.watch.rows import SiteRow, site_findings
from incident_tui.watch.settings import Site
from incident_tui.watch.sites import check, with_since

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind == "hang":
            await asyncio.Event().wait()
        if kind == "abort":
            assert request.transport is not None
            request.transport.abort()
        if kind == "redirect":
            raise web.HTTPFound("/200")
        return web.Response(status=int(kind) if kind.isdigit() else 200, text="x" * 200_000)

    app = web.Application()
    app.router.add_get("/{kind}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server: Any = site._server
    yield server.sockets[0].getsockname()[1]
    await runner.cleanup()


async def test_an_answer_has_status_and_latency(port: int) -> None:
    row = await check(Site(name="s", url=f"http://127.0.0.1:{port}/200"), clock)
    assert row.status == 200 and row.problem == "" and row.latency_ms is not None and row.at == NOW


@pytest.mark.parametrize(("kind", "status"), [("502", 502), ("404", 404), ("redirect", 302)])
async def test_another_status_is_a_critical_finding(port: int, kind: str, status: int) -> None:
    site = Site(name="s", url=f"http://127.0.0.1:{port}/{kind}")
    row = await check(site, clock)
    assert row.status == status
    (finding,) = site_findings([site], {"s": row}, NOW)
    assert (finding.rule, finding.level) == ("site.down", Level.CRIT) and str(status) in finding.sentence


@pytest.mark.parametrize(("kind", "words"), [("hang", "no answer within 0.2s"), ("abort", "closed without an answer")])
async def test_no_answer_is_said_in_a_sentence(port: int, kind: str, words: str) -> None:
    site = Site(name="s", url=f"http://127.0.0.1:{port}/{kind}", timeout=0.2)
    row = await check(site, clock)
    assert row.status is None and words in row.problem
    assert site_findings([site], {"s": row}, NOW)[0].level is Level.CRIT


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:1/", "cannot connect"), ("http://name.invalid/", "name is not found")],
)
async def test_no_connection_is_said_in_a_sentence(url: str, words: str) -> None:
    assert words in (await check(Site(name="s", url=url, timeout=5), clock)).problem


async def test_something_that_is_no_http_server() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_5.3\r\n\x00\xff")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        row = await check(Site(name="s", url=f"http://127.0.0.1:{port}/"), clock)
    assert row.status is None and row.problem and "\xff" not in row.problem


def test_nothing_read_or_too_old_is_unknown_never_well() -> None:
    site = Site(name="s", url="http://x/")
    (never,) = site_findings([site], {}, NOW)
    old = SiteRow(name="s", at=NOW - timedelta(seconds=46), status=200, latency_ms=3)
    (stale,) = site_findings([site], {"s": old}, NOW)
    assert never.level is stale.level is Level.UNKNOWN
    assert site_findings([site], {"s": msgspec.structs.replace(old, at=NOW)}, NOW) == []
    (ahead,) = site_findings([site], {"s": msgspec.structs.replace(old, at=NOW + timedelta(hours=1))}, NOW)
    assert ahead.level is Level.UNKNOWN and "clock was set back" in ahead.sentence


def test_slow_and_certificate_rules() -> None:
    site = Site(name="s", url="https://x/", slow_ms=100, tls_days_warn=14)
    row = SiteRow(name="s", at=NOW, status=200, latency_ms=101, tls_until=NOW + timedelta(days=3))
    assert [(f.rule, f.level) for f in site_findings([site], {"s": row}, NOW)] == [
        ("site.slow", Level.WARN),
        ("site.tls-expiring", Level.WARN),
    ]
    ended = msgspec.structs.replace(row, latency_ms=1, tls_until=NOW - timedelta(days=1))
    assert [f.level for f in site_findings([site], {"s": ended}, NOW)] == [Level.CRIT]


def test_since_is_kept_while_the_outcome_is_the_same() -> None:
    site = Site(name="s", url="http://x/")
    first = with_since(SiteRow(name="s", at=NOW, status=502), None, site)
    second = with_since(SiteRow(name="s", at=NOW + timedelta(minutes=1), problem="gone"), first, site)
    third = with_since(SiteRow(name="s", at=NOW + timedelta(minutes=2), status=200), second, site)
    assert first.since == second.since == NOW and third.since == NOW + timedelta(minutes=2)
