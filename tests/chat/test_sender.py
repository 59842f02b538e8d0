"""The sender against a real HTTP server: order, pace, retry, maybe sent, one message for many, nothing leaked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat.http import Http
from incident_tui.watch.chat.kinds import PLATFORMS
from incident_tui.watch.chat.outbox import Outbox
from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import SECRET, SINKS, START, Fake, composed, served, states, worker

SINK = ChatSink(name="ops", url_env="ITUI_TEST_URL", seconds_between=0.001)
ONE_BY_ONE = msgspec.structs.replace(SINK, coalesce=0)


def contents(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.iterdir()]


async def test_what_was_queued_arrives_once_and_in_order(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2, 3], 5, START)
    async with worker(SINK, outbox) as one:
        await one.steps()
    assert fake.texts == [f"[INC-1 a{number}] text {number}" for number in (1, 2, 3)]
    assert states(outbox) == ["sent"] * 3


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (lambda: web.Response(status=429, headers={"Retry-After": "7"}, text="slow down"), 7),
        (lambda: web.Response(status=429, headers={"Retry-After": "6.5"}), 6.5),
        (lambda: web.Response(status=429, headers={"Retry-After": "Mon, 23 Nov 2026 03:10:09 GMT"}), 9),
        (lambda: web.json_response({"retry_after": 3.25}, status=429), 3.25),
        (lambda: web.json_response({"retry_after_ms": 4494}, status=429, headers={"Retry-After": "5"}), 5),
        (lambda: web.Response(status=503, headers={"Retry-After": "30"}), 30),
    ],
)
async def test_a_429_waits_as_told_and_nothing_overtakes(
    fake: Fake, outbox: Outbox, answer: Callable[[], web.Response], seconds: float
) -> None:
    fake.answers = [answer()]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert await one.sender.step() == pytest.approx(min(seconds, 60))
        one.clock.on(seconds - 0.1)
        assert await one.sender.step() > 0 and len(fake.got) == 1
        row = one.sender.row()
        assert row.waiting == 2 and "answered" in row.problem and row.since == START
        one.clock.on(0.1)
        await one.steps()
    assert fake.texts == ["[INC-1 a1] text 1", "[INC-1 a1] text 1", "[INC-1 a2] text 2"]
    assert one.sender.row().problem == "" and one.sender.row().waiting == 0


async def test_a_storm_of_429_loses_and_repeats_nothing(fake: Fake, outbox: Outbox) -> None:
    taken: list[str] = []
    count = 0

    def usual(got: Any) -> web.Response:
        nonlocal count
        count += 1
        if count % 4:
            forms: list[dict[str, str]] = [{"Retry-After": "1"}, {"Retry-After": "0.2"}, {}]
            return web.Response(status=429, headers=forms[count % 3])
        taken.append(got.text)
        return web.Response(text="ok")

    fake.usual = usual
    outbox.enqueue("ops", "j", range(1, 21), 20, START)
    async with worker(ONE_BY_ONE, outbox) as one:
        await one.steps()
    assert [text.split()[-1] for text in taken] == [str(number) for number in range(1, 21)]
    assert states(outbox) == ["sent"] * 20


async def test_an_outbox_that_is_locked_after_the_post_repeats_nothing(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    other = sqlite3.connect(outbox._path, isolation_level=None)
    sent = outbox.sending

    def lock_after(batch: Any) -> None:
        sent(batch)
        other.execute("BEGIN IMMEDIATE")

    outbox.sending = lock_after  # type: ignore[method-assign]
    async with worker(SINK, outbox) as one:
        assert await one.sender.step() == 1.0
        assert "outbox cannot be used" in one.sender.row().problem and len(fake.got) == 1
        assert await one.sender.step() == 1.0
        other.execute("ROLLBACK")
        outbox.sending = sent  # type: ignore[method-assign]
        await one.steps()
    other.close()
    assert len(fake.got) == 2 and states(outbox) == ["sent", "sent"]


async def test_a_clock_that_is_set_back_does_not_stop_the_queue(fake: Fake, outbox: Outbox) -> None:
    fake.answers = [web.Response(status=503, text="later")]
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        one.clock.on(-3600)
        await one.sender.step()
    assert states(outbox) == ["sent"]


async def test_a_5xx_is_retried_with_a_growing_pause(fake: Fake, outbox: Outbox) -> None:
    fake.answers = [web.Response(status=status) for status in (503, 502, 500, 503, 503, 503, 503, 503)]
    outbox.enqueue("ops", "j", [1], 1, START)
    pauses = []
    async with worker(SINK, outbox) as one:
        for _ in range(8):
            await one.sender.step()
            (waiting,) = outbox.waiting("ops", 1)
            pauses.append((waiting.next_try - one.clock.now).total_seconds())
            one.clock.now = waiting.next_try
        await one.sender.step()
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 120] and states(outbox) == ["sent"]


async def test_a_refusal_is_dead_with_the_platforms_words_and_the_next_goes_on(fake: Fake, outbox: Outbox) -> None:
    fake.answers = [web.Response(status=400, text="invalid_payload \x1b[31m")]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert "invalid_payload" in one.sender.row().problem and "\x1b" not in one.sender.row().problem
        await one.steps()
        assert states(outbox) == ["dead", "sent"]
        assert one.sender.retry(None) == 1
        await one.steps()
    assert states(outbox) == ["sent", "sent"] and len(fake.got) == 3


async def test_200_with_an_error_inside_is_no_success(fake: Fake, outbox: Outbox) -> None:
    fake.answers = [web.json_response({"ok": False, "error": "channel_is_archived"})]
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.sender.step()
        assert states(outbox) == ["dead"] and "channel_is_archived" in one.sender.row().problem


async def test_a_sink_whose_address_is_wrong_keeps_everything_and_is_asked_seldom(fake: Fake, outbox: Outbox) -> None:
    fake.usual = lambda got: web.json_response({"message": "Unknown Webhook", "code": 10015}, status=404)
    outbox.enqueue("ops", "j", range(1, 10), 9, START)
    sink = msgspec.structs.replace(SINKS["discord"], coalesce=0)
    async with worker(sink, outbox) as one:
        for _ in range(60):
            await one.sender.step()
            one.clock.on(60)
        assert len(fake.got) == 6 and one.sender.row().waiting == 9
        assert "Unknown Webhook" in one.sender.row().problem
        fake.usual = lambda got: web.json_response({"id": "1"})
        one.sender.retry(None)  # the person who mended it does not wait for ten minutes
        await one.steps()
    assert states(outbox) == ["sent"] * 9


async def test_accepted_is_not_sent(fake: Fake, outbox: Outbox) -> None:
    fake.usual = lambda got: web.Response(status=202)
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINKS["teams"], outbox) as one:
        await one.steps()
        row = one.sender.row()
    assert states(outbox) == ["accepted"] and row.problem == "" and (row.accepted, row.waiting) == (1, 0)
    # It never came: a person names it, and it goes again.
    async with worker(SINKS["teams"], outbox) as one:
        assert one.sender.retry(Ref("j", 1)) == 1
        await one.steps()
    assert len(fake.got) == 2


async def test_a_connection_that_breaks_after_the_body_is_maybe_sent_and_not_repeated(
    fake: Fake, outbox: Outbox
) -> None:
    fake.answers = [ConnectionResetError()]
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        await one.steps()
        assert states(outbox) == ["maybe"] and one.sender.row().maybe == 1 and len(fake.got) == 1
        assert one.sender.retry(None) == 0
        assert one.sender.retry(Ref("j", 1)) == 1
        await one.steps()
    assert states(outbox) == ["sent"] and len(fake.got) == 2


async def test_no_answer_in_time_is_maybe(fake: Fake, outbox: Outbox) -> None:
    fake.hold = asyncio.Event()
    outbox.enqueue("ops", "j", [1], 1, START)
    made = Http(SINK, PLATFORMS["slack"], lambda: START, timeout=0.2)
    async with worker(SINK, outbox, made=made) as one:
        await one.steps()
        assert states(outbox) == ["maybe"] and "no answer in time" in one.sender.row().problem
    fake.hold.set()


async def test_on_matrix_the_same_message_is_sent_until_it_is_known_to_be_there(fake: Fake, outbox: Outbox) -> None:
    fake.usual = lambda got: web.json_response({"event_id": "$1"})
    fake.answers = [ConnectionResetError(), ConnectionResetError()]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    sink = msgspec.structs.replace(SINKS["matrix"], server=fake.server)
    async with worker(sink, outbox) as one:
        await one.steps()
    sent = [got for got in fake.got if got.method == "PUT"]
    assert states(outbox) == ["sent", "sent"]
    assert sent[0].path == sent[1].path == sent[2].path != sent[3].path
    assert sent[0].raw == sent[2].raw


async def test_many_that_may_have_arrived_together_go_again_together_and_nothing_joins_them(
    fake: Fake, outbox: Outbox
) -> None:
    fake.usual = lambda got: web.json_response({"event_id": "$1"})
    # aiohttp itself repeats a PUT once. A refusal afterwards does not say that the first did not arrive.
    fake.answers = [ConnectionResetError(), ConnectionResetError(), web.Response(status=503)]
    outbox.enqueue("ops", "j", range(1, 7), 6, START)
    sink = msgspec.structs.replace(SINKS["matrix"], server=fake.server)
    async with worker(sink, outbox) as one:
        await one.sender.step()
        assert one.sender.row().waiting == 6
        outbox.enqueue("ops", "j", range(7, 30), 29, START)
        await one.steps()
    sent = [got for got in fake.got if got.method == "PUT"]
    assert len({got.path for got in sent[:4]}) == len({got.raw for got in sent[:4]}) == 1
    assert sent[4].path != sent[3].path and states(outbox) == ["sent"] * 29


async def test_what_may_have_arrived_together_loses_no_line_although_one_has_grown(fake: Fake, outbox: Outbox) -> None:
    grown: list[int] = []

    def compose(ref: Ref) -> Any:
        return composed(ref, f"{'long ' * 4000 if ref.seq in grown else ''}text {ref.seq}")

    fake.usual = lambda got: web.json_response({"event_id": "$1"})
    fake.answers = [ConnectionResetError(), ConnectionResetError()]
    outbox.enqueue("ops", "j", range(1, 7), 6, START)
    sink = msgspec.structs.replace(SINKS["matrix"], server=fake.server)
    async with worker(sink, outbox, compose=compose) as one:
        await one.sender.step()
        grown += [1, 2, 3, 4, 5]
        await one.steps()
    last = fake.got[-1]
    assert states(outbox) == ["sent"] * 6 and last.path == fake.got[-2].path and "[INC-1 a3]" in last.text


async def test_the_server_is_down_for_the_whole_incident(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as there:
        monkeypatch.setenv("ITUI_TEST_URL", there.url)
        await there.stop()
        async with worker(SINK, outbox) as one:
            for number in range(1, 61):
                outbox.enqueue("ops", "j", [number], number, one.clock.now)
                await one.sender.step()
                one.clock.on(60)
            row = one.sender.row()
            assert row.waiting == 60 and row.since == START and row.oldest == START and "cannot connect" in row.problem
            await there.start()
            await one.steps()
            assert one.sender.row().problem == "" and one.sender.row().since is None
        assert states(outbox) == ["sent"] * 30 and one.sender.row().waiting == 0
        # An hour of entries came as two messages, each line with its time.
        assert len(there.texts) == 2 and "50 messages that had to wait" in there.texts[0]
        lines = [line for text in there.texts for line in text.split("\n")[1:]]
        assert [line.split()[-1] for line in lines] == [str(number) for number in range(1, 61)]


async def test_a_server_that_flaps_gets_everything_once(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as there:
        monkeypatch.setenv("ITUI_TEST_URL", there.url)
        async with worker(ONE_BY_ONE, outbox) as one:
            for number in range(1, 21):
                if number % 3 == 0:
                    await there.stop()
                elif number % 3 == 1 and number > 1:
                    await there.start()
                outbox.enqueue("ops", "j", [number], number, one.clock.now)
                await one.sender.step()
                one.clock.on(130)
            await there.stop()
            await there.start()
            await one.steps()
        assert [text.split()[-1] for text in there.texts] == [str(number) for number in range(1, 21)]


async def test_ten_thousand_wait_and_all_get_there(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", range(1, 10_001), 10_000, START)
    async with worker(SINK, outbox) as one:
        await one.steps(2000)
        row = one.sender.row()
    assert row.waiting == 0 and len(fake.got) < 400
    lines = [line for text in fake.texts for line in text.split("\n")[1:]]
    assert [int(line.split()[-1]) for line in lines] == list(range(1, 10_001))
    db = sqlite3.connect(outbox._path)
    assert db.execute("SELECT state, count(*) FROM messages GROUP BY state").fetchall() == [("sent", 10_000)]
    db.close()


async def test_incidents_are_not_mixed_and_long_lines_stay_whole(fake: Fake, outbox: Outbox) -> None:
    def compose(ref: Ref) -> Any:
        made = composed(ref, "long " * 500 if ref.seq == 3 else "")
        return msgspec.structs.replace(made, incident="INC-2" if ref.seq > 5 else "INC-1")

    outbox.enqueue("ops", "j", range(1, 11), 10, START)
    async with worker(SINK, outbox, compose=compose) as one:
        await one.steps()
    assert states(outbox) == ["sent"] * 10
    assert not any("INC-1" in text.split("\n")[0] and "INC-2" in text.split("\n")[0] for text in fake.texts)
    assert sum(text.count("long") for text in fake.texts) == 500


async def test_a_message_that_waited_says_when_it_happened(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox) as one:
        one.clock.on(180)
        await one.steps()
    assert fake.texts == ["[INC-1 a1] (03:10Z, sent late) text 1"]


async def test_what_was_purged_before_it_was_sent_is_never_sent(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", range(1, 8), 7, START)
    async with worker(SINK, outbox, compose=lambda ref: composed(ref) if ref.seq in (3, 5) else None) as one:
        await one.steps()
    assert sorted(states(outbox)) == ["dropped"] * 5 + ["sent"] * 2
    assert "a1]" not in "".join(fake.texts) and "a3]" in fake.texts[0]


async def test_without_the_lease_nothing_is_sent(fake: Fake, outbox: Outbox) -> None:
    outbox.enqueue("ops", "j", [1], 1, START)
    async with worker(SINK, outbox, may_send=lambda: False) as one:
        assert await one.sender.step() == 1.0
    assert fake.got == [] and states(outbox) == ["waiting"]


async def test_the_platforms_pace_is_kept(fake: Fake, outbox: Outbox) -> None:
    fake.usual = lambda got: web.json_response({"success": True})
    outbox.enqueue("ops", "j", range(1, 13), 12, START)
    sink = msgspec.structs.replace(SINKS["rocketchat"], coalesce=0)
    async with worker(sink, outbox) as one:
        sent_at = []
        for _ in range(60):
            before = len(fake.got)
            wait = await one.sender.step()
            sent_at += [(one.clock.now - START).total_seconds()] * (len(fake.got) - before)
            one.clock.on(wait)
    assert len(sent_at) == 12
    assert all(sum(start <= at < start + 60 for at in sent_at) <= 10 for start in sent_at)


async def test_an_allowance_that_is_used_up_makes_the_next_wait(fake: Fake, outbox: Outbox) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "17.5"}
    fake.answers = [web.json_response({"id": "1"}, headers=headers)]
    outbox.enqueue("ops", "j", [1, 2], 2, START)
    async with worker(SINKS["discord"], outbox) as one:
        await one.sender.step()
        assert await one.sender.step() == 17.5


async def test_the_url_is_in_no_log_row_or_file(
    fake: Fake, outbox: Outbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.answers = [web.Response(status=503), ConnectionResetError(), web.Response(status=400, text=f"no {fake.url}")]
    outbox.enqueue("ops", "j", [1, 2, 3], 3, START)
    async with worker(SINK, outbox) as one:
        await one.steps()
        everything = str(one.sender.row()) + repr(one.sender.sink) + repr(vars(one.delivery))
    everything += "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")
    assert SECRET not in everything
    assert all(SECRET.encode() not in raw for raw in contents(tmp_path))


async def test_the_worker_wakes_for_a_new_message(fake: Fake, outbox: Outbox) -> None:
    async with worker(SINK, outbox) as one:
        task = asyncio.create_task(one.sender.run())
        try:
            outbox.enqueue("ops", "j", [1], 1, START)
            one.sender.wake.set()
            async with asyncio.timeout(5):
                while not fake.texts:
                    await asyncio.sleep(0.01)
                    one.sender.wake.set()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
