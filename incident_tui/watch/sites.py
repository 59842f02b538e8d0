"""Checks the public sites over HTTP: status, latency, end of the certificate. A fresh connection each time."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
import msgspec

from incident_tui import __version__
from incident_tui.incident.entry import Draft
from incident_tui.watch.rows import SiteRow
from incident_tui.watch.settings import Site
from incident_tui.watch.unanswered import FAILURES, unanswered

_READ_AT_MOST: Final = 65_536


async def check(site: Site, clock: Callable[[], datetime]) -> SiteRow:
    """One check. Never raises for anything the site or the network does; `problem` says it in one sentence."""
    timeout = aiohttp.ClientTimeout(total=site.timeout)
    started = time.monotonic()
    try:
        async with (
            aiohttp.ClientSession(
                timeout=timeout, connector=aiohttp.TCPConnector(force_close=True), auto_decompress=False
            ) as session,
            session.get(
                site.url, allow_redirects=False, headers={"User-Agent": f"incident-tui/{__version__}"}
            ) as response,
        ):
            certificate = _certificate_end(response)
            await response.content.read(_READ_AT_MOST)
            latency = int((time.monotonic() - started) * 1000)
            return SiteRow(
                name=site.name, at=clock(), status=response.status, latency_ms=latency, tls_until=certificate
            )
    except FAILURES as error:
        late = isinstance(error, TimeoutError)
        problem = f"no answer within {site.timeout:g}s" if late else unanswered(error).words
    return SiteRow(name=site.name, at=clock(), problem=problem)


def _certificate_end(response: aiohttp.ClientResponse) -> datetime | None:
    transport = response.connection.transport if response.connection else None
    certificate: dict[str, Any] | None = transport.get_extra_info("peercert") if transport else None
    if not certificate or "notAfter" not in certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


async def run(
    site: Site, clock: Callable[[], datetime], checked: Callable[[SiteRow], None], now: asyncio.Event, first: float
) -> None:
    """Checks `site` for ever, `first` seconds from now, then at its pace, and whenever `now` is set."""
    last: SiteRow | None = None
    wait = first
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await now.wait()
        now.clear()
        last = with_since(await check(site, clock), last, site)
        checked(last)
        wait = site.seconds


def with_since(row: SiteRow, last: SiteRow | None, site: Site) -> SiteRow:
    """`row` with the time since when its outcome, as expected or not, is what it is."""
    same = last is not None and (last.status == site.expect) == (row.status == site.expect)
    return msgspec.structs.replace(row, since=last.since if same and last is not None else row.at)


def with_resolution(draft: Draft, sites: Sequence[Site], hold: float) -> Draft:
    """An observation of a site says how exact its times can be: `hold` is `[watch] hold_seconds`."""
    if not str(draft.data.get("finding", "")).startswith("site."):
        return draft
    every = next((site.seconds for site in sites if site.name == draft.data.get("subject")), None)
    data = {**draft.data, "hold": hold} | ({} if every is None else {"every": every})
    return msgspec.structs.replace(draft, data=data)
