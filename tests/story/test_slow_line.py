"""The program through a real ssh and a real sshd, on a line of 300 ms and 64 kbit/s."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from incident_tui.journal.store import Store
from tests.sshd import Sshd
from tests.terminals import PROGRAM, ROOT, Pane, Terminals


def over(terminals: Terminals, sshd: Sshd, port: int, home: Path, *words: str) -> Pane:
    command = ["env", f"PYTHONPATH={ROOT}", f"HOME={home}", "LC_ALL=C.UTF-8", *PROGRAM, *words]
    ssh = ["ssh", "-tt", "-F", "none", "-p", str(port), "-i", str(sshd.key), "-o", "BatchMode=yes"]
    ssh += ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]
    return terminals.open(*ssh, f"{sshd.host().user}@127.0.0.1", shlex.join(command))


def test_typing_stays_readable_and_a_line_is_saved_and_shown(
    terminals: Terminals, sshd: Sshd, slow_line: Callable[..., Any], tmp_path: Path
) -> None:
    line = slow_line(sshd.port)
    home = Path(os.environ["HOME"])
    journal = tmp_path / "journal"
    pane = over(terminals, sshd, line.port, home, "--journal", str(journal), "--as", "ana")
    pane.see("no incident", "F1 help")
    pane.enter("/declare /sev 1 gv0 split-brain, sites 502")
    pane.see("SEV1", "IC ana")
    before = line.back
    said = "restarted glusterd on web3, bricks 2/3"
    pane.type(f"! {said}")
    typed = line.back - before
    pane.keys("Enter")
    pane.see("ACTION restarted glusterd", "saved")
    with Store.open(journal) as store:
        assert store.read()[-1].text == said
    # Each key is an ssh packet of its own at worst: 80 bytes of ours, and what ssh adds to each.
    assert typed < len(said) * (80 + 80)
    pane.keys("F1")
    pane.see("PREFIXES")
    pane.keys("Escape")
    pane.gone("PREFIXES")
    pane.keys("C-c")
    pane.see("again leaves")
    pane.keys("C-c")
    pane.until(lambda: not pane.alive, what="the end of ssh")
    assert pane.status == 0


def test_the_line_is_cut_in_mid_sentence_and_nothing_is_lost(
    terminals: Terminals, sshd: Sshd, slow_line: Callable[..., Any], tmp_path: Path
) -> None:
    line = slow_line(sshd.port)
    home = Path(os.environ["HOME"])
    words = ("--journal", str(tmp_path / "journal"), "--as", "ana")
    pane = over(terminals, sshd, line.port, home, *words)
    pane.see("no incident", "F1 help")
    pane.type("gv0 is split on web2 and web")
    line.cut()
    pane.until(lambda: not pane.alive, what="the end of ssh")
    again = over(terminals, sshd, slow_line(sshd.port).port, home, *words)
    again.see("> gv0 is split on web2 and web")
    again.type("3", "Enter")
    again.see("gv0 is split on web2 and web3", "saved")
