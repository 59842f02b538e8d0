"""Joining by ssh: what a line of authorized_keys says, and what may be asked for through it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.desk.joining import Refused, asked, environment, is_key_of, line
from incident_tui.incident.settings import Person
from incident_tui.incident.ssh_key import NoKey, fingerprint

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEfPj6bZ7v7C0wYxjR5sG1h6d7xF2rQ0v2K8nq4mV9tZ ana@laptop"


def test_the_fingerprint_is_the_one_ssh_prints(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(KEY + "\n")
    printed = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    assert fingerprint(KEY) == printed.stdout.split()[1]


def test_a_line_forces_our_command_and_takes_everything_else_away() -> None:
    made = line(Person(name="ana", keys=(KEY,)), KEY, ["/opt/in here/python", "-I", "-m", "incident_tui"])
    options, _, rest = made.partition(",command=")
    command, _, key = rest[1:].partition('" ')
    assert options == "restrict,pty"
    assert shlex.split(command)[:5] == ["/opt/in here/python", "-I", "-m", "incident_tui", "join"]
    assert shlex.split(command)[5:] == ["ana", "--key", fingerprint(KEY)]
    assert key == " ".join([*KEY.split()[:2], "ana"])


def test_an_old_sshd_gets_the_old_words() -> None:
    made = line(Person(name="ana"), KEY, ["incident-tui"], old=True)
    assert made.startswith("no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-user-rc,command=")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "ssh-ed25519",
        'command="sh" ' + KEY,
        KEY + "\n" + KEY,
        KEY.replace("ssh-ed25519", "ssh-rsa", 1),
        "ssh-ed25519 not/base64!",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused(key: str) -> None:
    with pytest.raises(NoKey):
        line(Person(name="ana"), key, ["incident-tui"])


def test_a_path_that_could_end_the_quotes_is_refused() -> None:
    with pytest.raises(Refused):
        line(Person(name="ana"), KEY, ['/opt/a"b'])


def test_a_key_that_was_taken_away_proves_nobody() -> None:
    assert is_key_of(fingerprint(KEY), Person(name="ana", keys=(KEY,)))
    assert not is_key_of(fingerprint(KEY), Person(name="ana"))
    assert not is_key_of("", Person(name="ana", keys=(KEY,)))


def test_what_may_be_asked_for() -> None:
    assert asked("") == ("screen", {}, [])
    assert asked("screen --linear") == ("screen", {"linear": ""}, [])
    assert asked("brief --since last") == ("brief", {"since": "last"}, [])
    assert asked("brief INC-1 --since -30m") == ("brief", {"since": "-30m"}, ["INC-1"])
    assert asked("log ! restarted $HOME; rm -rf /  `id`") == ("log", {}, ["! restarted $HOME; rm -rf /  `id`"])
    assert asked("log --config /tmp/x") == ("log", {}, ["--config /tmp/x"])


@pytest.mark.parametrize(
    "original",
    [
        *(
            "sh",
            "bash -i",
            "log",
            "logs x",
            "brief; sh",
            "brief a b",
            "brief --config /x",
            "brief --since",
            "screen -x",
        ),
        *("scp -t /tmp", "internal-sftp", "/usr/lib/openssh/sftp-server", "export -o /tmp/x", "LOG x", "brief -o x"),
        *("run web1 -- id", "'' log x", "\x1b[2Jlog x", "log;sh", "watch", "demo", "card --import /etc/passwd"),
    ],
)
def test_what_may_not_be_asked_for(original: str) -> None:
    with pytest.raises(Refused) as refused:
        asked(original)
    assert "\x1b" not in refused.value.sentence and "log TEXT" in refused.value.sentence


@given(st.text())
def test_whatever_is_asked_only_three_commands_run_and_only_two_options_are_set(original: str) -> None:
    try:
        command, options, words = asked(original)
    except Refused:
        return
    assert command in ("screen", "log", "brief")
    assert set(options) <= {"since", "linear"}
    assert command == "log" or not any(word.startswith("-") for word in words)


def test_nothing_in_the_environment_names_a_program_or_a_file() -> None:
    sent = {
        "EDITOR": "sh",
        "PYTHONPATH": "/x",
        "XDG_DATA_HOME": "/x",
        "INCIDENT_TUI_CONFIG": "/x",
        "TEXTUAL_DRIVER": "x",
    }
    sent |= {"SSH_AUTH_SOCK": "/x", "SHELL": "/bin/sh", "INCIDENT_TUI_AS": "bob", "BASH_ENV": "/x", "LD_PRELOAD": "/x"}
    assert environment({**sent, "TERM": "xterm", "LC_ALL": "C.UTF-8"}) == {"TERM": "xterm", "LC_ALL": "C.UTF-8"}
