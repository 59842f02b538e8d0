"""A login by a line of `join-keys` on a real sshd that accepts every variable: the screen, brief and log under the name
that the key proves, and no way out of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from incident_tui.journal.store import Store
from tests.agents import SshAgent
from tests.fleet.test_old_servers import EL6
from tests.sshd import Sshd, keygen
from tests.terminals import ROOT, Pane, Terminals


class Bastion:
    """One shared account, whose only key is Ana's."""

    def __init__(self, server: Sshd, directory: Path, *how: str) -> None:
        self.server = server
        self.journal = directory / "journal"
        self.canary = directory / "canary"
        self.key = directory / "ana"
        keygen(self.key)
        self.config = directory / "config.toml"
        public = self.key.with_suffix(".pub").read_text().strip()
        self.config.write_text(f"[[people]]\nname = 'ana'\nkeys = ['{public}']\n[[people]]\nname = 'bob'\n")
        (server.directory / "authorized_keys").write_text(self.ours("join-keys", *how).stdout)

    def ours(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "incident_tui", "--config", self.config, "--journal", self.journal, *words]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, cwd=ROOT, check=True)

    def ssh(self, *options: str, program: str = "ssh") -> list[str]:
        known = self.server.known_hosts
        flags = ["-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={known}", "-F", "none"]
        port = "-P" if program in ("scp", "sftp") else "-p"
        return [program, *flags, port, str(self.server.port), "-o", "BatchMode=yes", *options]

    @property
    def login(self) -> str:
        return f"{self.server.host().user}@127.0.0.1"

    def asks(
        self, *words: str, options: tuple[str, ...] = (), sent: dict[str, str] | None = None, typed: str = ""
    ) -> str:
        """What came back of `ssh bastion WORDS`, after its exit status."""
        environment = {"PATH": "/usr/bin:/bin", **(sent or {})}
        sends = [part for name in sent or {} for part in ("-o", f"SendEnv={name}")]
        done = subprocess.run(
            [*self.ssh(*options, *sends), self.login, *words],
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )
        return f"{done.returncode} {done.stdout}{done.stderr}"

    def has(self, line: str) -> bool:
        """Whether there is an entry that says what this line says."""
        with Store.open(self.journal, create=False) as store:
            return any(entry.text == line.removeprefix("! ") for entry in store.read())

    def screen(self, terminals: Terminals, *words: str) -> Pane:
        pane = terminals.open(*self.ssh("-tt"), self.login, *words, environment={"TERM": "tmux-256color"})
        pane.see("saved" if not words else "Incident screen in lines")
        return pane


@pytest.fixture(params=[(), ("--old",)], ids=["restrict", "old"])
def bastion(request: pytest.FixtureRequest, start_sshd: Callable[..., Sshd], tmp_path: Path) -> Bastion:
    """With lines of today, and with those for servers that do not know `restrict`, among those servers' algorithms."""
    lines = EL6 if request.param else ()
    made = Bastion(start_sshd("AcceptEnv *", "Subsystem sftp internal-sftp", *lines), tmp_path, *request.param)
    assert ("restrict" in (made.server.directory / "authorized_keys").read_text()) is not bool(request.param)
    made.ours("--as", "ana", "declare", "gv0 split-brain")
    return made


@pytest.fixture
def agent(start_agent: Callable[[], SshAgent]) -> Path:
    """A real ssh-agent that holds a key of Ana's; its socket."""
    one = start_agent()
    one.add()
    return Path(one.socket)


def test_log_and_brief_under_the_name_that_the_key_proves(bastion: Bastion) -> None:
    assert bastion.asks("log", "! restarted glusterd; on $HOME").startswith("0 a")
    assert bastion.asks("log", "-", typed="= heals finished\n").startswith("0 a")
    assert "gv0 split-brain" in bastion.asks("brief")
    with Store.open(bastion.journal, create=False) as store:
        told, piped = store.read()[-2:]
    assert told.text == "restarted glusterd; on $HOME" and piped.text == "heals finished"
    assert told.author.name == "ana" and told.author.proven and told.author.key.startswith("SHA256:")


def test_a_key_that_was_taken_out_of_the_configuration_opens_nothing(bastion: Bastion) -> None:
    bastion.config.write_text("[[people]]\nname = 'ana'\n")
    assert "is not one of ana's any more" in bastion.asks("log x")


def commands(canary: Path) -> list[tuple[str, ...]]:
    return [
        ("sh",),
        ("/bin/sh", "-c", f"touch {canary}"),
        (f"touch {canary}",),
        (f"brief; touch {canary}",),
        (f"brief && touch {canary}",),
        (f"brief $(touch {canary})",),
        (f"brief | tee {canary}",),
        (f"brief --config {canary}",),
        (f"screen; touch {canary}",),
        (f"export -o {canary}",),
        (f"handoff bob -o {canary}",),
        (f"card -o {canary}",),
        (f"incident-tui export -o {canary}",),
        (f"scp -t {canary}",),
        ("internal-sftp",),
        ("run", "web1", "--", f"touch {canary}"),
    ]


def test_no_command_of_the_client_gets_out(bastion: Bastion) -> None:
    for words in commands(bastion.canary):
        said = bastion.asks(*words, typed=f"touch {bastion.canary}\n")
        assert not said.startswith("0 ") and "is not for this login" in said, words
        assert len(said.strip().splitlines()) == 1
    for text in (
        f"$(touch {bastion.canary})",
        f"x; touch {bastion.canary}",
        f"'; touch {bastion.canary} '",
        f"x\ntouch {bastion.canary}",
    ):
        assert bastion.asks(f"log {text}").startswith("0 "), text
    assert not bastion.canary.exists()


def test_no_file_goes_in_or_out(bastion: Bastion, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    for program, flags in (("scp", ["-O"]), ("scp", [])):
        words = [*bastion.ssh(*flags, program=program), str(tmp_path / "mine"), f"{bastion.login}:{bastion.canary}"]
        assert subprocess.run(words, capture_output=True, timeout=60).returncode != 0
    got = subprocess.run([*bastion.ssh(program="sftp"), bastion.login], input=b"ls\n", capture_output=True, timeout=60)
    assert got.returncode != 0
    assert not bastion.canary.exists()


def test_nothing_is_forwarded(bastion: Bastion) -> None:
    assert "forwarding" in bastion.asks(options=("-W", f"127.0.0.1:{bastion.server.port}"))
    there = bastion.asks("log x", options=("-R", f"127.0.0.1:0:127.0.0.1:{bastion.server.port}"))
    assert "forwarding failed" in there or "request failed" in there.lower()


def test_the_agent_stays_at_home(bastion: Bastion, agent: Path, terminals: Terminals) -> None:
    """The same client and the same server forward it to a key without our line, so that it is our line that forbids."""
    other = bastion.key.with_name("other")
    keygen(other)
    with (bastion.server.directory / "authorized_keys").open("a") as file:
        file.write(other.with_suffix(".pub").read_text())
    sent = {"SSH_AUTH_SOCK": str(agent)}
    plain = [word if word != str(bastion.key) else str(other) for word in bastion.ssh("-A")]
    done = subprocess.run(
        [*plain, bastion.login, "ssh-add -l"], capture_output=True, text=True, timeout=60, env={**os.environ, **sent}
    )
    assert done.returncode == 0 and "ED25519" in done.stdout, "forwarding works where nothing forbids it"
    pane = terminals.open(*bastion.ssh("-tt", "-A"), bastion.login, environment={"TERM": "tmux-256color", **sent})
    pane.see("saved")
    joined = [one for one in processes_of(bastion.journal) if b"join" in one]
    assert joined and not [one for one in joined if b"SSH_AUTH_SOCK=" in one]
    pane.enter("/quit")
    assert pane.status == 0


def processes_of(journal: Path) -> list[bytes]:
    """Command line and environment of each process that was started for this journal."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words, variables = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
            if str(journal).encode() in words and b"incident_tui" in words and not words.startswith(b"ssh"):
                found.append(words + b"\0" + variables)
    return found


def test_the_clients_variables_count_for_nothing(bastion: Bastion, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "sitecustomize.py").write_text(f"open({str(bastion.canary)!r}, 'w')")
    (tmp_path / "evil" / "incident_tui.py").write_text(f"open({str(bastion.canary)!r}, 'w')")
    sent = {
        "PYTHONPATH": str(tmp_path / "evil"),
        "PYTHONSTARTUP": str(tmp_path / "evil" / "sitecustomize.py"),
        "PYTHONINSPECT": "1",
        "INCIDENT_TUI_AS": "bob",
        "INCIDENT_TUI_CONFIG": str(tmp_path / "none.toml"),
        "XDG_DATA_HOME": str(tmp_path / "evil"),
        "EDITOR": f"touch {bastion.canary}",
    }
    assert bastion.asks("log x", sent=sent).startswith("0 ")
    assert not bastion.canary.exists()
    with Store.open(bastion.journal, create=False) as store:
        assert store.read()[-1].author.name == "ana"


@pytest.mark.parametrize("words", [(), ("screen", "--linear")])
def test_no_key_and_no_verb_leaves_the_screen(bastion: Bastion, terminals: Terminals, words: tuple[str, ...]) -> None:
    pane = bastion.screen(terminals, *words)
    shell, editor = "There is no shell: this login has the screen and nothing beside it.", "There is no editor"

    def says(act: Callable[[], None], words: str) -> None:
        before = pane.text.count(words)  # in lines, what was said before stays
        act()
        pane.until(lambda: pane.text.count(words) > before, what=f"{words}, anew")

    says(lambda: pane.keys("C-z"), shell)
    says(lambda: pane.keys("C-e"), editor)
    says(lambda: pane.enter("/suspend"), shell)
    says(lambda: pane.enter("/edit"), editor)
    pane.enter("/run web3 touch x")
    pane.see("No commands on hosts: this login has the screen")
    pane.enter(f"/export {bastion.canary}")
    pane.see("Not to a file of your choice")
    for line in (f"!touch {bastion.canary}", "! sh", "still here"):
        pane.enter(line)
        pane.until(partial(bastion.has, line), what=f"{line} in the journal")
    pane.keys("C-\\")
    assert pane.alive and not bastion.canary.exists()
    pane.enter("/quit")
    assert pane.status == 0
