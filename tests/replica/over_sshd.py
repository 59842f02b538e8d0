"""A bastion behind a real sshd, for the tests: its journal, and what to write to reach it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from incident_tui.replica.sync_settings import Sync
from tests.sshd import Sshd

PROGRAM = (sys.executable, "-m", "incident_tui")


def peer(sshd: Sshd, directory: Path | str, name: str = "bastion-2", **changes: object) -> Sync:
    """The [[sync]] that reaches the journal in `directory` through this sshd."""
    host = sshd.host(name)
    wanted: dict[str, object] = {
        "name": name,
        "address": host.address,
        "port": host.port,
        "user": host.user,
        "identity_file": host.identity_file,
        "known_hosts": host.known_hosts,
        "command": PROGRAM,
        "journal": str(directory),
    }
    return Sync(**(wanted | changes))  # type: ignore[arg-type]


def config(*peers: Sync, letter: str = "a", more: str = "") -> str:
    """A config.toml with these [[sync]]."""
    lines = ["[journal]", f'letter = "{letter}"', more]
    for one in peers:
        lines += ["[[sync]]", f"command = {json.dumps(one.command)}", f"port = {one.port}", f"seconds = {one.seconds}"]
        for key in ("name", "address", "user", "identity_file", "known_hosts", "journal", "jump"):
            lines.append(f'{key} = "{getattr(one, key)}"')
    return "\n".join(lines) + "\n"


def restricted(sshd: Sshd, directory: Path, config_file: Path | None = None) -> None:
    """From now on the key of this sshd can sync and nothing else, by a line as join-keys --sync prints it."""
    from incident_tui.desk.joining import sync_line

    more = ["--config", str(config_file)] if config_file else []
    program = [sys.executable, "-I", "-m", "incident_tui", *more, "--journal", str(directory)]
    line = sync_line(sshd.key.with_suffix(".pub").read_text().strip(), program)
    (sshd.directory / "authorized_keys").write_text(line + "\n")
