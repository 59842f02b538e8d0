"""A whole watch as a process of its own, with chats and no machines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from incident_tui.watch.settings import ChatSink


def toml_of(sink: ChatSink) -> str:
    """The `[[chat]]` table of a sink. A JSON value of these types is a TOML value, too."""
    values = msgspec.to_builtins(sink)
    return "[[chat]]\n" + "".join(f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in values.items())


_DEBUG = """
import logging
basic = logging.basicConfig
logging.basicConfig = lambda **words: basic(**{**words, "level": logging.DEBUG})
from incident_tui.cli import main
raise SystemExit(main())
"""


class Watched:
    """A directory with a configuration and a journal; `environment` holds the secrets."""

    def __init__(self, directory: Path, sinks: list[ChatSink], environment: Mapping[str, str], more: str = "") -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.journal = directory / "journal"
        self.config = directory / "config.toml"
        self.config.write_text(f"[journal]\ndirectory = '{self.journal}'\n{more}" + "".join(map(toml_of, sinks)))
        self.environment = {**os.environ, **environment}
        self.outputs: list[str] = []
        """Everything that commands and watches printed."""
        self.process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def run(self, *words: str, check: int | None = 0) -> str:
        """A command of the program; what it printed on both outputs."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "incident_tui", *words, "--config", str(self.config), "--as", "ana"),
            env=self.environment,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            said = (await process.communicate())[0].decode()
        self.outputs.append(said)
        assert check is None or process.returncode == check, f"{words}: {process.returncode}: {said}"
        assert "Traceback" not in said
        return said

    async def start(self, *, debug: bool = False) -> None:
        """A watch, as a service. `debug`: it logs all that anything in it has to say."""
        assert self.process is None
        program = ["-c", _DEBUG] if debug else ["-m", "incident_tui"]
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, *program, "watch", "--service", "--config", str(self.config)),
            env=self.environment,
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.outputs.append(line.decode())

    async def end(self, number: int = signal.SIGTERM) -> None:
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)
            async with asyncio.timeout(20):
                await process.wait()
            if self._reading is not None:
                await self._reading

    async def chat(self) -> dict[str, Any]:
        """`chat --json`, by sink."""
        said = await self.run("chat", "--json", check=None)
        try:
            found = msgspec.json.decode(said)
        except msgspec.DecodeError:
            raise AssertionError(f"chat --json: {said}") from None
        return {one["name"]: one for one in found["chat"]}


@contextlib.asynccontextmanager
async def watched(
    directory: Path, sinks: list[ChatSink], environment: Mapping[str, str], more: str = ""
) -> AsyncIterator[Watched]:
    one = Watched(directory, sinks, environment, more)
    try:
        yield one
    finally:
        await one.end()


async def until(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Asks until the answer is true; `ask` may be a coroutine function."""
    found: Any = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                found = ask()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s; the last answer was {found!r}") from None
