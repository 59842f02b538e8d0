"""Which commands end a split-brain, by version: shown, never run. Pure.

From 3.7 the command line chooses a copy: by brick, or the bigger one; from 3.8 also the latest. Before it, the unwanted
copy is taken away by hand (GlusterFS administration guide, "Split brain and the ways to deal with it").
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

SHOWN = 3
"""Files for which the commands are written out."""


def _numbers(version: str) -> tuple[int, int]:
    match = re.match(r"(\d{1,3})\.(\d{1,3})", version)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def resolutions(volume: str, version: str, bricks: Sequence[str], files: Sequence[str]) -> list[str]:
    """Lines to read. `bricks` are the names of the copies, host:/path; `files` as heal info names them, paths from the
    volume's root or "<gfid:…>". Names are quoted for a shell; one damaged on its way is not put into a command.
    """
    if not files:
        return []
    known = _numbers(version)
    if known == (0, 0):
        return ["The version of GlusterFS is not known, so no command is proposed."]
    if known < (3, 7):
        return [
            "Before 3.7 no command chooses a copy: on the brick of the unwanted one remove the file and its link below",
            ".glusterfs (its gfid, by getfattr -n trusted.gfid), then read the file once through a mount. Keep a copy.",
        ]
    lines = ["Choose a copy for each file; look at both first. The other copy is lost."]
    heal = f"gluster volume heal {shlex.quote(volume)} split-brain"
    for file in [file for file in files if "\ufffd" not in file][:SHOWN]:
        name = shlex.quote(re.sub(r"\A<(gfid:[0-9a-f-]{36})>.*", r"\1", file))
        lines += [f"{heal} source-brick {shlex.quote(brick)} {name}" for brick in bricks[:3]]
        if known >= (3, 8):
            lines.append(f"{heal} latest-mtime {name}")
        lines.append(f"{heal} bigger-file {name}")
    left = len(files) - SHOWN
    if left > 0:
        lines.append(f"… and so for {left} more")
    return lines
