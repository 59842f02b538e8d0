"""The connection of a bastion to the NATS cluster: kept up with backoff and jitter, to any server that answers.

What uses it joins as a part: a coroutine that is started anew for each connection and cancelled when that is lost, so
that no part needs to know what a lost connection does to what it had begun. nats-py's own reconnecting is off: it would
keep what was published meanwhile in memory, and the journal has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

from incident_tui.replica.problem import ReplicaError, said
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import aloud_subject
from incident_tui.secret import SecretError, read_secret

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js import JetStreamContext

log = logging.getLogger("incident_tui.replica")

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 1.5
"""What is asked while there is no leader is never answered, so it is asked again soon."""
PING_SECONDS: Final = 2
LOST_PINGS: Final = 2
"""A server that hangs is left after about (LOST_PINGS + 1) * PING_SECONDS."""
FIRST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 10.0
LASTING_WAIT: Final = 60.0
PART_WAIT: Final = 1.0
"""The longest before a part is started again on a connection that is well."""
PENDING_BYTES: Final = 8 << 20
MISSING: Final = "[replica] needs the client of NATS: pip install 'incident-tui[replica]'"


class Session:
    """One connection. `where` is the server as NAME:PORT, `node` as it names itself."""

    def __init__(self, client: Client, where: str) -> None:
        self.client = client
        self.js: JetStreamContext = client.jetstream(timeout=ANSWER_SECONDS)
        self.where = where
        self.node = str(client._server_info.get("server_name", ""))[:64]
        self.version = str(client.connected_server_version)
        self.lost = asyncio.Event()
        self.denied = ""
        """What the server said last that this bastion may not do."""
        self.mute = False
        """The servers' configuration is older than what is said aloud, and does not let it through."""

    def leave(self) -> None:
        """Give this server up and try another one."""
        self.lost.set()


Part = Callable[[Session], Awaitable[None]]


class Connection:
    """`run` keeps it up until it is cancelled. `session` is None and `problem` a sentence while there is none."""

    def __init__(
        self,
        settings: Replica,
        inbox: str,
        *,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`inbox`: one word, of this bastion alone; what the servers answer comes to `_INBOX_<inbox>.>`."""
        self._settings = settings
        self._inbox = inbox
        self._sleep = sleep
        self._jitter = jitter
        self._parts: list[tuple[str, Part]] = []
        self._last = ""
        self.session: Session | None = None
        self.problem = "not connected yet"

    def join(self, name: str, part: Part) -> None:
        """Before `run`. A part that ends or raises ReplicaError is started again after a while, the others go on."""
        self._parts.append((name, part))

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                session = await self._connect()
            except ReplicaError as error:
                if error.sentence != self.problem:
                    log.warning("replica: %s", error.sentence)
                self.problem = error.sentence
                await self._sleep(self._wait(failures, error.lasting))
                failures += 1
                continue
            failures = 0
            self.session, self.problem = session, ""
            log.info("replica: connected to %s", session.where)
            try:
                await self._use(session)
            finally:
                self.session, self.problem = None, f"the connection to {session.where} was lost"
                await _close(session.client)
            await self._sleep(FIRST_WAIT * self._jitter())

    def _wait(self, failures: int, lasting: bool) -> float:
        longest = LASTING_WAIT if lasting else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(failures, 10))
        return longest * (0.5 + self._jitter() / 2)

    async def _connect(self) -> Session:
        """The first server that answers; the one that was left last comes last. Raises ReplicaError."""
        urls = list(self._settings.servers)
        random.shuffle(urls)
        urls.sort(key=lambda url: url == self._last)
        problems: list[ReplicaError] = []
        for url in urls:
            try:
                session = await connect(self._settings, url, self._inbox)
            except ReplicaError as error:
                problems.append(error)
                continue
            self._last = url
            return session
        lasting = all(error.lasting for error in problems)
        raise ReplicaError("; ".join(error.sentence for error in problems), lasting=lasting)

    async def _use(self, session: Session) -> None:
        """Runs the parts until the connection is lost."""
        tasks = [asyncio.create_task(self._keep(name, part, session), name=name) for name, part in self._parts]
        try:
            await session.lost.wait()
        finally:
            await end(tasks)

    async def _keep(self, name: str, part: Part, session: Session) -> None:
        failures = 0
        while not session.lost.is_set():
            lasting = False
            try:
                await part(session)
            except ReplicaError as error:
                lasting = error.lasting
                log.warning("replica: %s: %s", name, error.sentence)
            except Exception as error:
                # Its text may hold what was sent; a lost connection shows itself in many ways.
                log.warning("replica: %s: %s", name, type(error).__name__)
            await self._sleep(self._wait(failures, True) if lasting else min(PART_WAIT, self._wait(failures, False)))
            failures += 1


async def together(*doing: Coroutine[Any, Any, None]) -> None:
    """Runs all until one of them ends or this is cancelled; all have ended then. Raises what that one raised."""
    tasks = [asyncio.create_task(one) for one in doing]
    try:
        for ended in (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]:
            ended.result()
    finally:
        await end(tasks)


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancels them until they have ended. Once is not enough: what waits by `asyncio.wait_for`, as nats-py does, loses
    a cancellation that comes with its answer (Python before 3.12)."""
    cancelled = False
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        try:
            left = (await asyncio.wait(left, timeout=0.5))[1]
        except asyncio.CancelledError:
            cancelled = True
            left = {task for task in left if not task.done()}
    if cancelled:
        raise asyncio.CancelledError


async def connect(settings: Replica, url: str, inbox: str) -> Session:
    """A session with this server. Raises ReplicaError."""
    where = url.partition("://")[2]
    try:
        client = _client()
        options = await asyncio.to_thread(_options, settings, url.startswith("tls://"))
    except SecretError as error:
        raise ReplicaError(str(error), lasting=True) from None
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ReplicaError(f"the files for TLS cannot be used ({type(error).__name__}); see [replica]") from None
    errors: list[Exception] = []
    session: list[Session] = []
    aloud = aloud_subject(settings.stream, "").lower()

    async def failed(error: Exception) -> None:
        errors.append(error)
        del errors[:-3]
        text = str(error).lower()
        if not session or "permissions violation" not in text:
            return
        if aloud in text:
            session[0].mute = True
        elif "_inbox_" not in session[0].denied:
            session[0].denied = text

    async def closed() -> None:
        if session:
            session[0].lost.set()

    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.connect(
                [url],
                name=f"incident-tui {inbox}",
                error_cb=failed,
                closed_cb=closed,
                allow_reconnect=False,
                connect_timeout=int(CONNECT_SECONDS),
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                ping_interval=PING_SECONDS,
                max_outstanding_pings=LOST_PINGS,
                pending_size=PENDING_BYTES,
                inbox_prefix=f"_INBOX_{inbox}",
                no_echo=False,
                **options,
            )
    except Exception as error:  # a seed that is none raises what its library likes
        await _close(client)
        raise said(_first(error, errors), where) from None
    except BaseException:
        await _close(client)
        raise
    made = Session(client, where)
    session.append(made)
    if client.is_closed:
        made.lost.set()
    return made


def _first(error: Exception, told: Sequence[Exception]) -> Exception:
    """That there is no server left says nothing; what was told before says why."""
    from nats.errors import NoServersError

    return told[-1] if isinstance(error, NoServersError | TimeoutError) and told else error


def _client() -> Client:
    """Raises ReplicaError where nats-py is not installed."""
    try:
        from nats.aio.client import Client
        from nats.errors import Error
    except ImportError:
        raise ReplicaError(MISSING, lasting=True) from None

    class OnlyEncrypted(Client):
        """nats-py encrypts when the server asks for it, and so would say a password in the clear to whoever sits
        between and does not ask, although the URL says tls://."""

        def _connect_command(self) -> bytes:
            server = self._current_server
            if server is not None and server.uri.scheme == "tls" and not is_encrypted(self):
                raise Error("it does not offer TLS, and the configuration says tls://")
            return super()._connect_command()

    return OnlyEncrypted()


def is_encrypted(client: Client) -> bool:
    writer = getattr(client._transport, "_io_writer", None)
    return writer is not None and writer.get_extra_info("ssl_object") is not None


def _options(settings: Replica, encrypted: bool) -> dict[str, Any]:
    """Credentials, read anew for each connection, so that a mended file needs no restart. Raises SecretError."""
    options: dict[str, Any] = {}
    if encrypted or settings.ca_file:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        options["tls"] = context
    if settings.credentials_file:
        read_secret("", settings.credentials_file)
        options["user_credentials"] = settings.credentials_file
    elif settings.nkey_file:
        options["nkeys_seed_str"] = read_secret("", settings.nkey_file)
    elif settings.user:
        options["user"] = settings.user
        options["password"] = read_secret(settings.password_env, settings.password_file)
    return options


async def _close(client: Client) -> None:
    """Never raises and never hangs: a server that was stopped takes nothing any more."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1.0):
            await client.close()
    transport = getattr(client._transport, "_io_writer", None)
    if transport is not None:
        transport.transport.abort()
