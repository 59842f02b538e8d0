"""What a stranger may do to the port: it goes on answering those who are known."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from incident_tui.incident.entry import Kind
from incident_tui.watch.alerts.settings import AlertSource, Listener
from incident_tui.watch.listen import routes
from incident_tui.watch.listen.limits import Limits
from incident_tui.watch.listen.listener import TlsError, listen, tls
from incident_tui.watch.listen.port import Port
from tests.watch.listen.conftest import SECRET, TOKEN

Start = Callable[..., Any]
AM = AlertSource(name="g", kind="generic", token_env="TOKEN")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HEAD = f"POST /alerts/g HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


async def works(one: Any) -> None:
    """It takes an alert, as before."""
    before = len(one.entries(Kind.ALERT))
    assert (await one.post("/alerts/g", {"title": f"alert {before}"}, BEARER))[0] == 200
    assert len(one.entries(Kind.ALERT)) == before + 1


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What still comes until the other side closes; fails when it never does."""
    async with asyncio.timeout(20):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_who_sends_the_head_slowly_is_cut_off(listening: Start) -> None:
    one = await listening((AM,), head_seconds=0.2)
    connections = [await one.raw() for _ in range(30)]
    for _, writer in connections:
        writer.write(b"POST /alerts/g HTTP/1.1\r\nX-A: ")
    for reader, writer in connections:
        assert await closed(reader) == b""
        writer.close()
    assert one.port.open == {}
    await works(one)


async def test_a_second_request_that_never_ends_is_cut_off_too(listening: Start) -> None:
    one = await listening((AM,), idle_seconds=0.2)
    reader, writer = await one.raw()
    body = b'{"title": "x"}'
    writer.write(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert b" 200 " in await reader.readline()
    writer.write(b"POST /alerts/g HT")
    await closed(reader)
    writer.close()
    await works(one)


async def test_a_body_that_does_not_come_is_408(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "BODY_SECONDS", 0.2)
    one = await listening((AM,))
    reader, writer = await one.raw()
    writer.write(HEAD + b"Content-Length: 100\r\n\r\n{")
    assert b" 408 " in await reader.readline()
    await closed(reader)
    writer.close()
    await works(one)


async def until(ask: Callable[[], bool]) -> None:
    """Lets the loop run until it is so."""
    end = time.monotonic() + 20
    while True:
        if ask():
            return
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("framing", ["length", "chunked", "lying"])
async def test_a_body_that_is_too_long_is_413_and_is_not_read(listening: Start, framing: str) -> None:
    one = await listening((AM,))
    reader, writer = await one.raw()
    if framing == "length":
        writer.write(HEAD + b"Content-Length: 99999999999\r\n\r\n")
    elif framing == "lying":
        writer.write(HEAD + b"Content-Length: 1048577\r\n\r\n" + b"x" * 10)
    else:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 20)
    assert b" 413 " in await reader.readline()
    writer.close()
    await works(one)


async def test_a_stranger_gets_401_before_the_body_is_read(listening: Start) -> None:
    one = await listening((AM,))
    reader, writer = await one.raw()
    writer.write(b"POST /alerts/g HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    assert b" 401 " in await reader.readline()
    writer.close()
    await works(one)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 4096,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 300,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /\x1b[31m\xff HTTP/1.1\r\nHost: \r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_nothing_of_it_is_logged(
    listening: Start, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = await listening((AM,), head_seconds=0.5)
    reader, writer = await one.raw()
    writer.write(sent)
    answer = await closed_or_answered(reader)
    assert b" 200 " not in answer.partition(b"\r\n")[0]
    writer.close()
    await works(one)
    assert not [record for record in caplog.records if record.name != "asyncio"]


async def closed_or_answered(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        try:
            return await reader.read(300)
        except ConnectionError:
            return b""


async def test_more_connections_than_there_may_be_are_closed_at_once(listening: Start) -> None:
    one = await listening((AM,), connections=5, head_seconds=60)
    kept = [await one.raw() for _ in range(5)]
    await until(lambda: len(one.port.open) == 5)
    reader, writer = await one.raw()
    assert await closed(reader) == b""
    writer.close()
    for _, each in kept:
        each.close()
    await until(lambda: not one.port.open)
    await works(one)


async def test_too_many_requests_are_429_and_the_others_are_answered(listening: Start) -> None:
    one = await listening((AM,), rate=(3, 0))
    assert [(await one.post("/alerts/g", b"", {}))[0] for _ in range(5)] == [401, 401, 401, 429, 429]


def test_each_peer_has_its_own_rate_and_peers_are_bounded() -> None:
    limits = Limits((2, 1))
    assert [limits.allow("a", 0), limits.allow("a", 0), limits.allow("a", 0.5), limits.allow("b", 0.5)] == [
        True,
        True,
        False,
        True,
    ]
    assert limits.allow("a", 1.6) and limits.allow("a", 0) is False
    for number in range(5_000):
        limits.allow(f"p{number}", 2)
    assert len(limits) == 1_000


async def test_a_flood_of_strangers_does_not_keep_out_who_is_known(listening: Start) -> None:
    one = await listening((AM,))

    async def stranger(number: int) -> int:
        status: int = (await one.post("/alerts/g", b"x" * 50_000, {"Authorization": f"Bearer {number}"}))[0]
        return status

    answers = await asyncio.gather(*(stranger(number) for number in range(150)), works(one))
    assert set(answers[:-1]) == {401}


async def test_no_secret_is_in_a_log_or_an_answer(
    listening: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    sources = (AM, AlertSource(name="s", kind="generic", secret_env="SECRET"))
    one = await listening(sources)

    async def broken(_: Any) -> None:
        raise RuntimeError(f"defect with {TOKEN} in it")

    answers = [await one.post("/alerts/g", b"{", BEARER), await one.post("/alerts/s", b"{}", {"X-Signature": SECRET})]
    monkeypatch.setattr(one.routes, "_take_alerts", broken)
    answers.append(await one.post("/alerts/g", {"title": "x"}, BEARER))
    assert answers[-1] == (500, {})
    shown = json.dumps([answers, caplog.text, [row.problem for row in one.sources.rows()]])
    assert TOKEN not in shown and SECRET not in shown


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *words, *more], check=True, capture_output=True)
    return cert, key


async def test_tls(listening: Start, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    context = tls(Listener(bind="127.0.0.1:1", cert=str(cert), key=str(key)))
    one = await listening((AM,), tls=context)
    trust = ssl.create_default_context(cafile=str(cert))
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"https://127.0.0.1:{one.number}/alerts/g", json={"title": "x"}, headers=BEARER, ssl=trust
        ) as response,
    ):
        assert response.status == 200
    reader, writer = await one.raw()
    writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
    assert b"200" not in await closed(reader)
    writer.close()
    for wrong in (Listener(bind="x", cert=str(key), key=str(cert)), Listener(bind="x", cert="/none", key="/none")):
        with pytest.raises(TlsError, match="cannot be used"):
            tls(wrong)


async def test_a_port_that_is_taken_is_said_and_tried_again(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_tui.watch.listen.listener._AGAIN", 0.01)
    one = await listening((AM,))
    told: asyncio.Queue[str] = asyncio.Queue()
    settings = Listener(bind=f"127.0.0.1:{one.number}")
    task = asyncio.create_task(listen(settings, one.routes, told.put_nowait, Port(one.routes.handle)))
    async with asyncio.timeout(20):
        assert "cannot be had (Address already in use)" in await told.get()
        await one.port.stop()
        while await told.get():
            pass
    await works(one)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
