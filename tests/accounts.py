"""Two real Unix accounts of one group and a stranger, made and removed here, and a directory that the group shares."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

GROUP, FIRST, SECOND, STRANGER = "ituitest", "ituitest1", "ituitest2", "ituitest3"


@pytest.fixture
def accounts(needs_root: None) -> Iterator[None]:
    turn = (Path(tempfile.gettempdir()) / "incident-tui-test-accounts").open("w")
    fcntl.flock(turn, fcntl.LOCK_EX)  # the names are this machine's: another run waits
    subprocess.run(["groupadd", "-f", GROUP], check=True)
    made = []
    try:
        for name in (FIRST, SECOND, STRANGER):
            group = ["-G", GROUP] if name != STRANGER else []
            subprocess.run(["userdel", "-f", name], check=False, capture_output=True)  # of a run that was killed
            subprocess.run(["useradd", "-M", "-N", "-d", "/nonexistent", "-s", "/bin/sh", *group, name], check=True)
            made.append(name)
        yield
    finally:
        for name in made:
            subprocess.run(["userdel", "-f", name], check=False, capture_output=True)
        subprocess.run(["groupdel", GROUP], check=False, capture_output=True)
        turn.close()


def as_account(name: str) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={name}", "--regid=nogroup", "--init-groups", "--")


@pytest.fixture
def shared(tmp_path: Path, accounts: None) -> Path:
    """A directory of the group, as an administrator makes it; readable on the way there."""
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o005 != 0o005 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o005)
    directory = tmp_path / "shared"
    directory.mkdir()
    shutil.chown(directory, "root", GROUP)
    directory.chmod(0o2770)
    return directory
