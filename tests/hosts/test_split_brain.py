"""The commands that end a split-brain, by version, with names that a shell takes as they are."""

from __future__ import annotations

import shlex

from incident_tui.hosts.split_brain import resolutions

BRICKS = ("web1:/b/gv0", "web2:/b/gv0")
GFID = "cea38081-e6e6-404a-a1a8-33c89e5d6e22"


def test_each_version_has_what_it_can() -> None:
    def verbs(version: str) -> set[str]:
        lines = resolutions("gv0", version, BRICKS, ["/files/a.pdf"])
        return {words[5] for line in lines if (words := line.split())[0] == "gluster"}

    assert verbs("3.6.9") == set()
    assert verbs("3.7.9") == {"source-brick", "bigger-file"}
    assert verbs("3.12.2") == verbs("10.3") == {"source-brick", "latest-mtime", "bigger-file"}
    assert "no command" in resolutions("gv0", "", BRICKS, ["/a"])[0]
    assert resolutions("gv0", "10.3", BRICKS, []) == []


def test_names_are_quoted_and_damaged_ones_left_out() -> None:
    lines = resolutions("gv0", "10.3", BRICKS, ["/a b'; rm -rf /", f"<gfid:{GFID}>", "/x\ufffdy"])
    commands = [shlex.split(line) for line in lines if line.startswith("gluster")]
    assert {words[-1] for words in commands} == {"/a b'; rm -rf /", f"gfid:{GFID}"}
    assert [
        "gluster",
        "volume",
        "heal",
        "gv0",
        "split-brain",
        "source-brick",
        "web2:/b/gv0",
        f"gfid:{GFID}",
    ] in commands


def test_many_files_are_bounded() -> None:
    lines = resolutions("gv0", "10.3", BRICKS, [f"/f{n}" for n in range(50)])
    assert len(lines) < 20 and lines[-1] == "… and so for 47 more"
