"""Signed entries as somebody uses them: `log`, `sign`, `verify` and `check`, with a real ssh-agent and ssh-keygen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.journal.record import own_records
from incident_tui.journal.store import Store
from incident_tui.journal.take_in import take_in
from tests.agents import SshAgent
from tests.terminals import Terminals

Program = Any
StartAgent = Callable[[], SshAgent]


class Bastion:
    """A configuration in which ana's entries are signed, and a journal."""

    def __init__(self, directory: Path, program: Program, agent: SshAgent, kind: str = "ed25519") -> None:
        self.directory = directory
        self.config = directory / "config.toml"
        self.key = agent.add(kind)
        self.config.write_text(
            f'[journal]\ndirectory = "journal"\nsign = "agent"\n[[people]]\nname = "ana"\nkeys = ["{self.key}"]\n'
            '[[people]]\nname = "ben"\n'
        )
        self._program = program

    def run(self, *words: str, check: int | None = 0, text: str | None = None) -> Any:
        return self._program("--config", str(self.config), "--as", "ana", *words, check=check, text=text)


@pytest.fixture
def bastion(
    tmp_path: Path, program: Program, start_agent: StartAgent, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Bastion]:
    def make(kind: str = "ed25519") -> Bastion:
        agent = start_agent()
        monkeypatch.setenv("SSH_AUTH_SOCK", agent.socket)
        return Bastion(tmp_path, program, agent, kind)

    return make


def test_what_is_logged_is_signed_and_verify_names_it(bastion: Callable[..., Bastion], tmp_path: Path) -> None:
    one = bastion()
    assert one.run("log", "web2 is down").stdout == "a1\n"
    assert one.run("log", "-", text="! restarted glusterd\n\nit is back\n").stdout == "a3\na4\n"
    one.run("--as", "ben", "log", "his line", "--as", "ben")
    lines = one.run("verify").stdout.splitlines()
    assert lines[0] == "6 entries; the chain holds"
    assert any(line.startswith("signed by ana (SHA256:") and line.endswith("): a1, a3–a4") for line in lines)
    assert "not signed: a6" in lines
    fields = json.loads(one.run("verify", "--json").stdout)
    assert fields["signed"][0] | {"key": ""} == {
        "by": "ana",
        "key": "",
        "known": True,
        "entries": "1,3-4",
        "count": 3,
    }
    assert fields["unsigned"] == "6" and fields["wrong"] == [] and fields["ok"] is True


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_ssh_keygen_says_the_same(kind: str, bastion: Callable[..., Bastion], tmp_path: Path) -> None:
    one = bastion(kind)
    one.run("log", "web2 is down")
    out = tmp_path / "out"
    out.mkdir()
    told = one.run("verify", "--signature", "a2", "--out", str(out)).stdout.splitlines()
    assert (out / "a2.txt").read_text().startswith("incident-tui entries 1\nauthor: ana\nhead: ")
    done = subprocess.run(["/bin/sh", "-c", told[0]], capture_output=True, text=True)
    assert done.returncode == 0 and 'Good "incident-tui" signature for ana' in done.stdout, done.stderr
    assert one.key.split()[1] in (out / "a2.signer").read_text()
    (out / "a2.txt").write_text((out / "a2.txt").read_text().replace("author: ana", "author: eve"))
    done = subprocess.run(["/bin/sh", "-c", told[0]], capture_output=True, text=True)
    assert done.returncode != 0
    again = one.run("verify", "--signature", "a2", "--out", str(out), check=1)
    assert "cannot be written" in again.stderr and again.stderr.count("\n") == 1
    assert "a1 is no signature" in one.run("verify", "--signature", "a1", check=2).stderr


def test_without_an_agent_the_line_is_saved_and_signed_later(
    bastion: Callable[..., Bastion], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bastion()
    with monkeypatch.context() as gone:
        gone.setenv("SSH_AUTH_SOCK", str(one.directory / "none"))
        done = one.run("log", "web2 is down")
        assert done.stdout == "a1\n"
        assert "saved, not signed: the SSH agent of SSH_AUTH_SOCK is gone" in done.stderr
        assert done.stderr.count("\n") == 1
        assert "not signed: the SSH agent" in one.run("sign", check=1).stderr
        checked = one.run("check", check=1).stdout
        assert any(line.startswith("X FAIL") and "signing" in line for line in checked.splitlines())
    checked = one.run("check", check=None).stdout
    (line,) = [line for line in checked.splitlines() if " signing " in line]
    assert line.startswith("+ ok") and "1 of your entries are not signed: incident-tui sign" in line
    listed = one.run("sign", "--dry-run").stdout.splitlines()
    assert listed[0].startswith("a1 ") and "web2 is down" in listed[0] and listed[1] == "1 not signed"
    assert one.run("sign").stdout.splitlines()[-1] == "1 signed: a2"
    assert one.run("sign").stdout == "all entries of ana from here are signed\n"
    assert "): a1" in one.run("verify").stdout


def test_a_signature_that_does_not_fit_is_a_problem(bastion: Callable[..., Bastion]) -> None:
    one = bastion()
    one.run("log", "web2 is down")
    one.config.write_text(one.config.read_text().replace('name = "ana"', 'name = "eve"'))
    done = one.run("verify", check=1)
    assert "WRONG: a2: this is eve's key" in done.stdout and "the chain holds" in done.stdout
    assert json.loads(one.run("verify", "--json", check=1).stdout)["wrong"][0]["seq"] == 2


def test_the_report_counts_what_has_a_signature(bastion: Callable[..., Bastion]) -> None:
    one = bastion()
    one.run("declare", "gv0 split-brain", "--severity", "2")
    one.run("log", "web2 is down")
    report = one.run("export", "--full").stdout
    assert "2 with a signature" in report and "signature:" not in report.lower()


def test_nothing_is_signed_where_nobody_asked_for_it(program: Program, tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    program("log", "x", "--journal", journal)
    said = program("verify", "--journal", journal).stdout
    assert "signed" not in said
    refused = program("sign", "--journal", journal, check=2)
    assert 'set sign = "agent" in [journal]' in refused.stderr


def test_a_wrong_setting_is_one_sentence(program: Program, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[journal]\nsign = "yes"\n')
    done = program("--config", str(config), "log", "x", check=2)
    assert "journal.sign" in done.stderr and done.stderr.count("\n") == 1


def test_a_screen_signs_what_it_saved_when_it_is_left(
    bastion: Callable[..., Bastion], terminals: Terminals, start_agent: StartAgent
) -> None:
    one = bastion()
    agent = start_agent()
    one.config.write_text(one.config.read_text().replace(one.key, agent.add()))
    words = ("incident-tui", "--config", str(one.config), "--as", "ana")
    screen = terminals.open(*words, environment={"SSH_AUTH_SOCK": agent.socket})
    screen.see("nothing unsaved")
    screen.enter("web2 is down")
    screen.see("saved.")
    screen.enter("/quit")
    assert screen.status == 0
    said = one.run("verify").stdout
    assert "signed by ana (SHA256:" in said and "not signed:" not in said
    agent.end()
    again = terminals.open(*words, environment={"SSH_AUTH_SOCK": agent.socket})
    again.see("web2 is down")
    again.enter("web2 is back")
    again.see("saved.")
    again.enter("/quit")
    assert again.status == 0
    said = again.tmux("capture-pane", "-p", "-J", "-S", "-9", "-t", again.name)  # with what scrolled away at the end
    assert "not signed since" in said and "(all is saved; incident-tui sign)" in said
    assert "not signed:" in one.run("verify").stdout


def test_verify_names_who_signed_in_the_journal_of_another_bastion(
    bastion: Callable[..., Bastion], tmp_path: Path
) -> None:
    one = bastion()
    one.run("log", "web2 is down")
    one.run("--as", "ben", "log", "his line", "--as", "ben")
    config = tmp_path / "far.toml"
    config.write_text(one.config.read_text().replace('"journal"', '"far"\nletter = "b"').replace('"agent"', '"off"'))
    far = ("--config", str(config))
    one.run(*far, "log", "another bastion's line")
    with Store.open(tmp_path / "journal") as here, Store.open(tmp_path / "far") as there:
        assert not take_in(there, own_records(here, 1, 9), datetime.now(UTC)).refused
    lines = one.run(*far, "verify").stdout.splitlines()
    assert any(line.startswith("copy of a: signed by ana (SHA256:") and line.endswith("): a1") for line in lines)
    assert "copy of a: not signed: a3" in lines
    (fields,) = json.loads(one.run(*far, "verify", "--json").stdout)["copies"]
    assert fields["signed"][0]["entries"] == "1" and fields["unsigned"] == "3"
    told = one.run(*far, "verify", "--signature", "a2", "--out", str(tmp_path)).stdout.splitlines()
    assert subprocess.run(["/bin/sh", "-c", told[0]], capture_output=True).returncode == 0
    config.write_text(config.read_text().replace('name = "ana"', 'name = "eve"'))
    assert "copy of a: WRONG: a2: this is eve's key" in one.run(*far, "verify", check=1).stdout
