"""A home without ssh settings, and scratch programs for the sshd of `tests/sshd.py` to run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ssh configuration, key or agent of the person who runs the tests."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def stand_ins(tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """Write shell programs into a directory and give the PATH that finds them first."""

    def make(programs: dict[str, str]) -> str:
        directory = tmp_path / "bin"
        directory.mkdir(exist_ok=True)
        for name, body in programs.items():
            path = directory / name
            path.write_text("#!/bin/sh\n" + body)
            path.chmod(0o755)
        return f"{directory}:/usr/sbin:/usr/bin:/sbin:/bin"

    return make


@pytest.fixture
async def unused_listener() -> AsyncIterator[int]:
    """A port that accepts and says nothing."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
