"""`run`: a command on a host from any window, with that terminal's own input and output; the screen's entries."""

from __future__ import annotations

import asyncio
import codecs
import os
import shlex
import signal
import sys
from typing import IO, Final

import asyncssh

from incident_tui.cli.context import Context, Failure
from incident_tui.cli.machines import hosts_named
from incident_tui.cli.status import board_now
from incident_tui.desk.host_command import HostCommands, Ran, Wish
from incident_tui.desk.open import desk_on_store
from incident_tui.hosts.second_peer import at_risk
from incident_tui.incident.policy import Verdict
from incident_tui.incident.said import same
from incident_tui.incident.state import Fold
from incident_tui.journal.everything import START
from incident_tui.journal.presence import Presence
from incident_tui.journal.store import Store
from incident_tui.text import sanitise

NOT_RUN: Final = 255
"""Exit status when the command did not run or nobody saw how it ended, as ssh has it."""
_CHUNK: Final = 65536


def run(context: Context) -> int:
    """The exit status is the remote command's; 128 + its number when a signal ended it there."""
    name, *words = context.call.words
    (host,) = hosts_named(context, [name])
    command = words[0] if len(words) == 1 else shlex.join(words)
    wish = Wish.of(host.name, command, context.call.options.get("expect", ""))
    with context.store() as store:
        commands = _commands(context, store)
        verdict = commands.judge(wish)
        if verdict.refusal:
            raise Failure(verdict.refusal, 2)
        _confirm(context, wish, verdict)
        if verdict.reminder:
            print(f"incident-tui: {verdict.reminder}", file=sys.stderr)
        return asyncio.run(_run(context, commands, wish, verdict))


def _commands(context: Context, store: Store) -> HostCommands:
    settings, fold = context.settings, Fold()
    read_to = START

    def catch_up() -> None:
        nonlocal read_to
        entries, read_to = store.read_all(read_to)
        for entry in entries:
            fold.apply(entry)

    catch_up()
    return HostCommands(
        desk_on_store(store, settings, context.author, context.clock, lambda: fold, saved=context.saved),
        settings.commands,
        settings.hosts,
        settings.fleet,
        catch_up=catch_up,
        at_risk=lambda name: at_risk(board_now(context, context.clock())[0].cluster, name),
        present=lambda: [one.name for one in Presence(context.directory).people() if one.alive],
    )


def _confirm(context: Context, wish: Wish, verdict: Verdict) -> None:
    """Raises Failure when what may change something is not expected to, or is not confirmed."""
    if verdict.changes and not wish.expected:
        raise Failure(f'this may change {wish.host}: say what you expect to see, --expect "docker answers"', 2)
    for warning in verdict.warnings:
        print(f"incident-tui: {sanitise(warning)}", file=sys.stderr)
    if not verdict.confirm or context.call.flag("yes"):
        return
    try:
        with open("/dev/tty", "r+b", buffering=0) as terminal:
            terminal.write(f"Type {wish.host} to run there: {sanitise(wish.command)}\n> ".encode())
            typed = terminal.readline().decode("utf-8", "replace").strip()
    except OSError as error:
        raise Failure("there is no terminal to confirm it on; --yes confirms it", 2) from error
    if not same(typed, wish.host):
        raise Failure(f"not run: that is not {wish.host}", 1)


async def _run(context: Context, commands: HostCommands, wish: Wish, verdict: Verdict) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    out = {False: _Out(sys.stdout.buffer, stop), True: _Out(sys.stderr.buffer, stop)}
    ran = await commands.run(
        wish,
        verdict,
        stop=stop,
        output=lambda data, is_error: out[is_error].write(data),
        feed=StandardInput(),
        seconds=context.call.number("seconds"),
    )
    print(f"incident-tui: {ran.sentence}", file=sys.stderr)
    if wish.verify and ran.finished is not None and ran.finished.started:
        await _verify(commands, wish, ran, stop)
    return _status(ran)


async def _verify(commands: HostCommands, wish: Wish, ran: Ran, stop: asyncio.Event) -> None:
    print(f"incident-tui: verified in {wish.minutes} min; Ctrl+C leaves it unverified", file=sys.stderr)
    stop.clear()
    verifying = asyncio.ensure_future(commands.verify(wish, ran))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({verifying, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not verifying.done():
        verifying.cancel()
        await asyncio.gather(verifying, return_exceptions=True)
        print("incident-tui: not verified", file=sys.stderr)
    else:
        print(f"incident-tui: {sanitise(verifying.result())}", file=sys.stderr)


def _status(ran: Ran) -> int:
    done = ran.finished
    if done is None or not done.started:
        return NOT_RUN
    if done.exit is not None:
        return done.exit
    number = getattr(signal, f"SIG{done.signal}", None) if done.signal else None
    return 128 + int(number) if isinstance(number, signal.Signals) else NOT_RUN


class _Out:
    """One of our streams: as it came into a file or a pipe, made safe for a terminal."""

    def __init__(self, stream: IO[bytes], stop: asyncio.Event) -> None:
        self._stream = stream
        self._stop = stop
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace") if stream.isatty() else None

    def write(self, data: bytes) -> None:
        if self._decoder is not None:
            text = self._decoder.decode(data)
            data = sanitise(text, lines=True, limit=max(1, 4 * len(text))).encode()
        try:
            self._stream.write(data)
            self._stream.flush()
        except OSError:
            self._stop.set()  # nobody reads it any more: `… | head`


class StandardInput:
    """Our standard input to the command's, no faster than the host takes it. `fleet.remote.Input`."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._watched = False
        self._paused = False

    def attach(self, channel: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = channel
        if not self._paused:
            self.resume()

    def resume(self) -> None:
        self._paused = False
        if self._channel is None:
            return
        try:
            asyncio.get_running_loop().add_reader(self._descriptor, self._readable)
            self._watched = True
        except OSError:  # a plain file cannot be waited for: it is always ready
            asyncio.get_running_loop().call_soon(self._readable)

    def pause(self) -> None:
        self._paused = True
        self._unwatch()

    def detach(self) -> None:
        self._channel = None
        self._unwatch()

    def _unwatch(self) -> None:
        if self._watched:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._watched = False

    def _readable(self) -> None:
        channel = self._channel
        if channel is None or channel.is_closing():
            return
        try:
            data = os.read(self._descriptor, _CHUNK)
        except OSError:
            data = b""
        if data:
            channel.write(data)
        else:
            self.detach()
            channel.write_eof()
        if data and not self._watched and not self._paused:
            asyncio.get_running_loop().call_soon(self._readable)
