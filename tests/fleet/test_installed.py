"""The installed probe behind a forced command, on a real sshd; and attempts to get more out of its key."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.fleet.once import check, probe_once
from incident_tui.fleet.settings import Fleet
from incident_tui.hosts import installed, probe
from incident_tui.hosts.readings import LinkState
from incident_tui.hosts.sections import Framer, Message, Ready, RoundEnded
from tests.sshd import Sshd

MARKER = "ab" * 8


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def behind_a_forced_command(start_sshd: Callable[..., Sshd], tmp_path: Path) -> Sshd:
    sshd = start_sshd("AcceptEnv ITUI_*", "Subsystem sftp internal-sftp")
    program = tmp_path / "incident-tui-probe"
    program.write_text(installed.program())
    program.chmod(0o755)
    key = (sshd.directory / "key.pub").read_text()
    (sshd.directory / "authorized_keys").write_text(f'command="{program}",restrict {key}')
    return sshd


def ssh(
    sshd: Sshd, *words: str, said: bytes = b"", options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[bytes]:
    host = sshd.host()
    quiet = ("-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={sshd.known_hosts}", "-F", "/dev/null")
    line = ["ssh", *quiet, "-i", str(sshd.key), "-p", str(sshd.port), *options, f"{host.user}@127.0.0.1", *words]
    return subprocess.run(line, input=said, capture_output=True, timeout=30)


async def test_it_is_recognised_without_a_setting_and_reads_the_host(behind_a_forced_command: Sshd) -> None:
    host = behind_a_forced_command.host(roles=("docker",))
    reading = await probe_once(host, Fleet(), now)
    assert reading.link.state is LinkState.UP, reading.link.sentence
    assert reading.system is not None and reading.system.installed == installed.version()
    assert reading.memory is not None and reading.load is not None and reading.disks is not None
    rows = {row.what: row for row in await check(host, Fleet(), now)}
    assert rows["shell"].sentence == f"the installed probe answers ({installed.version()})"


async def test_another_version_answers_and_check_says_so(behind_a_forced_command: Sshd, tmp_path: Path) -> None:
    program = tmp_path / "incident-tui-probe"
    program.write_text(program.read_text().replace(f"{installed.version()}\n", "0123456789ab\n"))
    rows = {row.what: row for row in await check(behind_a_forced_command.host(roles=("docker",)), Fleet(), now)}
    assert rows["shell"].ok
    assert rows["shell"].sentence.endswith("of another version; renew it: incident-tui probe --install web1")


def start(words: str) -> bytes:
    return f"#itui 1 {words}\nitui_main {words}; exit\n".encode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("id",), b""),
        (("sh", "-c", "'id; touch /tmp/x'"), b""),
        (("$(touch /tmp/x)",), b"id\ntouch /tmp/x\n"),
        (("exec", "/bin/sh"), b"id\n"),
        ((), b"#itui 2 fast " + MARKER.encode() + b" 60\nid\n"),
        ((), start(f"shell {MARKER} 60")),
        ((), start(f"fast {MARKER};id 60")),
        ((), start("fast $(id) 60")),
        ((), start(f"fast {'a' * 65} 60")),
        ((), start(f"fast {MARKER} 60;id")),
        ((), start(f"fast {MARKER} 99999")),
    ],
)
def test_nothing_else_runs(behind_a_forced_command: Sshd, tmp_path: Path, words: tuple[str, ...], said: bytes) -> None:
    said = said.replace(b"/tmp/x", str(tmp_path / "made").encode())
    done = ssh(behind_a_forced_command, *(word.replace("/tmp/x", str(tmp_path / "made")) for word in words), said=said)
    assert done.returncode == 2
    assert done.stdout == b""
    assert not (tmp_path / "made").exists()


def messages(output: bytes) -> list[Message]:
    return Framer(MARKER).feed(output)


def test_the_sent_script_is_not_run_and_requests_are_words(behind_a_forced_command: Sshd, tmp_path: Path) -> None:
    made = tmp_path / "made"
    evil = f"touch {made}\n".encode()
    sent = probe.start("slow", MARKER, idle=20).replace(b"itui_now() {", evil + b"itui_now() {", 1)
    requests = (
        f"1 clock ;touch {made} $(touch {made}) `touch {made}` cg:1;touch:{made} status:../../etc asked:log:$(id)\n"
    )
    done = ssh(behind_a_forced_command, said=sent + requests.encode() + b"2 hello\n")
    assert done.returncode == 0
    found = messages(done.stdout)
    (ready,) = [one for one in found if isinstance(one, Ready)]
    assert ready.installed == installed.version()
    rounds = [one for one in found if isinstance(one, RoundEnded)]
    assert [[section.name for section in one.sections][:1] for one in rounds] == [["clock"], ["hello"]]
    assert not made.exists()


@pytest.mark.parametrize("name", ["ITUI_ROOT", "ITUI_PATH"])
def test_the_environment_is_not_taken(behind_a_forced_command: Sshd, tmp_path: Path, name: str) -> None:
    options = ("-o", f"SetEnv={name}={tmp_path}")
    done = ssh(behind_a_forced_command, said=probe.start("fast", MARKER, idle=20) + b"1 proc\n", options=options)
    (answer,) = [one for one in messages(done.stdout) if isinstance(one, RoundEnded)]
    assert answer.sections[0].body.startswith("/proc/loadavg:")


def test_no_terminal_forwarding_or_files(behind_a_forced_command: Sshd) -> None:
    sshd = behind_a_forced_command
    forced = ssh(sshd, "tty", options=("-tt",))
    assert b"PTY allocation request failed" in forced.stderr
    forwarded = ssh(sshd, options=("-W", f"127.0.0.1:{sshd.port}"))
    assert forwarded.returncode != 0 and b"SSH-2.0" not in forwarded.stdout
    files = ssh(sshd, "sftp", options=("-s",), said=bytes([0, 0, 0, 5, 1, 0, 0, 0, 3]))
    assert files.returncode != 0 and files.stdout == b""


def test_the_instructions_are_a_script_that_makes_the_very_file(tmp_path: Path) -> None:
    text = installed.instructions("web1", "probe", "ssh-ed25519 AAAA me@bastion", sudo=True)
    local = text.replace("/usr/local/sbin", str(tmp_path)).replace("/etc/sudoers.d", str(tmp_path))
    local = local.replace("chown root:root", "true").replace("visudo", "true")
    subprocess.run(["sh", "-eu"], input=local.encode(), check=True, timeout=30)
    made = (tmp_path / "incident-tui-probe").read_text()
    assert made == installed.program().replace("/usr/local/sbin", str(tmp_path))
    rule = (tmp_path / "incident-tui").read_text()
    assert rule == f'Defaults:probe !requiretty\nprobe ALL=(root) NOPASSWD: {tmp_path}/incident-tui-probe ""\n'
    assert '# command="sudo -n /usr/local/sbin/incident-tui-probe",restrict ssh-ed25519 AAAA me@bastion\n' in text
    assert ",no-pty,no-port-forwarding" in text
