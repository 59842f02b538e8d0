"""A whole watch sends: killed between sending and the answer, tested by hand, retried by hand, and nothing leaks."""

from __future__ import annotations

import asyncio
import base64
import signal
from pathlib import Path

import msgspec
from aiohttp import web

from incident_tui.watch.settings import ChatSink
from tests.chat.fakes import SECRET, SINKS, Fake, Got, served
from tests.chat.watched import until, watched

SINK = ChatSink(name="ops", url_env="ITUI_TEST_URL")


def environment(fake: Fake) -> dict[str, str]:
    return {"ITUI_TEST_URL": fake.url, "ITUI_TEST_TOKEN": "tokensecret"}


async def test_killed_between_sending_and_the_answer_is_maybe_and_a_person_decides(fake: Fake, tmp_path: Path) -> None:
    fake.hold = asyncio.Event()
    async with watched(tmp_path, [SINK], environment(fake)) as one:
        await one.run("declare", "gv0 is down")
        await one.start()
        await until(lambda: len(fake.got) == 1)
        await one.end(signal.SIGKILL)
        fake.hold.set()
        fake.hold = None
        await one.start()
        await one.run("log", "/sev 1 data at risk")
        await until(lambda: len(fake.got) == 2)
        assert "SEV1" in fake.got[1].text  # the first one was not repeated, and did not stop the second
        row = (await one.chat())["ops"]
        assert (row["maybe_sent"], row["waiting"]) == (1, 0)
        assert "MAYBE SENT" in await one.run("chat", check=1)
        (handle,) = [message["handle"] for message in row["messages"] if message["state"] == "maybe"]
        await one.run("chat", "retry", "ops", handle)
        await until(lambda: len(fake.got) == 3)
        assert "DECLARED" in fake.got[2].text
        await until(lambda: one.run("chat", check=None))
        await one.run("chat", check=0)


async def test_killed_between_sending_and_the_answer_is_once_on_matrix(tmp_path: Path) -> None:
    events: dict[str, str] = {}

    def usual(got: Got) -> web.Response:
        return web.json_response({"event_id": events.setdefault(got.path, f"${len(events)}")})

    async with served(usual) as fake:
        held = fake.hold = asyncio.Event()
        sink = msgspec.structs.replace(SINKS["matrix"], server=fake.server)
        async with watched(tmp_path, [sink], environment(fake)) as one:
            await one.run("declare", "gv0 is down")
            await one.start()
            # The first request asks whether the room is encrypted; only the second is the message.
            await until(lambda: fake.got)
            fake.hold = None
            held.set()
            fake.hold = asyncio.Event()
            await until(lambda: [got for got in fake.got if got.method == "PUT"])
            await one.end(signal.SIGKILL)
            fake.hold.set()
            fake.hold = None
            await one.start()
            await until(lambda: len([got for got in fake.got if got.method == "PUT"]) >= 2)

            async def well() -> bool:
                return "well; last sent" in await one.run("chat", check=None)

            await until(well)
    assert len({got.path for got in fake.got if got.method == "PUT"}) == 1


async def test_a_test_message_says_whether_it_was_confirmed_or_only_accepted(tmp_path: Path, fake: Fake) -> None:
    fake.usual = lambda got: web.Response(status=202) if "attachments" in got.json else web.Response(text="ok")
    teams = msgspec.structs.replace(SINKS["teams"], name="teams")
    async with watched(tmp_path, [SINK, teams], environment(fake)) as one:
        await one.run("log", "a line")
        assert "nobody is watching" in await one.run("chat", "test", "ops", check=1)
        await one.start()

        async def tested() -> str:
            said = await one.run("chat", "test", "ops", check=None)
            return "" if "nobody is watching" in said else said

        assert "confirmed" in await until(tested)
        assert "[TEST]" in fake.texts[0] and "nothing has happened" in fake.texts[0]
        assert "does not say whether it is delivered" in await one.run("chat", "test", "teams")
        fake.usual = lambda got: web.Response(status=400, text="no_text")
        assert "no_text" in await one.run("chat", "test", "ops", check=1)
        assert "did you mean ops?" in await one.run("chat", "test", "op", check=2)
        assert "retry or test" in await one.run("chat", "retr", check=2)
        fake.usual = lambda got: web.Response(text="ok")
        before = len(fake.got)
        await one.run("chat", "retry")
        await until(lambda: len(fake.got) > before)


async def test_resend_by_the_command_line_of_the_prompt(tmp_path: Path, fake: Fake) -> None:
    fake.answers = [web.Response(status=400, text="no_text")]
    async with watched(tmp_path, [SINK], environment(fake)) as one:
        await one.run("declare", "gv0 is down")
        await one.start()

        async def refused() -> bool:
            return bool((await one.chat())["ops"]["refused"] == 1)

        await until(refused)
        await one.run("log", "/resend")
        await until(lambda: len(fake.got) == 2)
        assert "no entry z9" in await one.run("log", "/resend z9", check=1)


PLANTED = {
    "ITUI_TEST_URL": "",
    "ITUI_TEST_TOKEN": "planted-token-5f3a9c",
    "ITUI_TEST_BROKEN": f"https://no-such-name.invalid/services/{SECRET}-dns",
}


async def test_no_output_of_a_whole_run_holds_a_secret(tmp_path: Path, fake: Fake) -> None:
    """Sinks that fail in all ways, everything logged, and each place that anything is written to is searched."""
    failures = [
        lambda got: web.Response(status=401, text=f"no: {got.path} {got.headers.get('authorization')}"),
        lambda got: web.Response(status=429, headers={"Retry-After": "0.1"}, text=got.path),
        lambda got: web.Response(status=500, text=str(got.headers)),
        lambda got: web.Response(status=200, text=f'{{"ok": false, "error": "{got.path}"}}'),
        lambda got: web.Response(status=400, text=str(got.headers) + got.path),
    ]

    def usual(got: Got) -> web.Response:
        return failures[len(fake.got) % len(failures)](got)

    fake.usual = usual
    private = tmp_path / "private"
    private.mkdir()
    (private / "url").write_text(fake.url + "-file")
    (private / "url").chmod(0o600)
    sinks = [msgspec.structs.replace(sink, name=kind, seconds_between=0.05) for kind, sink in SINKS.items()]
    sinks = [msgspec.structs.replace(sink, server=fake.server) if sink.token_env else sink for sink in sinks]
    sinks += [
        ChatSink(name="dns", url_env="ITUI_TEST_BROKEN"),
        ChatSink(name="tls", url_env="ITUI_TEST_TLS"),
        ChatSink(name="refused", url_env="ITUI_TEST_NOBODY"),
        ChatSink(name="byfile", url_file=str(private / "url")),
    ]
    planted = PLANTED | {
        "ITUI_TEST_URL": fake.url,
        "ITUI_TEST_TLS": fake.url.replace("http:", "https:") + "-tls",
        "ITUI_TEST_NOBODY": f"http://127.0.0.1:1/{SECRET}-nobody",
        "PYTHONASYNCIODEBUG": "1",
    }
    home = tmp_path / "home"
    home.mkdir()
    async with watched(tmp_path / "run", sinks, planted | {"HOME": str(home)}) as one:
        await one.run("declare", "gv0 is down")
        await one.start(debug=True)
        for number in range(4):
            await one.run("log", f"/update public update {number}")
        await until(lambda: len(fake.got) >= 3 * len(SINKS), 60)
        await one.run("chat", check=None)
        await one.run("chat", "--json", check=None)
        await one.run("chat", "test", "dns", check=1)
        await one.run("chat", "test", "tls", check=1)
        await one.run("chat", "retry")
        for words in (
            ("status",),
            ("status", "--json"),
            ("check",),
            ("check", "--json"),
            ("show",),
            ("show", "--json"),
        ):
            await one.run(*words, check=None)
        await one.run("export", "--full")
        await one.run("export", "--format", "json")
        await one.end()
        written = {str(path): path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
        written |= {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}
        written["the outputs"] = "".join(one.outputs).encode()
    assert any("outbox.db" in name for name in written)
    assert any(b"DEBUG" in raw and b"asyncio" in raw for name, raw in written.items() if name.endswith(".log"))
    for secret in (SECRET, "planted-token-5f3a9c"):
        found = [name for name, raw in written.items() if secret.encode() in raw]
        assert not found, (secret, found)
    basic = base64.b64encode(b"bot@z.example:planted-token-5f3a9c")
    assert not [name for name, raw in written.items() if basic in raw]


async def test_of_two_watches_the_holder_of_the_lease_sends_and_one_that_wakes_up_does_not(
    tmp_path: Path, fake: Fake
) -> None:
    async with (
        watched(tmp_path, [SINK], environment(fake)) as first,
        watched(tmp_path, [SINK], environment(fake)) as second,
    ):
        await first.run("declare", "gv0 is down")
        await first.start()
        await until(lambda: len(fake.got) == 1)
        await second.start()
        await first.run("log", "/sev 1 one holder, one message")
        await until(lambda: len(fake.got) == 2)

        async def settled() -> bool:  # not stopped in the middle of a write, which would hold SQLite's lock
            return [one["state"] for one in (await first.chat())["ops"]["messages"]] == ["sent", "sent"]

        await until(settled)
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        await first.run("log", "/sev 2 while the holder stands still")
        await until(lambda: len(fake.got) == 3, 120)  # the second one has taken over
        first.process.send_signal(signal.SIGCONT)
        await first.run("log", "/sev 3 after it has woken up")
        await until(lambda: len(fake.got) >= 4)
        await first.end()
        await second.run("log", "/status monitoring the last")
        await until(lambda: "the last" in fake.texts[-1])
    assert [text.split()[2].rstrip(":") for text in fake.texts] == ["DECLARED", "SEV1", "SEV2", "SEV3", "STATUS"]
