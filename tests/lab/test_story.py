"""The story of `tests/story`, lived once against real peers: a container is killed, and started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.story.steps import live
from tests.terminals import Terminals

pytestmark = pytest.mark.lab


class Peers:
    """The lab's second peer loses its container. The journal is the story's own."""

    trouble = "! peer2 web"
    rule = "docker.container-down"
    well = "+ peer2 web"

    def __init__(self, lab: Any, journal: Path) -> None:
        self.lab = lab
        self.words: tuple[str, ...] = ("--config", str(lab.config), "--journal", str(journal))

    def repair(self) -> None:
        self.lab.docker(2, "start", "web")


def test_an_incident_from_the_page_to_the_review(lab: Any, terminals: Terminals, tmp_path: Path) -> None:
    lab.undo.callback(lab.docker, 2, "start", "web")
    lab.run(2, "kill", "-9", lab.docker(2, "inspect", "-f", "{{.State.Pid}}", "web"))
    place = Peers(lab, tmp_path / "journal")
    report = live(terminals, place, lambda *words: lab.program(*words), tmp_path / "review.md")
    assert "peer2 web" in report and "half of a sentence" in report and "hosting company" in report
    lab.program("verify", *place.words)
    lab.recovers("docker.container-down", "peer2 web")
    lab.tell(("docker.container-down", "peer2 web"))
