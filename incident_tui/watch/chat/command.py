"""A program of the team's own takes the messages: its arguments as configured, never through a shell, the text on its
standard input. Status 0 is taken, 75 (EX_TEMPFAIL of sysexits.h) is tried again, any other is a refusal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from typing import Final

from incident_tui.text import redact, sanitise
from incident_tui.watch.chat.delivery import Attempt
from incident_tui.watch.chat.fitting import fit
from incident_tui.watch.chat.platform import Misfit, Outcome, Outgoing, Pace
from incident_tui.watch.settings import ChatSink

TEMPORARY: Final = 75
_READ: Final = 4_096
"""Bytes of its output that are kept; the rest is read and thrown away."""


class CommandFacts:
    limit = 60_000
    pace = Pace(0.5, 5)
    idempotent = False
    threads = False

    def size(self, text: str) -> int:
        return len(text)


class Command:
    def __init__(self, sink: ChatSink) -> None:
        self.facts = CommandFacts()
        self._sink = sink

    def prepare(self, out: Outgoing) -> Attempt:
        filled = {"{tag}": out.tag, "{incident}": out.incident, "{sink}": self._sink.name}
        words = [filled.get(word, word) for word in self._sink.command]
        if shutil.which(words[0]) is None:
            raise Misfit(f"there is no program {sanitise(words[0], limit=60)}, or it may not be run")
        text = fit(out.text, self.facts.limit, self.facts.size) + "\n"
        return lambda: self._run(words, text.encode())

    async def close(self) -> None:
        return None

    async def _run(self, words: list[str], text: bytes) -> Outcome:
        with tempfile.TemporaryFile() as given:
            given.write(text)
            given.seek(0)
            output, end = os.pipe()
            try:
                process = await asyncio.create_subprocess_exec(
                    *words, stdin=given, stdout=end, stderr=end, start_new_session=True
                )
            except BaseException as error:
                os.close(output)
                if not isinstance(error, OSError | ValueError):
                    raise
                why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a command"
                return Outcome("again", f"{sanitise(words[0], limit=60)} cannot be started ({why})")
            finally:
                os.close(end)
        with _Output(output) as said:
            try:
                async with asyncio.timeout(self._sink.seconds):
                    status = await process.wait()
            except TimeoutError:
                return Outcome("maybe", f"the command was stopped after {self._sink.seconds:g} s")
            finally:
                await _stop(process)
        return _judge(status, said.text)


def _judge(status: int, said: str) -> Outcome:
    if status == 0:
        return Outcome("sent")
    how = f"status {status}" if status > 0 else f"signal {-status}"
    problem = f"the command ended with {how}{': ' + said if said else ''}"
    return Outcome("again" if status == TEMPORARY else "dead", problem)


class _Output:
    """Reads what the command prints, so that it never waits for us; keeps a little. A child that it left behind (a mail
    program does that) may hold the pipe: what counts is the end of the command itself."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._kept = b""
        self._loop = asyncio.get_running_loop()

    @property
    def text(self) -> str:
        return redact(sanitise(self._kept.strip(), limit=120))[0]

    def __enter__(self) -> _Output:
        os.set_blocking(self._pipe, False)
        self._loop.add_reader(self._pipe, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._read()
        self._loop.remove_reader(self._pipe)
        os.close(self._pipe)

    def _read(self) -> None:
        try:
            chunk = os.read(self._pipe, 65_536)
        except BlockingIOError:
            return
        if not chunk:
            self._loop.remove_reader(self._pipe)
        self._kept = (self._kept + chunk)[:_READ]


async def _stop(process: asyncio.subprocess.Process) -> None:
    """When it has not ended by itself: it and all that it has started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
