"""The bundle on a machine with nothing on it: it works there, and says in one sentence what it lacks."""

from __future__ import annotations

import os

import pytest

from tests.bundle.conftest import EmptyRoot

pytestmark = pytest.mark.lab

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJa9SgxBmbHN5XjGH7Bj+Zo0VO8HzMVv8cfbRjDXLkYb ana@desk"
EVERY_MODULE = """
import importlib, pkgutil, ssl, sqlite3, incident_tui
for one in pkgutil.walk_packages(incident_tui.__path__, "incident_tui."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
print("all imported")
"""


def test_an_incident_in_an_empty_root_on_an_old_kernels_calls(empty_root: EmptyRoot) -> None:
    done = empty_root.run(
        "set -e; for word in 'declare sev1 gv0 split-brain' 'log -- = bricks 3/3' show verify; do"
        " /incident-tui $word; done; /incident-tui export -o /tmp/report.md",
        old_kernel=True,
    )
    assert done.returncode == 0, done.stderr
    assert "bricks 3/3" in done.stdout and "the chain holds" in done.stdout
    assert "gv0 split-brain" in (empty_root.directory / "tmp" / "report.md").read_text()
    assert len(os.listdir(empty_root.cache)) == 1, "it is unpacked once, and nothing is left beside it"


def test_everything_it_imports_is_in_it_and_hosts_are_read(empty_root: EmptyRoot) -> None:
    (empty_root.directory / "every.py").write_text(EVERY_MODULE)
    (empty_root.directory / "config.toml").write_text(f"[[people]]\nname = 'ana'\nkeys = ['{KEY}']\n")
    done = empty_root.run(
        "set -e; cd /; ./incident-tui version; /root/.cache/incident-tui/*/bin/python3 /every.py;"
        " /incident-tui --config config.toml join-keys; /incident-tui demo --headless 4"
    )
    assert done.returncode == 0, done.stderr
    assert "all imported" in done.stdout
    assert 'command="/incident-tui --config /config.toml ' in done.stdout, "not what it unpacked, which is a cache"
    assert "hosts 4/4 connected" in done.stdout, done.stdout


def test_an_ordinary_account_has_it_for_itself(empty_root: EmptyRoot) -> None:
    done = empty_root.run("cd; umask 000; /incident-tui log one && /incident-tui verify", account=1000)
    assert "1 entries; the chain holds" in done.stdout, done.stderr
    cache = empty_root.directory / "home" / ".cache" / "incident-tui"
    (place,) = cache.iterdir()
    assert cache.stat().st_mode & 0o077 == place.stat().st_mode & 0o077 == 0, "nobody else may change what it runs"


def test_two_first_starts_at_once_unpack_one_program(empty_root: EmptyRoot) -> None:
    both = [empty_root.start("/incident-tui version") for _ in range(2)]
    ended = [(*one.communicate(timeout=240), one.returncode) for one in both]
    assert [status for *_, status in ended] == [0, 0], ended
    assert all(out.startswith("incident-tui ") for out, *_ in ended)
    assert len(os.listdir(empty_root.cache)) == 1


START = "/incident-tui log lost"
READ = ". /incident-tui"
"""Read by a shell that has functions in the place of commands: busybox takes its own before those of the PATH."""


def says(name: str, release: str, machine: str) -> str:
    return f"uname() {{ case $1 in -s) echo {name};; -r) echo {release};; -m) echo {machine};; esac; }}; {READ}"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (says("Linux", "5.10.0", "aarch64"), "this machine is Linux on aarch64; install with pip there."),
        (
            says("Linux", "2.6.32-754.el6.x86_64", "x86_64"),
            "this file needs Linux 3.2 or later, and this machine runs 2.6.32-754.el6.x86_64.",
        ),
        (f"command() {{ [ $2 != gzip ]; }}; {READ}", "this machine has no gzip, which is needed to unpack this file"),
        (f"unset HOME; {START}", "HOME is not set; set INCIDENT_TUI_CACHE to a directory of yours"),
        (
            f"mkdir /c; mount -t tmpfs -o noexec t /c; INCIDENT_TUI_CACHE=/c {START}",
            "/c lets no program run (is it mounted noexec",
        ),
        (
            f"mkdir /c; mount -t tmpfs -o size=9m t /c; INCIDENT_TUI_CACHE=/c {START}",
            "KiB are needed to unpack this file",
        ),
        (
            f"mkdir /c; mount -t tmpfs -o ro t /c; INCIDENT_TUI_CACHE=/c {START}",
            "/c cannot be made or written; set INCIDENT_TUI",
        ),
        (
            f"head -c 20000000 incident-tui >cut; mv cut incident-tui; chmod +x incident-tui; {START}",
            "is damaged or was cut off",
        ),
        (
            f"/incident-tui version >/tmp/v; chown -R 1000 /root/.cache; {START}",
            "belongs to somebody else, who could change what it does",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(empty_root: EmptyRoot, script: str, sentence: str) -> None:
    done = empty_root.run(f"cd /; {script}")
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr and done.stderr.count("\n") == 1 and done.stderr.startswith("incident-tui: ")
    assert not done.stdout
    left = os.listdir(empty_root.cache) if empty_root.cache.exists() else []
    assert not [name for name in left if name.startswith(".")], "what was begun is removed"
