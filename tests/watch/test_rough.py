"""The watch when its files are locked, full or gone: it goes on, says so in its log, and loses nothing."""

from __future__ import annotations

import contextlib
import http.server
import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.journal.lease import Lease
from incident_tui.journal.store import Store

Staged = Callable[..., Any]
Until = Callable[..., Any]
Status = Callable[[Any], dict[str, Any]]


def held_by(journal: Path, process: subprocess.Popen[str]) -> bool:
    with Store.open(journal) as store:
        found = Lease(journal, store).holder()
    return found is not None and found.pid == process.pid and found.fresh


def no_hosts(settings: Any) -> Any:
    sites = tuple(msgspec.structs.replace(site, hosts=()) for site in settings.sites)
    return msgspec.structs.replace(settings, hosts=(), sites=sites)


def ended_well(process: subprocess.Popen[str]) -> None:
    process.terminate()
    assert process.wait(15) == 0
    assert process.stdout is not None and "Traceback" not in process.stdout.read()


@pytest.mark.parametrize("file", ["outbox.db", "journal.db", "board.db"])
def test_a_file_that_another_process_locks_for_long_ends_nothing(
    staged: Staged, until: Until, program: Any, file: str
) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    program("declare", "gv0 split", *one.words)
    path = one.stage.journal / file
    assert path.exists(), sorted(os.listdir(one.stage.journal))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    if file != "journal.db":
        program("log", "/update while it is locked", *one.words)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(12)
    other.execute("ROLLBACK")
    other.close()
    if file == "journal.db":
        program("log", "/update while it is locked", *one.words)
    until(lambda: "while it is locked" in one.stage.chat(), 25)
    until(lambda: held_by(one.stage.journal, process))
    ended_well(process)


def test_without_hosts_it_watches_sites_and_chat(staged: Staged, until: Until, status_of: Status) -> None:
    one = staged("healthy", no_hosts)
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    status = until(lambda: (found := status_of(one))["sites"] and found["watch"]["fresh"] and found)
    assert status["hosts"] == status["containers"] == status["volumes"] == []
    ended_well(process)


def test_a_board_that_is_deleted_comes_back(staged: Staged, until: Until, status_of: Status) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: all(host["state"] == "connected" for host in status_of(one)["hosts"]))
    for name in os.listdir(one.stage.journal):
        if name.startswith("board."):
            (one.stage.journal / name).unlink()
    until(lambda: (s := status_of(one))["watch"]["fresh"] and all(h["state"] == "connected" for h in s["hosts"]), 30)
    assert process.poll() is None
    ended_well(process)


def test_a_full_disk_ends_nothing_and_what_it_held_up_follows(
    staged: Staged, until: Until, program: Any, status_of: Status, small_disk: Path
) -> None:
    one = staged("healthy")
    one.words = ("--config", str(one.stage.config), "--journal", str(small_disk / "journal"))
    process = one.watch("--service")
    until((small_disk / "journal" / "board.db").exists)
    until(lambda: all(host["state"] == "connected" for host in status_of(one)["hosts"]))
    program("declare", "gv0 split", *one.words)
    until(lambda: "DECLARED" in one.stage.chat())
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
        while True:
            filler.write(bytes(4096))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(8)
    (small_disk / "filler").unlink()
    program("log", "/update room again", *one.words)
    until(lambda: "room again" in one.stage.chat(), 25)
    until(lambda: status_of(one)["watch"]["fresh"], 25)
    assert program("verify", *one.words).returncode == 0
    ended_well(process)


def test_kill_9_during_a_post_is_maybe_sent_and_never_doubled(staged: Staged, until: Until, program: Any) -> None:
    """The receiver has the text, the watch has not heard so: the next watch does not say it again, and goes on."""
    texts: list[str] = []
    heard = threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            heard.set()
            if "first" in texts[-1]:
                gone.wait(30)
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            return

    gone = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = staged("healthy")
    secret = one.stage.config.parent / "hook"
    secret.write_text(f"http://127.0.0.1:{server.server_address[1]}/hook")
    secret.chmod(0o600)
    text = one.stage.config.read_text()
    begin = text.index("[[chat]]")
    end = text.find("\n[", begin + 8)
    sink = f'[[chat]]\nname = "ops"\nurl_file = "{secret}"\nsend = ["update"]\n'
    one.stage.config.write_text(text[:begin] + sink + (text[end:] if end > 0 else ""))
    first = one.watch("--service")
    until(lambda: held_by(one.stage.journal, first))
    program("declare", "gv0 split", *one.words)
    program("log", "/update first", *one.words)
    assert heard.wait(20)
    first.kill()
    first.wait(10)
    gone.set()
    second = one.watch("--service")
    program("log", "/update second", *one.words)
    until(lambda: any("second" in each for each in texts))
    server.shutdown()
    server.server_close()
    assert [("first" in each, "second" in each) for each in texts] == [(True, False), (False, True)]
    ended_well(second)
