"""What keeps a message from its platform, in one sentence each: no server, no name, no trust, no secret."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import SECRET, START, Fake, states, worker

SINK = ChatSink(name="ops", url_env="ITUI_TEST_URL", seconds_between=0.001)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://127.0.0.1:1/{SECRET}", "cannot connect"),
        (f"http://no-such-name.invalid/{SECRET}", "its name is not found"),
        (f"http://127.0.0.1:99999/{SECRET}", "not one"),
    ],
)
async def test_what_cannot_be_reached_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, outbox: Outbox, url: str, words: str
) -> None:
    monkeypatch.setenv("ITUI_TEST_URL", url)
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert states(outbox) == ["waiting"] and words in one.sender.row().problem
        assert SECRET not in one.sender.row().problem


def self_signed(directory: Path) -> ssl.SSLContext:
    key, certificate = directory / "key", directory / "certificate"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, outbox: Outbox, tmp_path: Path
) -> None:
    context = self_signed(tmp_path)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    outbox.enqueue("ops", "j", [1], 1, START)
    try:
        monkeypatch.setenv("ITUI_TEST_URL", f"https://127.0.0.1:{port}/{SECRET}")
        async with worker(SINK, outbox) as one:
            await one.sender.step()
            assert states(outbox) == ["waiting"] and "TLS certificate is not valid" in one.sender.row().problem
    finally:
        server.close()


async def test_what_speaks_no_tls_is_tried_again(monkeypatch: pytest.MonkeyPatch, fake: Fake, outbox: Outbox) -> None:
    monkeypatch.setenv("ITUI_TEST_URL", fake.url.replace("http:", "https:"))
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert states(outbox) == ["waiting"] and "TLS" in one.sender.row().problem


async def test_a_secret_that_is_not_set_waits_and_says_so(monkeypatch: pytest.MonkeyPatch, outbox: Outbox) -> None:
    monkeypatch.delenv("ITUI_TEST_URL", raising=False)
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert "$ITUI_TEST_URL is not set" in one.sender.row().problem and states(outbox) == ["waiting"]


@pytest.mark.parametrize("value", ["hooks.example/x", "https://x/\nHost: y", "https://x/a b", "ftp://x"])
async def test_a_secret_that_is_no_url_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, outbox: Outbox, value: str
) -> None:
    monkeypatch.setenv("ITUI_TEST_URL", value)
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert "does not hold a URL" in one.sender.row().problem and value not in one.sender.row().problem


async def test_a_file_that_is_mended_needs_no_restart(fake: Fake, outbox: Outbox, tmp_path: Path) -> None:
    secret = tmp_path / "url"
    sink = ChatSink(name="ops", url_file=str(secret), seconds_between=0.001)
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(sink, outbox) as one:
        await one.sender.step()
        assert "cannot be read" in one.sender.row().problem
        secret.write_text(fake.url + "\n")
        await one.steps()
    assert states(outbox) == ["sent"]
