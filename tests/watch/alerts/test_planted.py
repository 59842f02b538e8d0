"""Secrets of alerts, listener and hooks are in nothing that the program writes, prints or keeps."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import logging
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from incident_tui.journal.store import Store
from incident_tui.watch.alerts.poll import PollError, fetch
from incident_tui.watch.alerts.settings import AlertSource
from tests.alertmanager import free_port

PLANTED = ("planted-poll-token-1", "planted-hook-token-2", "planted-signing-secret-3", "planted-user:planted-pass-4")


class Wrong(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked with, as a badly configured proxy does, in the way that its port was told."""

    answers: ClassVar[list[int]] = [401, 500, 302, 200]
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        status = Wrong.answers[len(Wrong.asked) % len(Wrong.answers)]
        Wrong.asked.append(self.headers.get("Authorization", ""))
        said = f"you sent {Wrong.asked[-1]}".encode()
        self.send_response(status, f"no {Wrong.asked[-1]}")
        self.send_header("Location", f"http://127.0.0.1/{Wrong.asked[-1].replace(' ', '')}")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def wrong() -> Iterator[str]:
    Wrong.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_no_error_of_a_poll_holds_the_token(
    wrong: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("T", PLANTED[0])
    monkeypatch.setenv("BROKEN", f"{PLANTED[0]}\nX-Evil: 1")
    said = []
    urls = [wrong] * 4 + [f"http://127.0.0.1:{free_port()}", "http://name.invalid", wrong.replace("http", "https")]
    sources = [AlertSource(name="a", url=url, token_env="T") for url in urls]
    for source in [*sources, AlertSource(name="a", url=wrong, token_env="BROKEN")]:
        with pytest.raises(PollError) as caught:
            await fetch(source, datetime.now(UTC))
        said.append(f"{caught.value} {caught.value.__cause__!r}")
    assert Wrong.asked[:4] == [f"Bearer {PLANTED[0]}"] * 4
    assert PLANTED[0] not in "\n".join(said) + caplog.text, said


def test_a_whole_run_holds_no_secret(
    program: Any, tmp_path: Path, until: Callable[..., Any], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(("POLL", "HOOK", "SIGN", "BASIC"), PLANTED, strict=True):
        monkeypatch.setenv(name, value)
    port, config, journal = free_port(), tmp_path / "config.toml", tmp_path / "journal"
    config.write_text(
        f'[listener]\nbind = "127.0.0.1:{port}"\ntoken_env = "HOOK"\n'
        f'[[alerts]]\nname = "polled"\nurl = "{wrong}"\nseconds = 0.2\ntoken_env = "POLL"\n'
        f'[[alerts]]\nname = "basic"\nurl = "{wrong}"\nseconds = 0.2\ntoken_env = "BASIC"\nauth = "basic"\n'
        '[[alerts]]\nname = "posted"\nkind = "generic"\n'
        '[[alerts]]\nname = "signed"\nkind = "generic"\nsecret_env = "SIGN"\n'
        '[[hooks]]\nname = "mm"\nkind = "mattermost"\ntoken_env = "HOOK"\ntake = ["all"]\n'
    )
    words = ("--config", str(config), "--journal", str(journal))
    out = (tmp_path / "out").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "incident_tui", "watch", "--service", *words],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        env={**os.environ, "PYTHONASYNCIODEBUG": "1"},
    )
    out.close()

    def post(path: str, told: Any, **headers: str) -> int:
        body = json.dumps(told).encode()
        headers = {"Content-Type": "application/json", **headers}
        if path == "/alerts/signed":
            headers["X-Signature"] = f"sha256={hmac.new(PLANTED[2].encode(), body, hashlib.sha256).hexdigest()}"
        try:
            with urllib.request.urlopen(
                urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
            ) as done:
                return int(done.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0

    bearer = {"Authorization": f"Bearer {PLANTED[1]}"}
    told = {"token": PLANTED[1], "channel_id": "c", "post_id": "p", "text": "hello from chat", "user_id": "u"}
    try:
        until(lambda: post("/alerts/posted", {"title": "taken"}, **bearer) == 200)
        assert post("/alerts/signed", {"title": "signed and taken"}) == 200
        assert post("/alerts/posted", {"title": 3, "status": PLANTED[1]}, **bearer) == 400
        assert post(f"/alerts/{PLANTED[1]}", {"title": "x"}, **bearer) == 401
        assert post("/chat/mm", told) == 200
        assert post("/chat/mm", {**told, "token": f"{PLANTED[1]}x"}) == 401
        until(lambda: len(Wrong.asked) >= 8)
        program("declare", "x", *words)
        shown = [
            program(*command, *words, check=None).stdout
            for command in (
                ("status",),
                ("status", "--json"),
                ("check",),
                ("check", "--json"),
                ("export", "--full"),
                ("show",),
            )
        ]
    finally:
        process.terminate()
        process.wait(20)
    with Store.open(journal) as store:
        assert {"taken", "signed and taken", "hello from chat"} <= {entry.text for entry in store.read()}
    assert "the token is not accepted" in shown[2] or "answers 500" in shown[2] or "no JSON" in shown[2]
    files = [path for path in [*tmp_path.rglob("*"), *Path(os.environ["HOME"]).rglob("*")] if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files) + "".join(shown).encode()
    encoded = b"cGxhbnRlZC11c2Vy"  # base64 of the beginning of user:password
    assert not [one for one in (*(value.encode() for value in PLANTED), encoded) if one in kept]
