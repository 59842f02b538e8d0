"""Real geo-replication between volumes of the lab: gsyncd and its ssh; broken on the other side and here."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.lab.played import BUSY, Played
from tests.lab.test_volume_kinds import made

pytestmark = pytest.mark.lab
HOOKS = Path("/var/lib/glusterd/hooks/1/gsync-create/post")
REMOTE = "peer3::copy"
RULE = "gluster.geo-replication"
WELL = ["Active", "Passive", "Passive"]


def homes(lab: Any) -> None:
    """Root of each peer logs in at the others, as the administrator's guide wants it, with a home directory and a
    working directory of gsyncd of its own; this machine's stay untouched."""
    for n in (1, 2, 3):
        place = lab.directory / f"p{n}"
        accepted = place / "ssh" / "authorized_keys"
        lab.undo.callback(accepted.write_text, accepted.read_text())
        for mount in ("/root", "/var/lib/misc"):
            lab.undo.callback(lab.peers, "exec", str(n), "umount", "-l", mount, check=False)
        script = f"""set -e
            for mount in /root /var/lib/misc; do mount -t tmpfs -o mode=700 tmpfs $mount; done
            mkdir -m 700 /root/.ssh
            ln -s {accepted} /root/.ssh/authorized_keys
            cp {lab.directory}/key /root/.ssh/id_ed25519
            echo StrictHostKeyChecking accept-new >/root/.ssh/config"""
        lab.run(n, "sh", "-c", script)
        # What the package puts there; the peer's own /var/lib/glusterd began empty.
        hooks = place / "glusterd" / "hooks" / "1" / "gsync-create" / "post"
        hooks.mkdir(parents=True, exist_ok=True)
        for hook in HOOKS.iterdir():
            (hooks / hook.name).write_bytes(hook.read_bytes())
            (hooks / hook.name).chmod(0o755)


def gluster(lab: Any, *words: str) -> str:
    """A command of Gluster; again while somebody else, such as our watch, has the volume's lock."""
    said = ""

    def done() -> bool:
        nonlocal said
        result = lab.peers("exec", "1", "gluster", "--mode=script", *words, check=False)
        said = result.stdout + result.stderr
        assert result.returncode == 0 or BUSY in said, said
        return BUSY not in said

    lab.until(done, 60, " ".join(words))
    return said


def session(lab: Any, *words: str) -> str:
    return gluster(lab, "volume", "geo-replication", "src", REMOTE, *words)


def states(lab: Any) -> list[str]:
    """How the three workers are, in the order of the alphabet."""
    words = ("Active", "Created", "Faulty", "Initializing...", "Passive", "Stopped")
    rows = [line.split() for line in session(lab, "status").splitlines() if line.startswith("peer")]
    return sorted(next(word for word in row if word in words) for row in rows)


def write(lab: Any, name: str) -> None:
    """A file, through a mount of the primary volume."""
    script = f"mount -t glusterfs peer1:/src /run/mnt && echo {name} >/run/mnt/{name}; umount /run/mnt"
    lab.run(1, "sh", "-c", script)


def arrives(lab: Any, name: str) -> None:
    """At the other side. What is written while a session runs may stay here until its next start, with all Active, as
    the playbook says (GlusterFS 10.3): so all is written before one."""
    place: Path = lab.directory / "p3" / "bricks" / "copy" / name
    lab.until(lambda: place.is_file() and place.read_text() == f"{name}\n", 60, f"the file {name} at the other side")


def test_a_faulty_and_a_stopped_session_are_found_and_repaired(lab: Any) -> None:
    made(lab, "src", "replica", "3")
    made(lab, "copy", peers=(3,))
    homes(lab)
    lab.gluster("system::", "execute", "gsec_create")
    geo = ("exec", "1", "gluster", "--mode=script", "volume", "geo-replication", "src", REMOTE)
    for verb in (("delete",), ("stop", "force")):
        lab.undo.callback(lab.peers, *geo, *verb, check=False)
    session(lab, "create", "push-pem")
    keys = lab.directory / "p3" / "ssh" / "authorized_keys"
    lab.until(lambda: keys.read_text().count("gsyncd") == 3, 60, "each peer's key accepted by the other side")
    # GlusterFS 10.3 with rsync 3.5.0 makes the files and leaves them empty, and calls that Active; tar does not.
    session(lab, "config", "sync-method", "tarssh")
    session(lab, "config", "secondary-timeout", "20")  # a lost other side is noticed after half of it, not of 120 s
    gluster(lab, "volume", "set", "src", "changelog.rollover-time", "3")
    write(lab, "first")
    session(lab, "start")
    lab.until(lambda: states(lab) == WELL, 120, "one active worker")
    play = Played(lab, "gluster-geo-replication", volume="src", remote=REMOTE)
    assert RULE in play.book.when
    arrives(lab, "first")
    lab.healthy()
    subject = f"src {lab.brick(1, 'src')}"

    # The other side is gone, and what is written meanwhile must arrive after the repair.
    gluster(lab, "volume", "stop", "copy", "force")
    write(lab, "second")
    sentence = lab.appears(RULE, subject, "crit", 60)
    assert sentence == f"src: geo-replication peer1 to ssh://{REMOTE} Faulty"
    lab.until(lambda: "Faulty" in play.look(1, "Which worker is Faulty"), 30)
    assert "Worker Status Change [{status=Faulty}]" in play.look(1, "What does the log of the faulty worker")
    gluster(lab, "volume", "start", "copy")
    play.do(1, "Restart the session once", again=BUSY)
    lab.recovers(RULE, subject, 60)
    arrives(lab, "second")

    # Its processes on one peer are killed, and nothing starts them again.
    lab.until(lambda: states(lab) == WELL, 60, "one active worker")
    for pid, (_, words) in lab.processes(1).items():
        if "gsyncd.py" in words and "src" in words:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    sentence = lab.appears(RULE, subject, "warn", 60)
    assert sentence == f"src: geo-replication peer1 to ssh://{REMOTE} Stopped"
    assert "Stopped" in play.look(1, "Which worker is Faulty")
    write(lab, "third")
    play.do(1, "Restart the session once", again=BUSY)
    lab.recovers(RULE, subject, 60)
    arrives(lab, "third")
    others = ("gluster.volume-stopped", "gluster.volume-unknown", "gluster.brick-down", "gluster.brick-unknown")
    lab.tell((RULE, subject), also=(RULE, *others))
