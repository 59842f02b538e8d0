"""Leaves one small text file in the home of the account that logs in: the break-glass card, only when somebody asks."""

from __future__ import annotations

import asyncio
import re

import asyncssh

from incident_tui.fleet import ssh
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.fleet.ssh import LinkFailure
from incident_tui.text import sanitise

SECONDS = 20.0


async def leave(host: Host, fleet: Fleet, name: str, text: str) -> str:
    """Write `text` to ~/NAME on the host, readable only by its owner, in place of what was there. Empty, or one
    sentence why not; never raises for a host's trouble."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}", name):
        raise ValueError(f"not a plain file name: {name!r}")
    connection: ssh.Connection | None = None
    # Words that a csh, too, takes as they are; the new file takes the place of the old one only when it is whole.
    command = f"exec /bin/sh -c 'umask 077; cd && cat >.{name}.new && mv .{name}.new {name}'"
    try:
        async with asyncio.timeout(SECONDS + fleet.connect_timeout):
            connection = await ssh.connect(host, fleet)
            done = await connection.ssh.run(command, input=text, encoding="utf-8", errors="replace")
    except LinkFailure as failure:
        return failure.sentence
    except TimeoutError:
        return f"{host.name}: no answer within {SECONDS:.0f} s"
    except (asyncssh.Error, OSError) as problem:
        return f"{host.name}: {sanitise(str(problem), limit=120)}"
    finally:
        if connection is not None:
            await connection.close()
    if done.exit_status != 0:
        said = sanitise(str(done.stderr or "").strip(), limit=120)
        return f"{host.name}: not written: {said or f'status {done.exit_status}'}"
    return ""
