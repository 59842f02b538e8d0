"""The demo as a process: it plays, records, marks everything DEMO, and leaves no process behind."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any


def mentions(directory: str) -> list[str]:
    """Command lines of living processes that name this directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if directory in words:
            found.append(words)
    return found


def test_it_plays_records_and_ends_without_a_trace(program: Any, until: Callable[..., Any]) -> None:
    done = program("demo", "--headless", "20", "--speed", "3")
    assert "DEMO watched" in done.stdout and "web2" in done.stdout
    assert "**DEMO.**" in done.stdout and "# demo outage" in done.stdout
    directory = re.search(r"journal is in (\S+)/journal", done.stderr)
    assert directory is not None
    until(lambda: not mentions(directory.group(1)))
    shown = program("export", "--journal", directory.group(1) + "/journal").stdout
    assert "**DEMO.**" in shown and "OOM" in shown
    chat = Path(directory.group(1), "chat.txt").read_text()
    assert chat.count("DECLARED") == 1 and "DEMO [INC-" in chat


def test_a_person_can_log_in_with_ssh_and_repair(staged: Callable[..., Any], until: Callable[..., Any]) -> None:
    one = staged("outage", speed=20.0)
    config = one.stage.config.read_text()
    port = re.search(r'name = "web2".*?port = (\d+)', config, re.S)
    identity, known = re.search(r'identity_file = "(.*?)"', config), re.search(r'known_hosts = "(.*?)"', config)
    assert port and identity and known

    def ssh(command: str) -> str:
        words = ["ssh", "-F", "none", "-p", port.group(1), "-i", identity.group(1), "-o", "BatchMode=yes"]
        words += ["-o", f"UserKnownHostsFile={known.group(1)}", "root@127.0.0.1", command]
        return subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30).stdout

    until(lambda: "Killed process" in ssh("cat var/log/messages"), 30)
    until(lambda: '"ExitCode": 137' in ssh("docker inspect drupal-a"), 30)
    assert ssh("docker stop solr; docker start drupal-a").split() == ["solr", "drupal-a"]
    until(lambda: '"Running": true' in ssh("docker inspect drupal-a"), 30)
    assert os.environ.get("HOME")
