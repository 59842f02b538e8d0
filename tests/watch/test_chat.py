"""The chat outbox against a real HTTP server: order, retry, Retry-After, maybe sent, nothing leaked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat import slack
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.chat.sender import Sender
from incident_tui.watch.settings import ChatSink

START = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
SINK = ChatSink(name="ops", url_env="ITUI_TEST_CHAT", seconds_between=0.001)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Receiver:
    """A webhook that answers as it is told and keeps what arrived."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.answers: list[web.Response | Exception] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        answer = self.answers.pop(0) if self.answers else web.Response(text="ok")
        if isinstance(answer, Exception):
            assert request.transport is not None
            await request.read()
            request.transport.abort()
            raise answer
        self.texts.append((await request.json())["text"])
        return answer


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/services/T0/B0/verysecret", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server: Any = site._server
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/services/T0/B0/verysecret"
    monkeypatch.setenv("ITUI_TEST_CHAT", made.url)
    yield made
    await runner.cleanup()


def sender(outbox: Outbox, clock: Clock, compose: Callable[[Ref], str | None] | None = None) -> Sender:
    return Sender(
        SINK,
        outbox,
        compose=compose or (lambda ref: f"text {ref.seq}"),
        may_send=lambda: True,
        clock=clock,
        jitter=lambda: 1.0,
    )


def contents(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.iterdir()]


@contextlib.asynccontextmanager
async def sending(seconds: float = 5.0) -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=seconds)) as session:
        yield session


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db")


def states(outbox: Outbox) -> list[str]:
    return [delivery.state for delivery in outbox.row("ops", START, "", None).deliveries]


async def test_what_was_queued_arrives_once_and_in_order(receiver: Receiver, outbox: Outbox) -> None:
    clock = Clock()
    outbox.enqueue("ops", "j", [1, 2, 3], 5, START)
    outbox.enqueue("ops", "j", [3], 5, START)
    worker = sender(outbox, clock)
    async with sending() as session:
        for _ in range(3):
            clock.now += timedelta(seconds=1)
            assert await worker.step(session) == 0.0
        assert await worker.step(session) > 0
    assert receiver.texts == ["text 1", "text 2", "text 3"]
    assert states(outbox) == ["sent"] * 3 and outbox.cursor("ops", "j") == 5


async def test_a_429_waits_as_told_and_nothing_overtakes(receiver: Receiver, outbox: Outbox) -> None:
    clock = Clock()
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "7"}, text="slow down")]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    worker = sender(outbox, clock)
    async with sending() as session:
        await worker.step(session)
        clock.now += timedelta(seconds=6)
        assert 0 < await worker.step(session) <= 1
        assert receiver.texts == ["text 1"] and worker.row().waiting == 2
        assert "429" in worker.row().problem
        clock.now += timedelta(seconds=1)
        await worker.step(session)
        clock.now += timedelta(seconds=1)
        await worker.step(session)
    assert receiver.texts == ["text 1", "text 1", "text 2"]
    assert worker.row().problem == "" and worker.row().waiting == 0


async def test_an_outbox_that_is_locked_after_the_post_repeats_nothing(receiver: Receiver, outbox: Outbox) -> None:
    clock = Clock()
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    worker = sender(outbox, clock)
    path = outbox._path
    other = sqlite3.connect(path, isolation_level=None)

    sent = outbox.sending

    def lock_after(message: Any) -> None:
        sent(message)
        other.execute("BEGIN IMMEDIATE")

    outbox.sending = lock_after  # type: ignore[method-assign]
    async with sending() as session:
        assert await worker.step(session) == 1.0
        assert "outbox cannot be used" in worker.row().problem and receiver.texts == ["text 1"]
        assert await worker.step(session) == 1.0
        other.execute("ROLLBACK")
        outbox.sending = sent  # type: ignore[method-assign]
        clock.now += timedelta(seconds=2)
        assert await worker.step(session) == 0.0
    other.close()
    assert receiver.texts == ["text 1", "text 2"] and states(outbox) == ["sent", "sent"]


def test_a_sink_that_was_taken_out_begins_anew(outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    outbox.enqueue("old", "j", [1], 1, START)
    outbox.keep_only(["ops"], START)
    assert (outbox.cursor("ops", "j"), outbox.cursor("old", "j")) == (1, None)
    assert outbox.head("old") is None and outbox.head("ops") is not None
    outbox.keep_only([], START)
    assert outbox.head("ops") is None


async def test_a_clock_that_is_set_back_does_not_stop_the_queue(receiver: Receiver, outbox: Outbox) -> None:
    clock = Clock()
    receiver.answers = [web.Response(status=503, text="later")]
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, clock)
    async with sending() as session:
        await worker.step(session)
        clock.now -= timedelta(hours=1)
        assert await worker.step(session) == 0.0
    assert receiver.texts == ["text 1", "text 1"] and states(outbox) == ["sent"]


async def test_a_5xx_is_retried_with_a_growing_pause(receiver: Receiver, outbox: Outbox) -> None:
    clock = Clock()
    receiver.answers = [web.Response(status=503), web.Response(status=502)]
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, clock)
    pauses = []
    async with sending() as session:
        for _ in range(2):
            await worker.step(session)
            head = outbox.head("ops")
            assert head is not None
            pauses.append((head.next_try - clock.now).total_seconds())
            clock.now = head.next_try
        await worker.step(session)
    assert pauses == [1.0, 2.0] and states(outbox) == ["sent"]


async def test_a_refusal_is_dead_with_the_platforms_words_and_the_next_goes_on(
    receiver: Receiver, outbox: Outbox
) -> None:
    clock = Clock()
    receiver.answers = [web.Response(status=400, text="invalid_payload \x1b[31m")]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    worker = sender(outbox, clock)
    async with sending() as session:
        await worker.step(session)
        assert "invalid_payload" in worker.row().problem and "\x1b" not in worker.row().problem
        clock.now += timedelta(seconds=1)
        await worker.step(session)
    assert states(outbox) == ["dead", "sent"]


async def test_200_with_an_error_inside_is_no_success(receiver: Receiver, outbox: Outbox) -> None:
    receiver.answers = [web.json_response({"ok": False, "error": "channel_is_archived"})]
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, Clock())
    async with sending() as session:
        await worker.step(session)
    assert states(outbox) == ["dead"] and "channel_is_archived" in worker.row().problem


async def test_a_connection_that_breaks_after_the_body_is_maybe_sent_and_not_repeated(
    receiver: Receiver, outbox: Outbox
) -> None:
    receiver.answers = [ConnectionResetError()]
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, Clock())
    async with sending() as session:
        await worker.step(session)
        assert await worker.step(session) > 0
    assert states(outbox) == ["maybe"] and worker.row().maybe == 1 and receiver.texts == []


async def test_nobody_listening_is_tried_again(monkeypatch: pytest.MonkeyPatch, outbox: Outbox) -> None:
    monkeypatch.setenv("ITUI_TEST_CHAT", "http://127.0.0.1:1/services/T0/B0/verysecret")
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, Clock())
    async with sending() as session:
        await worker.step(session)
    assert states(outbox) == ["waiting"] and "cannot connect" in worker.row().problem


async def test_a_secret_that_is_not_set_waits_and_says_so(monkeypatch: pytest.MonkeyPatch, outbox: Outbox) -> None:
    monkeypatch.delenv("ITUI_TEST_CHAT", raising=False)
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, Clock())
    async with sending() as session:
        await worker.step(session)
    assert "$ITUI_TEST_CHAT is not set" in worker.row().problem and states(outbox) == ["waiting"]


async def test_what_was_purged_before_it_was_sent_is_never_sent(receiver: Receiver, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = sender(outbox, Clock(), lambda ref: None)
    async with sending() as session:
        await worker.step(session)
    assert states(outbox) == ["dropped"] and receiver.texts == []


async def test_without_the_lease_nothing_is_sent(receiver: Receiver, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    worker = Sender(SINK, outbox, compose=lambda ref: "x", may_send=lambda: False, clock=Clock(), jitter=lambda: 1.0)
    async with sending() as session:
        assert await worker.step(session) == 1.0
    assert receiver.texts == [] and states(outbox) == ["waiting"]


def test_the_next_watch_may_be_another_account_of_the_group(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        one = Outbox(tmp_path / "o.db")
        one.enqueue("ops", "j", [1], 1, START)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    one.close()
    assert modes == {"o.db": 0o660, "o.db-wal": 0o660, "o.db-shm": 0o660}


def test_a_watch_killed_while_sending_leaves_maybe(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "o.db")
    first.enqueue("ops", "j", [1], 1, START)
    head = first.head("ops")
    assert head is not None
    first.sending(head)
    first.close()
    second = Outbox(tmp_path / "o.db")
    assert second.recover() == 1 and states(second) == ["maybe"]
    second.close()


async def test_the_url_is_in_no_log_row_or_file(
    receiver: Receiver, outbox: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answers = [web.Response(status=503), ConnectionResetError(), web.Response(status=404, text="no")]
    outbox.enqueue("ops", "j", [1, 2, 3], 3, START)
    clock = Clock()
    worker = sender(outbox, clock)
    async with sending() as session:
        for _ in range(4):
            await worker.step(session)
            clock.now += timedelta(seconds=5)
    everything = str(worker.row()) + repr(worker.sink)
    everything += "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    assert "verysecret" not in everything
    assert all(b"verysecret" not in raw for raw in contents(tmp_path))


@pytest.mark.parametrize("mention", ["@channel", "<!channel>", "@everyone", "<users/all>", "@room", "<@U123>", "@ana"])
def test_mentions_are_defused(mention: str) -> None:
    text = json.loads(slack.body(f"web2 down {mention}"))["text"]
    assert mention not in text and "<" not in text


@given(st.text(max_size=9000))
def test_any_text_makes_a_body_within_the_limit(value: str) -> None:
    text = json.loads(slack.body(value))["text"]
    assert len(text) <= slack.LIMIT + 60 and "<" not in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("header", "answer", "seconds"),
    [
        ("3", "", 3.0),
        ("0.5", "", 0.5),
        ("Mon, 23 Nov 2026 03:10:20 GMT", "", 20.0),
        ("Mon, 23 Nov 2026 03:00:00 GMT", "", 0.0),
        (None, '{"retry_after": 1.5}', 1.5),
        (None, '{"retry_after_ms": 4494}', 4.494),
        ("999999", "", 600.0),
    ],
)
def test_every_form_of_retry_after(header: str | None, answer: str, seconds: float) -> None:
    wait = slack.retry_after(header, answer, START)
    assert wait is not None and wait.total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize("header", [None, "soon", "-4", "nan", "inf"])
def test_nonsense_in_retry_after_is_not_an_answer(header: str | None) -> None:
    assert slack.retry_after(header, "[]", START) is None


async def test_the_worker_wakes_for_a_new_message(receiver: Receiver, outbox: Outbox) -> None:
    worker = sender(outbox, Clock())
    task = asyncio.create_task(worker.run())
    try:
        outbox.enqueue("ops", "j", [1], 1, START)
        worker.wake.set()
        async with asyncio.timeout(5):
            while not receiver.texts:
                await asyncio.sleep(0.01)
                worker.wake.set()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
