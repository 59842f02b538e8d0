"""The embedded SSH peers: real asyncssh servers on loopback that run what they are asked with /bin/sh.

A session's command runs with ITUI_ROOT at the machine's scratch root and ITUI_PATH starting with the stand-in programs,
so the very probe that goes to real hosts is what answers here. Nothing of the real machine is changed by it; a person
may also log in with the printed ssh command and type `docker start drupal-a`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path

import asyncssh

from incident_tui.demo.guard import guarded

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def make_keys(directory: Path) -> tuple[Path, asyncssh.SSHKey]:
    """A key pair for the visitor and a host key, made anew. Returns the private key's file and the host key."""
    user = asyncssh.generate_private_key("ssh-ed25519", comment="incident-tui demo")
    path = directory / "id_demo"
    path.touch(mode=0o600)
    path.write_bytes(user.export_private_key())
    path.with_suffix(".pub").write_bytes(user.export_public_key())
    return path, asyncssh.generate_private_key("ssh-ed25519")


def install_programs(directory: Path) -> Path:
    """A private copy of the stand-in programs that can be executed, wherever the package was unpacked."""
    target = directory / "bin"
    shutil.copytree(Path(__file__).parent / "programs", target, dirs_exist_ok=True)
    for program in target.iterdir():
        program.chmod(0o755)
    return target


class EmbeddedPeer:
    """One machine's SSH server. `port` is chosen at the first start and kept."""

    def __init__(self, name: str, root: Path, programs: Path, host_key: asyncssh.SSHKey, authorised: Path) -> None:
        self.name = name
        self.root = root
        self.port = 0
        self._programs = programs
        self._host_key = host_key
        self._authorised = authorised
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    @property
    def reachable(self) -> bool:
        return self._acceptor is not None

    async def start(self) -> None:
        peer = self

        class Server(asyncssh.SSHServer):
            def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
                self._conn = conn
                peer._connections.add(conn)

            def connection_lost(self, exc: Exception | None) -> None:
                peer._connections.discard(self._conn)

        self._acceptor = await asyncssh.create_server(
            Server,
            "127.0.0.1",
            self.port,
            server_host_keys=[self._host_key],
            authorized_client_keys=str(self._authorised),
            process_factory=self._session,
            encoding=None,
            reuse_address=True,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        """The machine falls off the network: connections end without a word."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
            for connection in list(self._connections):
                connection.abort()
            await acceptor.wait_closed()

    async def _session(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        environment = {
            "PATH": f"{self._programs}:{_PATH}",
            "ITUI_PATH": f"{self._programs}:{_PATH}",
            "ITUI_ROOT": str(self.root),
            "HOME": str(self.root),
            "LC_ALL": "C",
            "PS1": f"[root@{self.name} ~]# ",
            "TERM": process.term_type or "dumb",
        }
        words = ["/bin/sh", "-c", guarded(process.command)] if process.command else ["/bin/sh", "-i"]
        child = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if not process.command else asyncio.subprocess.PIPE,
            env=environment,
            cwd=self.root,
            start_new_session=True,
        )
        # Pumped by hand: asyncssh's redirect ends the whole connection when a channel closes under it.
        pumps = [
            asyncio.create_task(_feed(process.stdin, child.stdin)),
            asyncio.create_task(_drain(child.stdout, process.stdout)),
            asyncio.create_task(_drain(child.stderr, process.stderr)),
        ]
        closed = asyncio.create_task(process.channel.wait_closed())
        ended = asyncio.create_task(child.wait())
        try:
            await asyncio.wait({closed, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and not closed.done():
                await asyncio.wait(pumps[1:], timeout=2)
                process.exit(child.returncode if child.returncode is not None and child.returncode >= 0 else 255)
        finally:
            # A machine that lost its visitor ends the session's processes; so does this one.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            for task in (*pumps, closed):
                task.cancel()
            await asyncio.gather(*pumps, closed, ended, return_exceptions=True)


async def _feed(source: asyncssh.SSHReader[bytes], target: asyncio.StreamWriter | None) -> None:
    if target is None:
        return
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()


async def _drain(source: asyncio.StreamReader | None, target: asyncssh.SSHWriter[bytes]) -> None:
    if source is None:
        return
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
