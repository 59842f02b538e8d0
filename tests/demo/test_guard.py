"""What a person may run on the demo's machines, which have no system of their own."""

from __future__ import annotations

import pytest

from incident_tui.demo.guard import guarded, stranger
from incident_tui.fleet import remote
from incident_tui.text import shell


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("uptime", ""),
        ("docker start drupal-a", ""),
        ('gluster volume status gv0 | awk \'$1 == "Brick" {print > "x"}\' 2>/dev/null', ""),
        ("tail -n 20 $(ls -t /var/log/glusterfs/bricks/*.log | head -n 1) 2>&1 | tail", ""),
        ("timeout -s KILL 20 docker version\nfor i in 1 2; do docker ps; done", ""),
        ("systemctl restart docker", "systemctl"),
        ("docker ps; reboot", "reboot"),
        ("echo $(reboot)", "reboot"),
        ('echo "`rm -rf /srv`"', "rm"),
        ("if true; then /sbin/reboot; fi", "/sbin/reboot"),
        ("A=1 kill -9 4711", "kill"),
        ("docker ps -q | xargs kill", "xargs"),
        ("timeout 5 reboot", "reboot"),
        ("sudo docker ps", "sudo"),
        ("echo 1 >/proc/sys/vm/drop_caches", "what writes a file"),
    ],
)
def test_what_would_change_this_computer_is_named(command: str, word: str) -> None:
    assert stranger(command) == word


def test_only_a_persons_command_is_looked_at() -> None:
    probe = "exec /bin/sh -s probe; reboot"
    assert guarded(probe) == probe and not remote.command_in(probe)
    line = f"exec /bin/sh -c {shell(remote._BEGIN)} sh {shell('kill 4711')} itui-1"
    assert remote.command_in(line) == "kill 4711"
    said = remote.command_in(guarded(line))
    assert said.startswith("echo 'demo: kill is not run") and said.endswith("exit 126")
