"""README's table of every command the probe runs is what it runs: each program on its PATH writes down its own call."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hosts.test_probe import EL6

README = Path(__file__).parents[2] / "README.md"
ID, VOLUME, PID = "ab" * 32, "gv0", os.getpid()
REAL = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
# ${0##*/} is the name it was called by; only a shell's own words are used, so that nothing is written down twice.
STUB = """printf '%s\\0' "${0##*/} $*" >>"$CALLS"
for place in /usr/sbin /usr/bin /sbin /bin; do [ ! -x "$place/${0##*/}" ] || exec "$place/${0##*/}" "$@"; done
"""
DOCKER = f"""printf '%s\\0' "docker $*" >>"$CALLS"
case $1 in
--version) echo 'Docker version 24.0.7, build x' ;;
ps) [ -z "$HANGS" ] || exit 124; echo {ID} ;;
stats) [ "$2" != --help ] || echo --no-stream ;;
events) exec /bin/sleep 60 ;;
esac
"""
GLUSTER = """printf '%s\\0' "gluster $*" >>"$CALLS"\n"""
SLOW = [f"{kind}:{VOLUME}" for kind in ("status", "heal", "split", "summary", "rebalance", "quota", "snaps", "geo")]
FILES = {
    **EL6,
    "/var/lib/glusterd/glusterd.info": "UUID=u1\n",
    f"/proc/{PID}/stat": f"{PID} (glusterfsd) S 1\n",
    f"/proc/{PID}/cmdline": "/usr/sbin/glusterfsd\0--brick-name\0/b/gv0\0",
    f"/b/gv0/.glusterfs/indices/xattrop/{ID}-1": "",
    "/var/log/messages": "x\n",
    "/var/log/dpkg.log": "x\n",
    f"/var/lib/docker/containers/{ID}/config.v2.json": '{"State":{"Running":true,"Pid":77}}',
}


def calls_of(run_probe: Callable[..., Any], directory: Path, *, timeout: bool, hangs: str = "") -> set[str]:
    """The calls that all words of the probe, in each mode, made. Without coreutils' timeout the shell limits."""
    log = directory / "calls"
    log.write_text("")
    everything = {name for place in REAL for name in os.listdir(place) if executable(Path(place, name))}
    programs = dict.fromkeys(everything | {"iostat"}, STUB) | {"docker": DOCKER, "gluster": GLUSTER}
    programs = {name: body for name, body in programs.items() if name != "podman" and (timeout or name != "timeout")}
    (directory / "bin" / "timeout").unlink(missing_ok=True)  # of the call before
    environment = {"ITUI_PATH": str(directory / "bin"), "CALLS": str(log), "HANGS": hangs}
    for mode, words in (
        ("fast", ["hello", "clock", "proc", "disk", "oom", f"cg:77:{ID}", f"watch:{PID}"]),
        ("slow", ["docker", "gluster", *SLOW]),
        ("asked", [f"asked:log:{ID}", "asked:performance", "asked:changes"]),
        ("events", []),
    ):
        running = run_probe(["dash"], mode, programs=programs, **environment)
        if words:
            running.ask(*words)
        while mode == "events" and "docker events" not in log.read_text():
            assert running.process.poll() is None, "it ended before it followed"
        running.end()
    return {call for call in log.read_text().split("\0") if call}


def executable(path: Path) -> bool:
    try:
        return path.is_file() and bool(path.stat().st_mode & stat.S_IXUSR)
    except OSError:
        return False


def named(call: str) -> str:
    """A call as the table names it: the program; of docker and gluster what it is asked."""
    program, _, words = call.partition(" ")
    if program not in ("docker", "gluster"):
        return program
    words = re.sub(r"--mode=script --xml ", "", words).replace(ID, "ID")
    return f"{program} {re.sub(rf'(?<= ){VOLUME}(?= |$)', 'VOLUME', words)}"


def documented() -> set[str]:
    part = README.read_text(encoding="utf-8").partition("<!-- begin probe -->")[2].partition("<!-- end probe -->")[0]
    cells = [row.split(" | ")[0] for row in part.splitlines() if row.startswith("| `")]
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_the_readme_lists_every_command_the_probe_runs(
    run_probe: Callable[..., Any], root: Callable[[dict[str, str]], Path], tmp_path: Path
) -> None:
    """And gluster is always asked so that it waits for nobody's answer, and for nothing that changes anything."""
    root(FILES)
    calls = (
        calls_of(run_probe, tmp_path, timeout=True)
        | calls_of(run_probe, tmp_path, timeout=True, hangs="yes")
        | calls_of(run_probe, tmp_path, timeout=False)
    )
    ran = {named(call) for call in calls}
    assert ran == documented(), f"not in the README: {ran - documented()}; not run: {documented() - ran}"
    asked = {call for call in calls if call.startswith("gluster ") and call != "gluster --version"}
    assert asked and all(call.startswith("gluster --mode=script --xml ") for call in asked)
    assert not [call for call in asked if re.search(r" (set|reset|start|stop|delete|force|commit)\b", call)]
