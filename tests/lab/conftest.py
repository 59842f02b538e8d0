"""The lab of these tests: three real peers, a watch on them, one declared incident. Brought up once a session."""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_tui.cli import main
from tests.lab.peers import Lab as Peers

ROOT = Path(__file__).parents[2]
HEALTHY_SECONDS = 60.0
Result = subprocess.CompletedProcess[str]
_LOCKING = r"\Agluster --mode=script --xml volume (heal|status) "


class Lab:
    """The peers and the program's view of them. Every waiting ends by its deadline with the last answer."""

    def __init__(self, directory: Path, prefix: str, subnet: str) -> None:
        self.directory = directory
        self.subnet = subnet
        self.prefix = prefix
        self.config = directory / "config.toml"
        self.journal = directory / "journal"
        self.seen: set[str] = set()
        """Handles of the rows that were there before this test."""
        self.undo = contextlib.ExitStack()
        """What puts the peers right again; each must do no harm when nothing is wrong."""
        self._options = ["--directory", str(directory), "--prefix", prefix, "--subnet", subnet]
        self._environment = {**os.environ, "HOME": str(directory / "home"), "LC_ALL": "C.UTF-8"}
        for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "SSH_AUTH_SOCK"):
            self._environment.pop(variable, None)

    # ------------------------------------------------------------------ the peers

    def peers(self, *words: str, check: bool = True, seconds: float = 120) -> Result:
        """`peers.py` with these words."""
        command = [sys.executable, "-m", "tests.lab.peers", *self._options, *words]
        if words[0] == "exec":  # asked many times a second: without a Python between
            command = Peers(self.directory, self.prefix, self.subnet).inside(int(words[1]), *words[2:])
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=ROOT)
        assert not check or done.returncode == 0, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def run(self, n: int, *words: str, check: bool = True) -> str:
        """A command inside peer N; its standard output."""
        return self.peers("exec", str(n), *words, check=check).stdout

    def here(self, *words: str) -> Result:
        """A command on this machine as on a bastion, where the peers' names resolve and ssh has their keys."""
        config = self.directory / "ssh_config"
        names = {"IdentityFile": "key", "UserKnownHostsFile": "known_hosts"}
        config.write_text("User root\n" + "".join(f"{key} {self.directory / name}\n" for key, name in names.items()))
        own = {self.directory / "p1" / "hosts": "/etc/hosts", config: "/etc/ssh/ssh_config"}
        mounts = "".join(f"mount --bind {file} {place} && " for file, place in own.items())
        command = ["unshare", "--mount", "sh", "-c", f'{mounts}exec "$@"', "sh", *words]
        environment = {**self._environment, "NO_PROXY": "*", "no_proxy": "*"}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environment, stdin=subprocess.DEVNULL
        )

    def docker(self, n: int, *words: str, check: bool = True) -> str:
        return self.run(n, "docker", *words, check=check).strip()

    def forget_kills(self, n: int) -> None:
        """From now on the kernel log of peer N holds nothing; its findings would stand for half an hour."""
        uptime = Path("/proc/uptime").read_text().split()[0]
        (self.directory / f"p{n}" / "dmesg-since").write_text(uptime)

    def gluster(self, *words: str, n: int = 1) -> str:
        return self.run(n, "gluster", "--mode=script", *words)

    def space(self, n: int) -> str:
        """The name of peer N's network namespace and cgroup."""
        return f"{self.prefix}{n}"

    def brick(self, n: int, volume: str) -> str:
        return f"peer{n}:{self.directory}/p{n}/bricks/{volume}"

    def brick_pid(self, n: int, volume: str) -> str:
        """The pid, inside peer N, of the process that serves its brick of this volume; empty when none does."""
        pattern = f"glusterfsd .*brick-name {self.directory}/p{n}/bricks/{volume} "
        return self.run(n, "pgrep", "-f", pattern, check=False).strip()

    def asking(self, *, other_than: int = 0, seconds: float = 30.0) -> int:
        """The peer on which one of our Gluster commands that take a lock or memory runs at this moment."""

        def now() -> int:
            peers = [n for n in (1, 2, 3) if n != other_than]
            running = {n: [each for words in self.sessions(n).values() for each in words] for n in peers}
            return next((n for n, all in running.items() if any(re.search(_LOCKING, each) for each in all)), 0)

        found: int = self.until(now, seconds, "a locking command of ours on a peer")
        return found

    def processes(self, n: int) -> dict[int, tuple[str, str]]:
        """Everything that runs inside peer N: pid outside -> (SSH_CONNECTION of its session or "", command line)."""
        first = json.loads((self.directory / "lab.json").read_text())["pids"][str(n)][0]
        space = os.readlink(f"/proc/{first}/ns/pid")
        found = {}
        for place in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if place.name.isdecimal() and os.readlink(place / "ns" / "pid") == space:
                    environment = (place / "environ").read_bytes()
                    session = re.search(rb"(?:\A|\0)SSH_CONNECTION=([^\0]*)", environment)
                    words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found[int(place.name)] = (session.group(1).decode() if session else "", words.strip())
        return found

    def sessions(self, n: int) -> dict[str, list[str]]:
        """What runs inside peer N for people and programs logged in by SSH: SSH_CONNECTION -> command lines."""
        out: dict[str, list[str]] = {}
        for session, words in self.processes(n).values():
            if session:
                out.setdefault(session, []).append(words)
        return out

    # ------------------------------------------------------------------ the program

    def program(self, *words: str, check: int | None = 0) -> Result:
        """`incident-tui` on the lab, as a process of its own."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=90, env=self._environment)
        assert check is None or done.returncode == check, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "incident_tui", "--config", str(self.config), *words]

    def watch(self, *more: str) -> subprocess.Popen[bytes]:
        """A watch that runs as a service."""
        with (self.directory / "watch.out").open("ab") as out:
            return subprocess.Popen(
                self.command("watch", "--service", *more),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=self._environment,
            )

    def status(self, *more: str) -> dict[str, Any]:
        fields: dict[str, Any] = self._asked("status", "--json", *more)
        return fields

    def _asked(self, *words: str) -> Any:
        """What the program prints, asked in this process: others need the processor that each start would take."""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            main(["--config", str(self.config), *words])
        return json.loads(out.getvalue())

    def findings(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What the board says is wrong or not known: (rule, subject) -> finding."""
        return {(one["rule"], one["subject"]): one for one in self.status()["findings"]}

    def until(self, ask: Callable[[], Any], seconds: float = 20.0, what: str = "") -> Any:
        """Ask until the answer is true."""
        end = time.monotonic() + seconds
        while not (answer := ask()):
            assert time.monotonic() < end, (
                f"{what or 'that'} was not so within {seconds:g} s; the last answer: {answer!r}"
            )
            time.sleep(0.2)
        return answer

    def healthy(self, seconds: float = HEALTHY_SECONDS) -> dict[str, Any]:
        """Wait until a fresh board has nothing to complain of, and the journal knows. The board."""
        end = time.monotonic() + seconds
        while True:
            board = self.status()
            ill: list[Any] = board["findings"] or [key for key, levels in self.levels().items() if levels[-1] != "ok"]
            if board["watch"]["fresh"] and not ill:
                self.seen = {row["handle"] for row in self.observations()}
                return board
            assert time.monotonic() < end, f"not well within {seconds:g} s: {board['watch']} {ill}"
            time.sleep(0.2)

    def appears(self, rule: str, subject: str, level: str, seconds: float = 20.0) -> str:
        """Wait for a finding of this level on the board, then for its row in the journal; its sentence."""
        last: dict[tuple[str, str], dict[str, Any]] = {}

        def there() -> bool:
            nonlocal last
            last = self.findings()
            return (rule, subject) in last and last[rule, subject]["level"] == level

        end = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < end, f"no {level} {rule} of {subject} within {seconds:g} s; the board says {last}"
            time.sleep(0.2)
        sentence: str = last[rule, subject]["sentence"]
        self.recorded(rule, subject, level)
        return sentence

    def recovers(self, rule: str, subject: str, seconds: float = 30.0) -> None:
        """Wait until the finding is gone from the board, and the journal says that it is well again."""
        self.until(lambda: (rule, subject) not in self.findings(), seconds, f"{rule} of {subject} gone")
        self.recorded(rule, subject, "ok")

    def observations(self) -> list[dict[str, Any]]:
        timeline = self._asked("show", "--json")["timeline"]
        return [row for row in timeline if row["kind"] == "observation"]

    def rows(self) -> list[dict[str, Any]]:
        """The observations recorded since this test began, as `show --json` has them."""
        return [row for row in self.observations() if row["handle"] not in self.seen]

    def levels(self) -> dict[tuple[str, str], list[str]]:
        """What all observations since the start say: (rule, subject) -> levels in the order of their recording."""
        out: dict[tuple[str, str], list[str]] = {}
        for row in sorted(self.observations(), key=lambda row: int(row["handle"][1:])):
            out.setdefault((row["data"]["finding"], row["data"]["subject"]), []).append(row["data"]["level"])
        return out

    def recorded(self, rule: str, subject: str, level: str, seconds: float = 20.0) -> dict[str, Any]:
        """Wait for the row that says so; it is the last one about this finding."""

        def last() -> dict[str, Any] | None:
            of_it = [row for row in self.rows() if (row["data"]["finding"], row["data"]["subject"]) == (rule, subject)]
            return of_it[-1] if of_it and of_it[-1]["data"]["level"] == level else None

        row: dict[str, Any] = self.until(last, seconds, f"a row with {level} {rule} of {subject}")
        return row

    def tell(self, *expected: tuple[str, str], also: tuple[str, ...] = ()) -> None:
        """The test's rows are about these findings, each first bad and at last well; `also`: rules that may be there.

        The same rows stand in both forms of the report, in this order, each with its handle.
        """
        rows = self.rows()
        levels: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            levels.setdefault((row["data"]["finding"], row["data"]["subject"]), []).append(row["data"]["level"])
        for key in expected:
            assert levels[key][0] != "ok" and levels[key][-1] == "ok", (key, levels[key])
        assert not [key for key in levels if key not in expected and key[0] not in also], levels
        assert all(row["author"] == "watch" and not row["claimed"] for row in rows)
        markdown = self.program("export", "--full").stdout
        fields = json.loads(self.program("export", "--full", "--format", "json").stdout)
        texts = {row["handle"]: row["text"] for row in fields["timeline"]}
        plain = html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown))
        place = 0
        for row in rows:
            assert texts[row["handle"]] == row["text"]
            assert row["text"] in plain
            place = markdown.index(f"| {row['handle']} |", place)


@pytest.fixture(scope="session")
def lab_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Peers with one replicated volume and a container each. Skipped, or in CI failed, where there can be none."""
    directory = tmp_path_factory.mktemp("lab")
    number = os.getpid()
    lab = Lab(directory, f"itt{number % 100000}", f"10.{214 + number % 40}.{number // 40 % 256}")
    why = lab.peers("missing", check=False)
    if why.returncode:
        reason = f"no lab here: {why.stdout.strip() or why.stderr.strip()}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    try:
        lab.peers("up", seconds=200)
        lab.gluster("volume", "create", "gv0", "replica", "3", *(lab.brick(n, "gv0") for n in (1, 2, 3)), "force")
        lab.gluster("volume", "start", "gv0")
        for n, policy in ((1, "no"), (2, "no"), (3, "unless-stopped")):
            options = ["--network", "none", "-m", "64m", "--stop-signal", "KILL", "--restart", policy]
            lab.docker(n, "run", "-d", "--name", "web", *options, "busybox:lab", "sleep", "1000000")
        yield lab
    finally:
        lab.peers("down")


@pytest.fixture(scope="session")
def watched(lab_session: Lab) -> Iterator[Lab]:
    """The lab with a watch on it, healthy, and an incident that the observations belong to."""
    lab = lab_session
    lab.program("declare", "--severity", "3", "lab exercise")
    watch = lab.watch()
    try:
        lab.healthy()
        yield lab
        watch.terminate()
        assert watch.wait(20) == 0, (lab.directory / "watch.out").read_text()
    finally:
        if watch.poll() is None:
            watch.kill()
            watch.wait()


@pytest.fixture
def lab(watched: Lab) -> Iterator[Lab]:
    """The healthy lab; whatever the test breaks is put right after it, and it ends only when all is well again."""
    watched.healthy()
    with contextlib.ExitStack() as undo:
        watched.undo = undo
        yield watched
    watched.healthy()
