"""`brief`, `handoff` and `card` as processes, and the card left on a host by a real sshd."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet.leave import leave
from incident_tui.fleet.settings import Fleet
from tests.sshd import Sshd

Program = Any


@pytest.fixture
def declared(program: Program, tmp_path: Path) -> Callable[..., Any]:
    """Runs a command on a journal in which ana has declared an incident."""
    where = ("--journal", str(tmp_path / "journal"))

    def run(*words: str, by: str = "ana", **how: Any) -> Any:
        return program(*words, *where, "--as", by, **how)

    made = run("declare", "gv0 split-brain", "--severity", "1")
    run.card = made.stderr.splitlines()[-1].partition(": ")[2]  # type: ignore[attr-defined]
    return run


def test_the_brief_says_the_situation_and_that_nobody_watches(declared: Any) -> None:
    declared("log", "! restarted glusterd on web3", by="bob")
    said = declared("brief").stdout
    assert said.startswith("SEV1 gv0 split-brain") and "bob: ACTION restarted glusterd" in said
    assert "NOW (nobody is watching): NOT KNOWN" in said
    assert "restarted" in declared("brief", "--since", "-5m").stdout
    assert "write last, a time" in declared("brief", "--since", "soon", check=2).stderr


def test_a_handoff_is_offered_and_accepted_from_the_command_line(declared: Any, tmp_path: Path) -> None:
    target = tmp_path / "briefing.md"
    done = declared("handoff", "bob", "-o", str(target))
    assert "accepts with /handoff accept" in done.stderr and f"wrote {target}" in done.stderr
    assert target.read_text().startswith("# Handoff of INC-")
    assert "exists already" in declared("handoff", "bob", "-o", str(target), check=1).stderr
    declared("log", "/handoff accept", by="bob")
    assert "incident commander: bob" in declared("show").stdout
    assert "is commander already" in declared("handoff", "bob", check=1).stderr


def test_a_card_is_left_on_declare_and_what_is_written_into_it_comes_back_once(declared: Any) -> None:
    card = Path(declared.card)
    assert card.parent.name == "cards" and card.read_text().startswith("BREAK-GLASS CARD INC-")
    assert stat.S_IMODE(card.stat().st_mode) & 0o007 == 0, "contacts are not for everybody"
    with card.open("a") as file:
        file.write("! cut web3 off\n= the sites are back\n")
    first = declared("card", "--import", str(card)).stdout
    assert first.count("\n") == 2 and "cut web3 off" in first
    again = declared("import", str(card))
    assert again.stdout == "" and "2 here already" in again.stderr, "the same file by either command"
    shown = declared("show").stdout
    assert shown.count("ACTION cut web3 off") == 1 and shown.count("RESULT the sites are back") == 1


def test_without_a_watch_the_card_follows_what_is_logged(declared: Any) -> None:
    card = Path(declared.card)
    declared("log", "/status mitigating restarting glusterd")
    assert "mitigating" in card.read_text()
    before = card.stat().st_ino
    declared("log", "just a note")
    assert card.stat().st_ino == before, "an ordinary line pays nothing"


def test_what_cannot_be_imported_is_said_and_the_rest_is_kept(declared: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("/sev nine because\na note\n")
    done = declared("card", "--import", str(notes), check=1)
    assert "/sev nine because" in done.stderr and "a note" in done.stdout
    assert "cannot be read" in declared("card", "--import", str(tmp_path / "no"), check=2).stderr
    notes.write_text("\n\n")
    assert "no line to import" in declared("card", "--import", str(notes), check=2).stderr


async def test_the_card_is_left_on_a_host_whole_and_private(start_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    sshd = start_sshd(environment={"HOME": str(home)})
    for text in ("first\n", "BREAK-GLASS CARD 'quoted' $HOME `x` é\n" * 500):
        assert await leave(sshd.host(), Fleet(), "card.txt", text) == ""
        assert (home / "card.txt").read_text(encoding="utf-8") == text
    assert stat.S_IMODE((home / "card.txt").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["card.txt"]
    sshd.process.kill()
    sshd.process.wait()
    assert "refused" in await leave(sshd.host(), Fleet(connect_timeout=1.0), "card.txt", "x")
