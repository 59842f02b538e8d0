"""Shared by the journal's tests: drafts, a store in a fresh directory, real processes that are always ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.store import Store

ROOT = str(Path(__file__).resolve().parents[2])
MakeDraft = Callable[..., Draft]
Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def draft() -> MakeDraft:
    def make(text: str, kind: Kind = Kind.NOTE, **fields: Any) -> Draft:
        return Draft(
            kind=kind, text=text, at=datetime(2026, 11, 23, 3, 10, tzinfo=UTC), author=Author("ana", uid=1), **fields
        )

    return make


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    with Store.open(place) as opened:
        yield opened


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start `python -c script args`; output is line-buffered text. Ended, also when stopped, after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *args: object, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-u", "-c", script, *map(str, args)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ROOT},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()
