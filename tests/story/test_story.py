"""From the page to the review, minute by minute, in real terminals against embedded machines."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.story.steps import live
from tests.terminals import Terminals


class Stage:
    """The demo's machines: web2 runs out of memory, and its site with it."""

    trouble = "X reliefweb"
    rule = "site.down"
    well = "+ reliefweb"

    def __init__(self, started: Any) -> None:
        self.words: tuple[str, ...] = started.words
        self._config = started.stage.config.read_text()

    def repair(self) -> None:
        port = re.search(r'name = "web2".*?port = (\d+)', self._config, re.S)
        key, known = (re.search(rf'{name} = "(.*?)"', self._config) for name in ("identity_file", "known_hosts"))
        assert port and key and known
        words = ["ssh", "-F", "none", "-p", port[1], "-i", key[1], "-o", "BatchMode=yes"]
        words += ["-o", f"UserKnownHostsFile={known[1]}", "root@127.0.0.1", "docker stop solr; docker start drupal-a"]
        subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)


def test_an_incident_from_the_page_to_the_review(
    staged: Callable[..., Any], program: Any, terminals: Terminals, tmp_path: Path
) -> None:
    started = staged("outage", speed=3.0)
    report = live(terminals, Stage(started), program, tmp_path / "review.md")
    for said in (
        "site down, web2 in trouble",
        "bring the site back",
        "web2 has too little memory",
        "One site is down. We are repairing it.",
        "saw the alarm at the hosting company",
        "half of a sentence",
        "more memory for web2",
    ):
        assert said in report, said
    assert "bob" in report and "OOM" in report
    assert program("verify", *started.words).returncode == 0
    assert "Traceback" not in report
