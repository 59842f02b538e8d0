"""One SSH connection: options from our settings and ~/.ssh/config; every failure as a LinkState with one sentence.

A host key is always checked; nothing in ~/.ssh/config can switch that off. Sentences hold names, paths and commands
that mend, never key material or what a server may have printed before we knew who it is.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncssh
from asyncssh.constants import MSG_IGNORE
from asyncssh.packet import SSHPacket, SSHPacketLogger

from incident_tui import text
from incident_tui.fleet import hello
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.readings import LinkState

# asyncssh logs to a logger without handler, which Python would print on the screen's stderr.
logging.getLogger("asyncssh").addHandler(logging.NullHandler())
logging.getLogger("asyncssh").propagate = False

CIPHERS = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,chacha20-poly1305@openssh.com"
"""AES-GCM first: 0.65 of the client CPU of chacha20."""
LEGACY: Mapping[str, str] = {
    "kex_algs": "+diffie-hellman-group1-sha1,diffie-hellman-group-exchange-sha1",
    "mac_algs": "+hmac-md5",
    "server_host_key_algs": "+ssh-rsa,ssh-dss",
    "signature_algs": "+ssh-rsa",
}
LEGACY_CIPHERS = ",aes128-cbc,aes256-cbc,3des-cbc"


class LinkFailure(Exception):
    """A connection or channel could not be had. `sentence` says what, where and how to mend."""

    def __init__(self, state: LinkState, sentence: str) -> None:
        super().__init__(sentence)
        self.state = state
        self.sentence = sentence


class _Client(asyncssh.SSHClient):
    """Remembers the host key that was not trusted, to tell unknown from changed."""

    def __init__(self) -> None:
        self.refused: tuple[str, str, int, str] | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.refused = (host, addr, port, key.get_fingerprint())
        return False


def known_hosts_file(host: Host) -> Path:
    return Path(host.known_hosts or "~/.ssh/known_hosts").expanduser()


def _options(
    host: Host, fleet: Fleet, tunnel: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnectionOptions:
    wanted: dict[str, Any] = {
        "host": host.address or host.name,
        "encryption_algs": CIPHERS + (LEGACY_CIPHERS if host.legacy_algorithms else ""),
        "keepalive_interval": fleet.keepalive_seconds,
        "keepalive_count_max": 3,
        "connect_timeout": fleet.connect_timeout,
        "login_timeout": fleet.connect_timeout,
        "compression_algs": "none",
        "x509_trusted_certs": None,
        "client_factory": _Client,
    }
    if host.legacy_algorithms:
        wanted |= LEGACY
    if host.port:
        wanted["port"] = host.port
    if host.user:
        wanted["username"] = host.user
    if host.identity_file:
        wanted["client_keys"] = [str(Path(host.identity_file).expanduser())]
    if tunnel is not None:
        wanted["tunnel"] = tunnel
    configuration = Path("~/.ssh/config").expanduser()
    wanted["config"] = [str(configuration)] if configuration.is_file() else None
    said = None if host.known_hosts else asyncssh.SSHClientConnectionOptions(**wanted).known_hosts
    files = [str(file) for file in said if os.path.isfile(file)] if isinstance(said, list) else []
    # Always explicit: asyncssh takes "UserKnownHostsFile none" as leave to trust any key.
    default = known_hosts_file(host)
    wanted["known_hosts"] = files or (str(default) if default.is_file() else b"")
    return asyncssh.SSHClientConnectionOptions(**wanted)


def _unpadded(connection: asyncssh.SSHClientConnection) -> None:
    """Sends no empty SSH_MSG_IGNORE before every packet of ours, as asyncssh does: an encryption and a system call.
    Only CBC needs it (RFC 4253, 9.3.1)."""
    whole = connection.send_packet

    def send(pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        if pkttype != MSG_IGNORE:
            whole(pkttype, *args, handler=handler)

    if not str(connection.get_extra_info("send_cipher")).endswith("-cbc"):
        connection.send_packet = send  # type: ignore[method-assign]


def unlogged(one: SSHPacketLogger) -> None:
    """A connection or channel that words no line for each of its packets, which nobody can read: our asyncssh has no
    log (above). It is a twentieth of what a poll costs."""
    one.log_sent_packet = one.log_received_packet = _no_line  # type: ignore[method-assign]


READ_BYTES = 64 * 1024
"""Room for one read from a socket; asyncio makes four times as much for each, of which a round fills a tenth."""


def _small_reads(connection: asyncssh.SSHClientConnection) -> None:
    """Making room costs a twenty-fifth of a poll. asyncssh does not hand out its transport: without one, no harm."""
    transport: Any = getattr(connection, "_transport", None)
    if hasattr(transport, "max_size"):
        transport.max_size = READ_BYTES


def _no_line(pkttype: int, pktid: int | None, packet: bytes | SSHPacket, note: str = "") -> None:
    pass


class Connection:
    """An open connection and the one through which it goes, if any."""

    def __init__(self, ssh: asyncssh.SSHClientConnection, jump: asyncssh.SSHClientConnection | None) -> None:
        self.ssh = ssh
        self._jump = jump

    def abort(self) -> None:
        """Drop it now, without asking the other side."""
        self.ssh.abort()
        if self._jump is not None:
            self._jump.abort()

    async def close(self) -> None:
        self.ssh.close()
        try:
            async with asyncio.timeout(2):
                await self.ssh.wait_closed()
        except TimeoutError:
            self.ssh.abort()
        if self._jump is not None:
            self._jump.close()


async def connect(host: Host, fleet: Fleet) -> Connection:
    """Connect and log in. Raises LinkFailure, within twice fleet.connect_timeout and a second for each hop."""
    jump: asyncssh.SSHClientConnection | None = None
    if host.jump:
        user, _, place = host.jump.rpartition("@")
        name, _, port = place.partition(":")
        via = Host(
            name=name,
            port=int(port) if port.isdecimal() else 0,
            user=user,
            identity_file=host.identity_file,
            known_hosts=host.known_hosts,
            legacy_algorithms=host.legacy_algorithms,
        )
        try:
            jump = await _connect(via, fleet, None)
        except LinkFailure as failure:
            raise LinkFailure(failure.state, f"jump host: {failure.sentence}") from None
    try:
        return Connection(await _connect(host, fleet, jump), jump)
    except BaseException:
        if jump is not None:
            jump.abort()
        raise


async def _connect(
    host: Host, fleet: Fleet, tunnel: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    client: _Client | None = None
    try:
        if host.known_hosts and not known_hosts_file(host).is_file():
            raise LinkFailure(
                LinkState.HOST_KEY_UNKNOWN, f"{host.name}: no file {known_hosts_file(host)}; {_learn(host)}"
            )
        options = _options(host, fleet, tunnel)

        def made() -> _Client:
            nonlocal client
            client = _Client()
            return client

        async with asyncio.timeout(fleet.connect_timeout + 1):
            connection = await asyncssh.connect(
                options.host, config=None, options=options, known_hosts=options.known_hosts, client_factory=made
            )
            _unpadded(connection)
            unlogged(connection)
            _small_reads(connection)
            return connection
    except LinkFailure:
        raise
    except (asyncssh.Error, OSError, TimeoutError, ValueError) as problem:
        failure = explain(problem, host, client)
        if failure.state is LinkState.LOST and tunnel is None and await _nothing_shared(options, fleet):
            failure = _no_algorithms(host)
        raise failure from problem


async def _nothing_shared(options: asyncssh.SSHClientConnectionOptions, fleet: Fleet) -> bool:
    """Whether a server that hung up during login did so because it knows none of our algorithms."""
    theirs = await hello.offered(options.host, options.port, fleet.connect_timeout)
    return theirs is not None and not hello.shares(theirs, options.kex_algs, options.encryption_algs, options.mac_algs)


def _no_algorithms(host: Host) -> LinkFailure:
    hint = "" if host.legacy_algorithms else "; for an old server set legacy_algorithms = true"
    return LinkFailure(LinkState.ALGORITHMS, f"{_where(host)}: no common algorithms{hint}")


def _where(host: Host) -> str:
    return f"{host.name} ({place(host)})" if place(host) != host.name else host.name


def place(host: Host) -> str:
    address = host.address or host.name
    return f"{address}:{host.port}" if host.port not in (0, 22) else address


def _learn(host: Host) -> str:
    """The command that shows the key's fingerprint and, on yes, adds it."""
    words = ["ssh"]
    if host.known_hosts:
        words += ["-o", f"UserKnownHostsFile={host.known_hosts}"]
    if host.port not in (0, 22):
        words += ["-p", str(host.port)]
    target = host.address or host.name
    return "run: " + shlex.join([*words, f"{host.user}@{target}" if host.user else target, "true"])


def _forget(host: Host, name: str, port: int) -> str:
    entry = name if port in (0, 22) else f"[{name}]:{port}"
    return "if that is right, run: " + shlex.join(["ssh-keygen", "-R", entry, "-f", str(known_hosts_file(host))])


def explain(problem: BaseException, host: Host, client: _Client | None = None) -> LinkFailure:
    """What a failure to connect means."""
    where = _where(host)
    if isinstance(problem, LinkFailure):
        return problem
    if isinstance(problem, asyncssh.HostKeyNotVerifiable):
        return _host_key(problem, host, where, client)
    if isinstance(problem, asyncssh.PermissionDenied):
        return _refused(host, where)
    if isinstance(problem, asyncssh.KeyExchangeFailed):
        if "host key" in str(problem).lower() and _is_known(host):
            hint = _forget(host, host.address or host.name, host.port)
            return LinkFailure(
                LinkState.HOST_KEY_CHANGED, f"{where}: the host key is of another kind than the known one; {hint}"
            )
        return _no_algorithms(host)
    if isinstance(problem, (TimeoutError, asyncio.TimeoutError)):
        return LinkFailure(LinkState.TIMEOUT, f"{where}: no answer in time; is it up, and is port 22 open to us?")
    if isinstance(problem, asyncssh.ConnectionLost):
        return LinkFailure(LinkState.LOST, f"{where}: the connection was closed during login")
    if isinstance(problem, asyncssh.DisconnectError) and "timeout" in str(problem).lower():
        return LinkFailure(LinkState.TIMEOUT, f"{where}: no answer in time")
    if isinstance(problem, (asyncssh.KeyImportError, asyncssh.KeyEncryptionError)):
        key = host.identity_file or "a key in ~/.ssh"
        return LinkFailure(LinkState.CONFIG, f"{where}: {key} cannot be read; load it into the agent with ssh-add")
    if isinstance(problem, asyncssh.ConfigParseError):
        return LinkFailure(LinkState.CONFIG, f"{where}: ~/.ssh/config: {text.sanitise(str(problem), limit=120)}")
    if isinstance(problem, asyncssh.Error):
        return LinkFailure(LinkState.LOST, f"{where}: {text.sanitise(str(problem), limit=120)}")
    if isinstance(problem, socket.gaierror):
        return LinkFailure(LinkState.DNS, f"{where}: the name is not known; check address and DNS")
    if isinstance(problem, OSError):
        return _os_error(problem, where)
    return LinkFailure(LinkState.CONFIG, f"{where}: {text.sanitise(str(problem), limit=120)}")


def _os_error(problem: OSError, where: str) -> LinkFailure:
    if problem.filename:
        name = text.sanitise(str(problem.filename), limit=120)
        return LinkFailure(LinkState.CONFIG, f"{where}: {name}: {problem.strerror}")
    codes = {problem.errno} | {getattr(each, "errno", None) for each in getattr(problem, "exceptions", ())}
    if isinstance(problem, ConnectionRefusedError) or errno.ECONNREFUSED in codes or "Errno 111" in str(problem):
        return LinkFailure(LinkState.REFUSED, f"{where}: connection refused; is sshd running?")
    if isinstance(problem, ConnectionError):
        return LinkFailure(LinkState.LOST, f"{where}: the connection was closed during login")
    if errno.ETIMEDOUT in codes:
        return LinkFailure(LinkState.TIMEOUT, f"{where}: no answer in time")
    return LinkFailure(LinkState.UNREACHABLE, f"{where}: unreachable ({problem.strerror or type(problem).__name__})")


def _trusted(host: Host, name: str, address: str, port: int) -> bool:
    try:
        return bool(asyncssh.match_known_hosts(str(known_hosts_file(host)), name, address, port)[0])
    except (OSError, ValueError, asyncssh.Error):
        return False


def _is_known(host: Host) -> bool:
    name = host.address or host.name
    return _trusted(host, name, name, host.port or 22)


def _host_key(problem: BaseException, host: Host, where: str, client: _Client | None) -> LinkFailure:
    if client is not None and client.refused is not None:
        name, address, port, fingerprint = client.refused
        if _trusted(host, name, address, port):
            return LinkFailure(
                LinkState.HOST_KEY_CHANGED,
                f"{where}: the host key CHANGED (now {fingerprint}); {_forget(host, name, port)}",
            )
        return LinkFailure(LinkState.HOST_KEY_UNKNOWN, f"{where}: the host key is not known; {_learn(host)}")
    return LinkFailure(LinkState.HOST_KEY_UNKNOWN, f"{where}: {text.sanitise(str(problem), limit=120)}; {_learn(host)}")


def agent_is_dead(environ: Mapping[str, str] = os.environ) -> str:
    """The path of SSH_AUTH_SOCK when nobody answers there (tmux re-attached, agent gone), else ""."""
    path = environ.get("SSH_AUTH_SOCK", "")
    if not path:
        return ""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(path)
        except OSError:
            return path
    return ""


def _refused(host: Host, where: str) -> LinkFailure:
    dead = agent_is_dead()
    if dead and not host.identity_file:
        return LinkFailure(
            LinkState.AGENT_DEAD,
            f"{where}: no key: the agent at {dead} is gone; start one and set SSH_AUTH_SOCK again",
        )
    user = f" for {host.user}" if host.user else ""
    key = host.identity_file or "no key of the agent or ~/.ssh"
    said = f"{key} was refused" if host.identity_file else f"{key} was accepted"
    return LinkFailure(LinkState.KEY_REFUSED, f"{where}: {said}{user}; add the public key to its authorized_keys")
