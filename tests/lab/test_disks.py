"""A real file system on a real peer that is full, or became read-only; each mended by the commands of its playbook."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lab.played import Played

pytestmark = pytest.mark.lab


def disk(lab: Any, n: int) -> str:
    """A small ext4 in a file, mounted in peer N where its own fstab says; gone after the test. Returns where."""
    if subprocess.run(["losetup", "-f"], capture_output=True).returncode:
        pytest.skip("this machine has no loop device")
    home = Path(lab.directory) / f"p{n}"
    place, image, fstab = (home / name for name in ("disk", "disk.img", "fstab"))
    fstab.write_text(f"{image} {place} ext4 loop 0 0\n")
    for name in (place, "/etc/fstab"):
        lab.undo.callback(lab.peers, "exec", str(n), "umount", "-l", str(name), check=False)
    script = f"""set -e
        truncate -s 16M {image} && mkfs.ext4 -q -m 0 {image}
        mkdir -p {place} && mount --bind {fstab} /etc/fstab && mount {place}"""
    lab.run(n, "sh", "-c", script)
    return str(place)


def test_a_full_disk_is_found_and_room_made(lab: Any) -> None:
    place = disk(lab, 2)
    lab.run(2, "sh", "-c", f"cat /dev/zero >{place}/fill 2>/dev/null; true")
    sentence = lab.appears("disk.full", f"peer2 {place}", "crit")
    assert sentence.startswith(f"peer2: {place} 100% full, ")
    play = Played(lab, "disk-full", place=place, file=f"{place}/fill")
    assert "disk.full" in play.book.when
    assert " 100% " in play.look(2, "Blocks or inodes?")
    assert "disk" in play.look(2, "What is large")
    play.do(2, "Remove what can go")
    lab.recovers("disk.full", f"peer2 {place}")
    lab.tell(("disk.full", f"peer2 {place}"))


def test_a_file_system_that_became_read_only_is_found_and_mounted_anew(lab: Any) -> None:
    place = disk(lab, 3)
    lab.run(3, "mount", "-o", "remount,ro", place)
    assert lab.appears("disk.read-only", f"peer3 {place}", "crit") == f"peer3: {place} is read-only"
    play = Played(lab, "file-system-read-only", place=place)
    assert "disk.read-only" in play.book.when
    assert f" {place} ext4 ro," in play.look(3, "What does the kernel say")
    assert place in play.look(3, "What is on it, who uses it?")
    play.do(3, "Mend the cause")
    lab.run(3, "touch", f"{place}/written")
    lab.recovers("disk.read-only", f"peer3 {place}")
    lab.tell(("disk.read-only", f"peer3 {place}"))
