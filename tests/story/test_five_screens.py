"""Five screens and a shell loop on one journal, under load: each sees all, nobody waits, nothing is lost."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from incident_tui.journal.store import Store
from tests.accounts import FIRST, SECOND, as_account
from tests.terminals import PROGRAM, ROOT, Terminals

NAMES = ("ana", "bob", "cyd", "dan", "eva")
LOGGED = 40
LOOP = 'i=0; while [ $i -lt {count} ]; do i=$((i+1)); "$@" log "from the shell $i" --as fay || exit 1; done'


def loop(*words: str) -> subprocess.Popen[bytes]:
    command = ["sh", "-c", LOOP.format(count=LOGGED), "sh", *PROGRAM, *words]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd="/")


def test_each_sees_all_and_nothing_is_lost(
    staged: Callable[..., Any], program: Any, terminals: Terminals, until: Callable[..., Any]
) -> None:
    """The machines play their outage all the while."""
    one = staged("outage", speed=2.0)
    screens = [terminals.open("incident-tui", *one.words, "--as", name) for name in NAMES]
    for screen in screens:
        screen.see("no incident", "F1 help")
    screens[0].enter("/declare /sev 1 gv0 trouble")
    for screen in screens:
        screen.see("SEV1")
    shell = loop(*one.words)
    for number in range(3):
        for name, screen in zip(NAMES, screens, strict=True):
            screen.enter(f"{name} says {number}")
    for name, screen in zip(NAMES, screens, strict=True):
        screen.type(f"unsent words of {name}")
    assert shell.wait(120) == 0
    with Store.open(one.stage.journal) as store:
        said = Counter(entry.text for entry in store.read() if entry.author.name in (*NAMES, "fay"))
        assert store.verify().ok
    for text in [f"{name} says {number}" for name in NAMES for number in range(3)]:
        assert said[text] == 1, text
    for number in range(1, LOGGED + 1):
        assert said[f"from the shell {number}"] == 1, number
    program("log", "the last word", *one.words, "--as", "fay")
    for name, screen in zip(NAMES, screens, strict=True):
        text = screen.see("the last word", "here ", f"unsent words of {name}")
        assert "unsent words" not in text.replace(f"unsent words of {name}", "")
        assert sum(other in text.split("here ", 1)[1].split("\n")[0] for other in NAMES) >= 3, text
    kept = {path.stat().st_mode & 0o777 for path in (one.stage.journal / "lines").rglob("*") if path.is_file()}
    assert kept == {0o600}, "drafts are private"


def test_a_stopped_screen_holds_up_nobody(terminals: Terminals, program: Any, tmp_path: Path) -> None:
    words = ("--journal", str(tmp_path / "journal"))
    stuck = terminals.open("incident-tui", *words, "--as", "ana")
    stuck.see("here ana")  # before the other comes: whoever came first stands first
    other = terminals.open("incident-tui", *words, "--as", "bob")
    other.see("here ")
    os.kill(stuck.pid, 19)
    for number in range(20):
        program("log", f"line {number}", *words, "--as", "fay")
    other.see("line 19")
    other.enter("bob goes on")
    other.see("bob goes on", "saved")
    os.kill(stuck.pid, 18)
    stuck.see("bob goes on")


def test_two_accounts_and_a_shared_one(shared: Path, terminals: Terminals) -> None:
    """What the system knows of the writer stands beside the name; a name that nothing proves is printed as claimed."""
    words = ("--journal", str(shared / "journal"))
    homes = {}
    for account in (FIRST, SECOND):
        homes[account] = shared.parent / f"home-{account}"
        homes[account].mkdir()
        subprocess.run(["chown", account, str(homes[account])], check=True)

    def screen(account: str, name: str) -> Any:
        command = (*as_account(account), *PROGRAM, *words, "--as", name)
        return terminals.open(*command, environment={"HOME": str(homes[account])})

    ana, bob, eva = screen(FIRST, "ana"), screen(SECOND, "bob"), screen(FIRST, "eva")
    for pane in (ana, bob, eva):
        pane.see("nothing unsaved", "here ")
    ana.enter("from the first account")
    bob.see("from the first account")
    bob.enter("from the second")
    eva.enter("a shared account, another name")
    ana.see("from the second", "a shared account")
    with Store.open(shared / "journal") as store:
        by = {entry.author.name: entry.author for entry in store.read()}
    assert (by["ana"].account, by["bob"].account, by["eva"].account) == (FIRST, SECOND, FIRST)
    assert not by["eva"].proven
    ana.keys("Tab", "Tab", "Enter")
    ana.see("eva (claimed)", f"account {FIRST}")
