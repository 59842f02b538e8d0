"""read, probe, check and status against embedded peers, well and broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

Staged = Callable[..., Any]
Program = Any


def test_read_probe_and_check_when_all_is_well(staged: Staged, program: Program) -> None:
    one = staged("healthy")
    assert "containers 10/10 running" in program("read", *one.words).stdout
    fields = msgspec.json.decode(program("read", "--json", *one.words).stdout)
    assert not fields["findings"] and [site["status"] for site in fields["sites"]] == [200, 200]
    assert {volume["bricks_up"] for volume in fields["volumes"]} == {3}
    probed = program("probe", "web1", *one.words).stdout
    assert "== docker-inspect" in probed and "== gluster-peers" in probed and "\x1b" not in probed
    reading = msgspec.json.decode(program("probe", "build1", "--json", *one.words).stdout)
    assert reading["docker"]["version"] == "28.0.4"
    checked = program("check", *one.words, check=0).stdout
    assert "X FAIL" not in checked and "all" in checked


@pytest.mark.parametrize(
    ("old", "new", "host", "part"),
    [
        ("port = ", "port = 1 # ", "web1", "refused"),
        ('address = "127.0.0.1"', 'address = "name.invalid"', "web1", "name is not known"),
        ("identity_file = ", 'identity_file = "/nonexistent/key" # ', "web1", "/nonexistent/key"),
        ("known_hosts = ", 'known_hosts = "empty" # ', "web1", "host key"),
    ],
)
def test_each_fault_has_a_sentence_and_the_rest_goes_on(
    staged: Staged, program: Program, old: str, new: str, host: str, part: str
) -> None:
    one = staged("healthy")
    config = one.stage.config
    (config.parent / "empty").touch()
    config.write_text(config.read_text().replace(old, new, 1))
    done = program("read", *one.words, check=1)
    said = [line for line in done.stdout.splitlines() if host in line]
    assert said and any(part in line for line in said), done.stdout
    assert "hosts 3/4 connected" in done.stdout
    checked = program("check", "--json", *one.words, check=1).stdout
    failed = [row for row in msgspec.json.decode(checked) if row["ok"] is False]
    assert failed and {row["subject"] for row in failed} <= {host, "config"}
    assert any(part in row["sentence"] for row in failed)


DOCKER_HALF = (
    '#!/bin/sh\ncase $1 in ps) echo 0123456789abcdef;; inspect) echo "[{";; '
    "--version) echo Docker version 1.6.2;; esac\n"
)
DOCKER_DENIED = (
    "#!/bin/sh\n[ $1 = --version ] && echo Docker version 1.6.2 && exit 0\n"
    'echo "FATA[0000] Get http:///var/run/docker.sock/v1.18/containers/json: dial unix /var/run/docker.sock: '
    'permission denied. Are you trying to connect to a TLS-enabled daemon without TLS?" >&2; exit 1\n'
)


@pytest.mark.parametrize(
    ("name", "body", "part"),
    [
        ("date", '#!/bin/sh\necho "$(($(/bin/date +%s) + 3600)).5 +0000"\n', "clock 3600 s ahead"),
        ("docker", DOCKER_HALF, "docker"),
        ("docker", DOCKER_DENIED, "docker"),
        ("gluster", "#!/bin/sh\necho not xml at all\n", "peer status failed: not xml at all"),
    ],
)
def test_machines_that_answer_wrongly_have_a_sentence_in_check_and_read(
    staged: Staged, program: Program, name: str, body: str, part: str
) -> None:
    one = staged("healthy")
    stand_in = one.stage.directory / "bin" / name
    stand_in.write_text(body)
    stand_in.chmod(0o755)
    done = program("read", *one.words, check=1)
    assert "hosts 4/4 connected" in done.stdout and part in done.stdout.lower()
    rows = msgspec.json.decode(program("check", "--json", *one.words, check=1).stdout)
    failed = [row for row in rows if row["ok"] is False]
    assert failed and any(part in f"{row['what']} {row['sentence']}".lower() for row in failed), failed
    assert all(row["sentence"] for row in failed)


def test_check_without_any_configuration_says_what_to_do(program: Program, tmp_path: Any) -> None:
    done = program("check", "--journal", str(tmp_path / "j"), check=1)
    assert "no config.toml found" in done.stdout
    assert "no [[hosts]] table" in program("read", "--journal", str(tmp_path / "j"), check=2).stderr


def test_status_without_a_watch_is_never_well(staged: Staged, program: Program) -> None:
    one = staged("healthy")
    done = program("status", *one.words, check=1)
    assert "nobody is watching" in done.stdout and "not read yet" in done.stdout


def test_a_watch_that_was_killed_leaves_nothing_green(
    staged: Staged, program: Program, until: Any, status_of: Any
) -> None:
    one = staged("healthy")
    config = one.stage.config
    config.write_text(config.read_text().replace("fast_max_age = 20.0", "fast_max_age = 1.0"))
    process = one.watch()
    until(lambda: all(host["state"] == "connected" for host in status_of(one)["hosts"]))
    process.kill()
    until(lambda: {f["host"] for f in status_of(one)["findings"] if f["level"] == "unknown"} >= {"web1", "web2"})
    assert program("status", *one.words, check=1)
