"""The two-peers rule on real peers: while a copy is missing, a command on the peer of another one wants a word more."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab


def test_a_second_peer_is_not_taken_down_unasked_while_one_is_down(lab: Any, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'{lab.config.read_text()}\n[commands]\nkeys = "hosts"\n')

    def run(n: int, *words: str) -> tuple[int, str]:
        """`incident-tui run` without a terminal, so that nobody can confirm anything; its status and what it said."""
        command = [*lab.command("run", f"peer{n}", "--config", str(config), "--expect", "it is so"), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=90, env=lab._environment, start_new_session=True
        )
        return done.returncode, done.stderr

    lab.undo.callback(lab.gluster, "volume", "start", "gv0", "force")
    lab.run(3, "kill", "-9", lab.brick_pid(3, "gv0"))
    subject = f"gv0 {lab.brick(3, 'gv0')}"
    lab.appears("gluster.brick-down", subject, "warn")
    second = lab.brick_pid(2, "gv0")
    status, said = run(2, "--", "kill", second)
    assert status == 2 and f"gv0: {lab.brick(3, 'gv0')} is down" in said and "there is no terminal" in said
    assert lab.brick_pid(2, "gv0") == second, "the second brick was not touched"
    status, said = run(3, "--yes", "--", "touch", "/run/on-the-peer-that-is-down")
    assert status == 0 and "is down" not in said, "the peer that is down may be worked on"
    lab.undo.callback(lab.run, 3, "rm", "-f", "/run/on-the-peer-that-is-down")
    status, said = run(2, "--yes", "--", "true")
    assert status == 0 and "is down" in said, "who insists is told, and it is in the journal"
    lab.gluster("volume", "start", "gv0", "force")
    lab.recovers("gluster.brick-down", subject)
