"""Real hosts seen from where their playbooks look: sshd gone, a site whose container died, a processor kept busy."""

from __future__ import annotations

import copy
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_tui.watch.asks import ask
from tests.lab.played import Played

pytestmark = pytest.mark.lab

HERE = Played.HERE


def needs(tool: str) -> pytest.MarkDecorator:
    """CI installs it (.ci/run); elsewhere it may be missing."""
    missing = shutil.which(tool) is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(missing, reason=f"{tool} is not installed")


def remove(lab: Any, n: int, name: str) -> None:
    """The container, and from the board: the next test may count what is there."""
    lab.docker(n, "rm", "-f", name, check=False)
    lab.until(lambda: all(one["name"] != name for one in lab.status()["containers"]), 20, f"{name} off the board")


@needs("ping")
def test_a_host_whose_sshd_is_gone_lives_say_its_neighbours(lab: Any) -> None:
    lab.undo.callback(lab.peers, "start", "2", "sshd")
    # who is logged in goes, too: their sessions outlive the one that listens
    lab.run(2, "sh", "-c", "p=$(cat /run/sshd.pid); kill -STOP $p; kill $(pgrep -P $p); kill $p; kill -CONT $p")
    said = lab.appears("host.unreachable", "peer2", "unknown")
    play = Played(lab, "host-unreachable", host="peer2")
    assert "host.unreachable" in play.book.when, said
    seen = play.look(HERE, "From here: name, network, ssh?")
    assert re.search(rf"^{re.escape(lab.subnet)}\.2 +peer2$", seen, re.M) and " 3 received, 0% packet loss" in seen
    assert "port 22: Connection refused" in seen, seen
    for n in (1, 3):
        seen = play.look_well(n, "From its neighbours?")
        assert " 2 received, 0% packet loss" in seen
        assert re.search(r"^Hostname: peer2\n.*\nState: Peer in Cluster \(Connected\)$", seen, re.M), seen
    lab.peers("start", "2", "sshd")
    ask(lab.journal, "peer2")  # as a person who presses refresh, who need not wait for the next try
    lab.recovers("host.unreachable", "peer2")
    seen = play.look_well(HERE, "From here: name, network, ssh?")
    assert "load average:" in seen, seen
    lab.program("check")  # "It is back": the playbook's last word before it serves again
    lab.tell(("host.unreachable", "peer2"))


def serve(lab: Any, tmp_path: Path) -> tuple[Any, str]:
    """A site served by the container `shop` on peer 2, and a watch of its own on both. Returns the lab as that watch
    sees it, healthy, and the site's URL."""
    lab.undo.callback(remove, lab, 2, "shop")
    page = "echo well >/tmp/index.html; exec httpd -f -v -p 8080 -h /tmp"
    options = ("--network", "host", "--stop-signal", "KILL")
    lab.docker(2, "run", "-d", "--name", "shop", *options, "busybox:lab", "sh", "-c", page)
    url = f"http://{lab.subnet}.2:8080/"
    ours = copy.copy(lab)
    ours.config, ours.journal = tmp_path / "config.toml", tmp_path / "journal"
    site = f'[[sites]]\nname = "shop"\nurl = "{url}"\nhosts = ["peer2"]\nseconds = 1.0\n'
    ours.config.write_text(lab.config.read_text().replace(str(lab.journal), str(ours.journal)) + site)
    ours.program("declare", "--severity", "2", "the shop")
    watch = ours.watch()
    lab.undo.callback(watch.wait, 20)
    lab.undo.callback(watch.terminate)
    ours.healthy()
    return ours, url


@needs("curl")
def test_a_site_whose_container_died_is_down_until_it_is_started(lab: Any, tmp_path: Path) -> None:
    shop, url = serve(lab, tmp_path)
    lab.run(2, "kill", "-9", lab.docker(2, "inspect", "-f", "{{.State.Pid}}", "shop"))
    assert "refused" in shop.appears("site.down", "shop", "crit")
    play = Played(shop, "site-down", url=url, name="peer2", container="shop")
    assert "site.down" in play.book.when
    seen = play.look(HERE, "Name, certificate, status, time of each part?")
    assert re.search(rf"^{re.escape(lab.subnet)}\.2 +STREAM peer2$", seen, re.M) and "status 000 " in seen, seen
    on_its_host = "On its host: does the container run and answer?"
    seen = play.look_well(2, on_its_host)
    assert " web\n" in seen and " shop\n" not in seen and "response:200" in seen, seen
    Played(shop, "container-crash-loop", container="shop").do(2, "Start it once")
    play.verified(HERE, "It works from outside, from another network")
    shop.recovers("site.down", "shop")
    shop.recovers("docker.container-down", "peer2 shop")
    assert " shop\n" in play.look_well(2, on_its_host)
    shop.tell(("site.down", "shop"), ("docker.container-down", "peer2 shop"))


def test_what_keeps_a_processor_busy_is_found_by_looking(lab: Any) -> None:
    lab.undo.callback(remove, lab, 3, "busy")
    options = ("--network", "none", "-m", "32m", "--stop-signal", "KILL")
    work = "echo at work; exec /bin/dd if=/dev/zero of=/dev/null bs=64k"
    lab.docker(3, "run", "-d", "--name", "busy", *options, "busybox:lab", "sh", "-c", work)
    play = Played(lab, "performance-investigation", container="busy")
    seen = play.look_well(3, "Load against processors, run queue")
    assert "load average:" in seen and re.search(r"^ *r +b .* wa +st", seen, re.M), seen
    assert len(re.findall(r"^ *\d+ +\d+ +\d+ .*\d$", seen, re.M)) == 5, seen
    seen = play.look_well(3, "Which processes run or wait (D)")
    (share,) = re.findall(r"^R\S* +\d+ +([\d.]+) +[\d.]+ +\S+ +dd$", seen, re.M)
    assert float(share) > 5, seen
    assert re.search(r"( +[\d.]+){10}", play.look_well(3, "Disks: how busy"))
    assert "eth0:" in play.look_well(3, "Network and errors; kernel log?")
    seen = play.look_well(3, "The container: its share of memory and processor")
    assert "at work" in seen and "/bin/dd if" in seen, seen
    seen = play.look_well(1, "The storage: heals, rebalance", again="Another transaction is in progress")
    assert "Status of volume: gv0" in seen
    remove(lab, 3, "busy")
    seen = play.look_well(3, "Which processes run or wait (D)")
    assert not re.search(r" dd$", seen, re.M), seen
    lab.tell()
