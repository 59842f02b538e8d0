"""`incident-tui sync HOST` with a real sshd: both ways, cut and resumed, and one sentence for each trouble."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_tui.fleet.settings import Fleet
from incident_tui.journal.errors import NotThere
from incident_tui.journal.everything import START
from incident_tui.journal.store import Store
from incident_tui.replica import over_ssh
from incident_tui.replica.exchange import Side
from incident_tui.replica.frames import ExchangeError
from incident_tui.replica.over_ssh import Link, directly
from incident_tui.replica.shelf import StoreShelf
from incident_tui.replica.sync_settings import Sync
from tests.conftest import Program, Result
from tests.relay import Relay
from tests.replica.conftest import Bastion, write
from tests.replica.over_sshd import config, peer, restricted
from tests.sshd import Sshd

Syncing = Callable[..., Result]


def texts(store: Store) -> list[str]:
    return sorted(one.text for one in store.read_all(START)[0])


@pytest.fixture
def sync(program: Program, tmp_path: Path) -> Syncing:
    """`sync(store, peer, *more)`: the command, run for the journal of `store`."""

    def run(store: Store, *peers: Sync, more: tuple[str, ...] = (), check: int = 0) -> Result:
        file = tmp_path / f"config-{store.letter}.toml"
        file.write_text(config(*peers, letter=store.letter))
        return program("sync", *more, "--config", str(file), "--journal", store.place.directory, check=check)

    return run


def test_both_have_all_afterwards_and_a_third_through_them(bastion: Bastion, sshd: Sshd, sync: Syncing) -> None:
    a, b, c = bastion("a", 4), bastion("b", 10), bastion("c", 2)
    said = sync(a, peer(sshd, b.place.directory), more=("bastion-2",)).stdout
    assert said.startswith("bastion-2 (b): sent 4 (4 of a), got 10 (10 of b) in ")
    fields = json.loads(sync(c, peer(sshd, b.place.directory), more=("--json",)).stdout)["bastions"][0]
    assert fields["ok"] and fields["sent"] == {"c": 2} and fields["got"] == {"a": 4, "b": 10}
    sync(a, peer(sshd, b.place.directory))
    assert texts(a) == texts(b) == texts(c) and len(texts(a)) == 16
    assert "sent 0, got 0" in sync(a, peer(sshd, b.place.directory)).stdout


def test_a_host_may_be_named_without_a_table(bastion: Bastion, sshd: Sshd, program: Program) -> None:
    a, b = bastion("a", 1), bastion("b", 2)
    home = Path(os.environ["HOME"])
    (home / ".ssh").mkdir()
    shutil.copy(sshd.known_hosts, home / ".ssh/known_hosts")
    (home / ".ssh/config").write_text(f"Host *\nIdentityFile {sshd.key}\nPort {sshd.port}\n")
    there = peer(sshd, b.place.directory)
    words = ("--command", " ".join(there.command), "--there", b.place.directory, "--journal", a.place.directory)
    user = there.user
    assert "got 2" in program("sync", f"{user}@127.0.0.1", *words).stdout
    assert "got 0" in program("sync", f"{user}@127.0.0.1:{sshd.port}", *words).stdout
    for wrong, said in (("127.0.0.1:x", "write HOST"), ("@:22", "write HOST"), ("a b", "write HOST")):
        assert said in program("sync", wrong, *words, check=2).stderr
    assert "a port is 1 to 65535" in program("sync", "127.0.0.1", "--port", "70000", *words, check=2).stderr


def test_what_a_login_prints_does_no_harm(bastion: Bastion, sshd: Sshd, sync: Syncing) -> None:
    a, b = bastion("a", 4), bastion("b", 3)
    (sshd.directory / "home/.bashrc").write_text("echo Welcome; printf '\\033[31mred'; echo oops >&2\n")
    noisy = peer(sshd, b.place.directory)
    wrapped = peer(sshd, b.place.directory, command=("sh", "-c", 'echo motd; exec "$@"', "sh", *noisy.command))
    assert "got 3" in sync(a, wrapped).stdout
    assert "sent 0" in sync(a, noisy).stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program",), "there is no program no-such-program for a login without a terminal there"),
        (("/etc/passwd",), "/etc/passwd cannot be run there"),
        (
            ("sh", "-c", "echo \"incident-tui: there is no command 'sync'; see --help\" >&2; exit 2"),
            "the incident-tui there is too old to sync",
        ),
        (
            ("sh", "-c", r"printf '\nincident-tui sync serves 7 9.9\n'; cat >/dev/null"),
            "bastion-2 has incident-tui 9.9 (sync format 7), this one is 0.1.0 (format 1): install the same version",
        ),
        (("cat", "-"), "bastion-2"),
        (("sh", "-c", "yes hello"), 'does not answer as incident-tui sync does: it said "hello hello'),
        (("true",), "true ended there with status 0 and said nothing"),
        (("sh", "-c", "echo go away; exit 3"), 'nobody answered as incident-tui does: it said "go away"'),
        (("sh", "-c", "printf 'disk \\033[2J gone\\n' >&2; exit 3"), "it said: disk  gone"),
    ],
)
def test_what_is_there_in_its_place_is_one_sentence(
    bastion: Bastion, sshd: Sshd, sync: Syncing, command: tuple[str, ...], said: str
) -> None:
    a, b = bastion("a", 4), bastion("b", 3)
    wrong = sync(a, peer(sshd, b.place.directory, command=command), check=1)
    assert said in wrong.stderr and len(wrong.stderr.strip().splitlines()) == 1 and "\x1b" not in wrong.stderr
    assert a.others is None or not a.others.copies()


def test_no_journal_there_and_nobody_there(bastion: Bastion, sshd: Sshd, sync: Syncing, tmp_path: Path) -> None:
    a = bastion("a", 4)
    assert f"there is no journal at {tmp_path}/none" in sync(a, peer(sshd, tmp_path / "none"), check=1).stderr
    assert not (tmp_path / "none").exists()
    sshd.process.kill()
    sshd.process.wait()
    fields = json.loads(sync(a, peer(sshd, tmp_path / "none"), more=("--json",), check=1).stdout)["bastions"][0]
    assert not fields["ok"] and "connection refused" in fields["problems"][0]


def test_wrong_use_is_told(program: Program, tmp_path: Path) -> None:
    journal = ("--journal", str(tmp_path / "j"))
    assert "incident-tui sync HOST" in program("sync", *journal, check=2).stderr
    assert "--recover is for one bastion" in program("sync", "--recover", *journal, check=2).stderr


def test_cut_in_the_middle_keeps_what_came_and_goes_on(bastion: Bastion, sshd: Sshd, sync: Syncing) -> None:
    a, b = bastion("a", 3), bastion("b")
    write(b, *(os.urandom(500).hex() for _ in range(3000)))
    with Relay(sshd.port) as relay:
        known = sshd.known_hosts.read_text().replace(str(sshd.port), str(relay.port))
        sshd.known_hosts.write_text(sshd.known_hosts.read_text() + known)
        there = peer(sshd, b.place.directory, port=relay.port)
        relay.limit(2_000_000)
        cut = sync(a, there, check=1)
        assert "cut in the middle; what was acknowledged is kept" in cut.stderr
        had = len(texts(a)) - 3
        assert 500 < had < 3000
        relay.heal()
        assert f"got {3000 - had} " in sync(a, there).stdout
    assert texts(a) == texts(b)


def test_a_full_disk_there_takes_nothing_and_still_gives(
    bastion: Bastion, sshd: Sshd, sync: Syncing, small_disk: Path
) -> None:
    a = bastion("a")
    with Store.open(small_disk / "b", letter="b") as b:
        write(b, *"123")
        write(a, *(os.urandom(800).hex() for _ in range(3000)))
        full = sync(a, peer(sshd, b.place.directory), check=1)
        assert "bastion-2 did not take a" in full.stderr and "no room left on the disk of" in full.stderr
        assert {"1", "2", "3"} <= set(texts(a))
        assert b.verify().ok and len(texts(b)) < 3003


def test_a_journal_that_is_only_read_there_still_gives(
    bastion: Bastion, sshd: Sshd, sync: Syncing, small_disk: Path
) -> None:
    a = bastion("a", 2)
    with Store.open(small_disk / "b", letter="b") as b:
        write(b, *"123")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    read_only = sync(a, peer(sshd, small_disk / "b"), check=1)
    assert "did not take a1" in read_only.stderr and "read-only" in read_only.stderr
    assert {"1", "2", "3"} <= set(texts(a))


def test_the_same_journal_and_a_fork_are_named(bastion: Bastion, sshd: Sshd, sync: Syncing, tmp_path: Path) -> None:
    a, b = bastion("a", 3), bastion("b", 1)
    assert "this same journal" in sync(a, peer(sshd, a.place.directory), check=1).stderr
    copy_database(a, tmp_path / "older")
    write(a, *"456")
    sync(a, peer(sshd, b.place.directory))
    with Store.open(tmp_path / "older") as older:
        lost = sync(older, peer(sshd, b.place.directory), check=1)
        assert "bastion-2 has a4 to a6 of this very journal" in lost.stderr
        assert "`incident-tui sync bastion-2 --recover`" in lost.stderr
        back = sync(older, peer(sshd, b.place.directory), more=("bastion-2", "--recover"))
        assert "3 entries of this journal are back" in back.stdout and texts(older) == texts(b)
        nothing = sync(older, peer(sshd, b.place.directory), more=("bastion-2", "--recover"), check=1)
        assert "there was nothing to recover" in nothing.stderr
        write(older, "one line")
        write(a, "another line")
        sync(older, peer(sshd, b.place.directory))
        forked = sync(a, peer(sshd, b.place.directory), check=1)
        assert "written to in two places" in forked.stderr


def copy_database(store: Store, target: Path) -> None:
    """As an administrator copies a journal: the file alone."""
    target.mkdir()
    copy = sqlite3.connect(target / "journal.db")
    store.connection.backup(copy)
    copy.close()


def test_check_tries_it(bastion: Bastion, sshd: Sshd, program: Program, tmp_path: Path) -> None:
    a, b = bastion("a", 2), bastion("b", 3)
    (tmp_path / "c.toml").write_text(config(peer(sshd, b.place.directory), peer(sshd, tmp_path / "none", "bastion-3")))
    words = ("--config", str(tmp_path / "c.toml"), "--journal", a.place.directory)
    rows = {one["subject"]: one for one in json.loads(program("check", "--json", *words, check=1).stdout)}
    assert rows["bastion-2"]["ok"] and rows["bastion-2"]["sentence"] == "reached, journal b; sent 2, got 3"
    assert not rows["bastion-3"]["ok"] and "there is no journal at" in rows["bastion-3"]["sentence"]


def test_what_nobody_has_is_missing(bastion: Bastion, sshd: Sshd, sync: Syncing) -> None:
    a, b = bastion("a", 3), bastion("b", 1)
    b.make_others().tell("0123456789abcdef", "c", 12, datetime.now(UTC))
    said = sync(a, peer(sshd, b.place.directory), check=1)
    assert "still missing: c1–c12" in said.stdout


async def test_a_peer_that_hangs_is_given_up(
    bastion: Bastion, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a = bastion("a", 3)
    monkeypatch.setattr(over_ssh, "ANSWER_SECONDS", 0.5)
    side = Side(StoreShelf(a, lambda: datetime.now(UTC)), "bastion-2", "1", serves=False)
    there = peer(sshd, tmp_path, command=("sh", "-c", "exec sleep 1000"))
    with pytest.raises(ExchangeError, match="does not answer, though it is connected"):
        async with asyncio.timeout(60):
            await Link(there, Fleet(), side, directly).run()


async def test_a_journal_that_cannot_be_read_here_is_its_own_sentence(
    bastion: Bastion, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = bastion("a", 3), bastion("b", 3)
    side = Side(StoreShelf(a, lambda: datetime.now(UTC)), "bastion-2", "1", serves=False)

    def gone(self: StoreShelf, *_: object) -> None:
        raise NotThere("the journal is missing.")

    monkeypatch.setattr(StoreShelf, "records", gone)
    with pytest.raises(NotThere, match="the journal is missing"):
        await Link(peer(sshd, b.place.directory), Fleet(), side, directly).run()


# ---------------------------------------------------------------------- a key that can do nothing else


@pytest.fixture
def locked(bastion: Bastion, sshd: Sshd) -> Iterator[tuple[Sshd, Store]]:
    """An sshd whose only key syncs with the journal b."""
    b = bastion("b", 3)
    restricted(sshd, Path(b.place.directory))
    yield sshd, b


def ssh(sshd: Sshd, *words: str, program: str = "ssh", text: str = "") -> subprocess.CompletedProcess[bytes]:
    port = "-P" if program in ("scp", "sftp") else "-p"
    options = [port, str(sshd.port), "-i", str(sshd.key), "-o", f"UserKnownHostsFile={sshd.known_hosts}"]
    options += ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-F", "none"]
    return subprocess.run([program, *options, *words], input=text.encode(), capture_output=True, timeout=60)


def test_the_restricted_key_syncs_whatever_is_asked_for(
    locked: tuple[Sshd, Store], bastion: Bastion, sync: Any
) -> None:
    sshd, b = locked
    a = bastion("a", 2)
    assert "got 3" in sync(a, peer(sshd, "/nowhere", command=("rm", "-rf", "/tmp/x"))).stdout
    assert texts(a) == texts(b)


def test_the_restricted_key_does_nothing_else(locked: tuple[Sshd, Store], tmp_path: Path) -> None:
    sshd, b = locked
    target = f"{peer(sshd, '').user}@127.0.0.1"
    marker = tmp_path / "escaped"
    words: tuple[str, ...]
    for words in (
        (target, f"touch {marker}"),
        (target, f"sync --serve; touch {marker}"),
        ("-tt", target),
        ("-s", target, "sftp"),
        ("-o", f"SetEnv=INCIDENT_TUI_CONFIG={marker} PYTHONSTARTUP={marker} LC_ALL=$(touch {marker})", target, "id"),
    ):
        done = ssh(sshd, *words, text=f"touch {marker}\nimport os\n")
        assert b"uid=" not in done.stdout and not marker.exists()
    for words in (("-W", f"127.0.0.1:{sshd.port}"), ("-N", "-R", "0:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes")):
        done = ssh(sshd, *words, target)
        assert done.returncode != 0 and b"SSH-2.0" not in done.stdout
    (tmp_path / "file").write_text("x")
    for program in ("scp", "sftp"):
        words = (str(tmp_path / "file"), f"{target}:{marker}") if program == "scp" else (target,)
        assert ssh(sshd, *words, program=program, text=f"put {tmp_path}/file {marker}\n").returncode != 0
    assert not marker.exists() and len(texts(b)) == 3


def test_join_keys_prints_the_line(sshd: Sshd, program: Program, tmp_path: Path) -> None:
    public = sshd.key.with_suffix(".pub")
    line = program("join-keys", "--sync", str(public), "--journal", "/var/lib/itui").stdout
    assert line.startswith('restrict,command="') and ' --journal /var/lib/itui sync --serve" ssh-ed25519 ' in line
    old = program("join-keys", "--old", "--sync", str(public), "--journal", "/var/lib/itui").stdout
    assert old.startswith("no-port-forwarding") and "no-pty" in old
    assert "write one line as in id_ed25519.pub" in program("join-keys", "--sync", str(sshd.key), check=2).stderr
    assert "cannot be read" in program("join-keys", "--sync", str(tmp_path), check=2).stderr
