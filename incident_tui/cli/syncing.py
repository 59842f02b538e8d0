"""`sync`: exchange entries with journals on other bastions over SSH, and the other side of that."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from typing import Any, Final

import msgspec

from incident_tui import __version__
from incident_tui.cli.context import Context, Failure
from incident_tui.cli.options import UsageError
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store
from incident_tui.replica.exchange import Exchanged, Side
from incident_tui.replica.frames import ExchangeError
from incident_tui.replica.serve import serve
from incident_tui.replica.shelf import StoreShelf
from incident_tui.replica.sync_settings import Sync
from incident_tui.text import sanitise

_ALONE: Final = ("port", "command", "there", "recover")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How it went with one bastion. Entries are counted by the letter or the digits that handles show."""

    name: str
    ok: bool
    """Everything there is here now, and the other way round, and nothing is wrong."""
    letter: str = ""
    """Of the journal there."""
    sent: dict[str, int] = {}
    got: dict[str, int] = {}
    recovered: int = 0
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What is known to exist and is still not here: handles, as b40–b51."""
    seconds: float = 0.0


def sync(context: Context) -> int:
    """`sync [HOST]`, or with --serve the side that is connected to."""
    if context.call.flag("serve"):
        return _serve(context)
    peers = _peers(context)
    results = []
    with context.store() as store:
        for peer in peers:
            results.append(_with(context, store, peer))
            if not context.call.flag("json"):
                _print(results[-1])
    if context.call.flag("json"):
        print(json.dumps({"bastions": msgspec.to_builtins(results)}, indent=2))
    return 0 if all(one.ok for one in results) else 1


def tried(context: Context) -> list[tuple[str, str, bool, str]]:
    """What `check` tries: an exchange with each [[sync]]. Subject, what, whether it went well, and a sentence."""
    found = []
    for peer in context.settings.sync:
        with context.store() as store:
            result = _with(context, store, peer)
        said = result.problems[0] if result.problems else f"still missing: {', '.join(result.missing)}"
        well = f"reached, journal {result.letter}; sent {sum(result.sent.values())}, got {sum(result.got.values())}"
        found.append((peer.name, "sync", result.ok, well if result.ok else said))
    return found


def _serve(context: Context) -> int:
    if sys.stdin.isatty():
        raise Failure("sync --serve is what another bastion runs here over SSH; you want: incident-tui sync HOST", 2)
    source, target = sys.stdin.fileno(), sys.stdout.fileno()
    try:
        with context.store(create=False) as store:
            problem = serve(store, __version__, context.clock, source, target)
    except Failure as failure:
        raise Failure(f"on {sanitise(_node())}: {failure.sentence}", failure.status) from None
    if problem:
        raise Failure(problem)
    return 0


def _node() -> str:
    import os

    return os.uname().nodename


def _peers(context: Context) -> list[Sync]:
    """Whom to sync with. Raises Failure or UsageError when that is nobody."""
    options, known = context.call.options, context.settings.sync
    if not context.call.words:
        if alone := [name for name in _ALONE if name in options]:
            raise UsageError(f"--{alone[0]} is for one bastion: incident-tui sync HOST --{alone[0]} …")
        if not known:
            raise Failure("name the other bastion: incident-tui sync HOST; or add [[sync]] tables to config.toml", 2)
        return list(known)
    (word,) = context.call.words
    peer = next((one for one in known if one.name == word), None) or _by_word(context, word)
    changes: dict[str, Any] = {}
    if (port := context.call.number("port")) is not None:
        if not port.is_integer() or not 0 < port <= 65535:
            raise UsageError(f"--port {options['port']}: a port is 1 to 65535")
        changes["port"] = int(port)
    if "there" in options:
        changes["journal"] = options["there"]
    if "command" in options:
        try:
            changes["command"] = tuple(shlex.split(options["command"]))
        except ValueError as error:
            raise UsageError(f"--command: {error}") from error
        if not changes["command"]:
            raise UsageError("--command: name the program there")
    return [msgspec.structs.replace(peer, **changes)]


def _by_word(context: Context, word: str) -> Sync:
    """Of a host of [[hosts]], or user@host:port."""
    host = next((one for one in context.settings.hosts if one.name == word), None)
    if host is not None:
        return Sync(
            name=host.name,
            address=host.address,
            port=host.port,
            user=host.user,
            identity_file=host.identity_file,
            known_hosts=host.known_hosts,
            jump=host.jump,
            legacy_algorithms=host.legacy_algorithms,
        )
    user, _, place = word.rpartition("@")
    name, colon, port = place.partition(":")
    numeric = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535
    if not name or name.startswith("-") or (colon and not numeric) or not word.isprintable() or " " in word:
        raise UsageError(f"{sanitise(word, limit=60)!r}: write HOST, user@HOST or user@HOST:PORT")
    return Sync(name=name, user=user, port=int(port) if numeric else 0)


def _with(context: Context, store: Store, peer: Sync) -> Result:
    from incident_tui.replica.over_ssh import Link, directly

    side = Side(
        StoreShelf(store, context.clock), peer.name, __version__, serves=False, recover=context.call.flag("recover")
    )
    began = time.monotonic()
    failed = ""
    try:
        asyncio.run(Link(peer, context.settings.fleet, side, directly).run())
    except (ExchangeError, JournalError) as error:
        failed = error.sentence
    return _result(store, peer.name, side, failed, time.monotonic() - began, context.call.flag("recover"))


def _result(store: Store, name: str, side: Side, failed: str, seconds: float, recover: bool) -> Result:
    done = side.done
    problems = [*done.problems, *([failed] if failed else [])]
    if recover and not failed and not done.problems and not done.recovered:
        problems.append(f"{name} has nothing of this journal that is not here: there was nothing to recover.")
    missing = _missing(store)
    return Result(
        name=name,
        ok=not problems and not missing,
        letter=side.their_letter,
        sent=_by_letter(store, done, "sent"),
        got=_by_letter(store, done, "got"),
        recovered=done.recovered,
        problems=tuple(problems),
        notices=tuple(done.notices),
        missing=tuple(missing),
        seconds=round(seconds, 3),
    )


def _by_letter(store: Store, done: Exchanged, way: str) -> dict[str, int]:
    from incident_tui.journal.everything import letters

    named = letters(store)
    counted = {named.get(journal, journal[:6]): count for journal, count in getattr(done, way).items() if count}
    return dict(sorted(counted.items()))


def _missing(store: Store) -> list[str]:
    from incident_tui.journal.everything import letters

    others = store.others
    if others is None:
        return []
    named = letters(store)
    return [
        f"{named[copy.journal]}{first}" + (f"–{named[copy.journal]}{last}" if last > first else "")
        for copy in others.copies()
        for first, last in others.missing(copy.journal)
    ]


def _print(result: Result) -> None:
    name = sanitise(result.name)
    if result.letter:
        of = f"{name} ({result.letter})"
        print(f"{of}: sent {_counted(result.sent)}, got {_counted(result.got)} in {result.seconds:.1f} s")
    if result.recovered:
        print(f"{name}: {result.recovered} entries of this journal are back")
    for one in result.missing:
        print(f"{name}: still missing: {one}")
    sys.stdout.flush()
    for sentence in (*result.notices, *result.problems):
        about = "" if sentence.startswith(result.name) else f"{name}: "
        print(f"incident-tui: {about}{sanitise(sentence)}", file=sys.stderr)


def _counted(counts: dict[str, int]) -> str:
    each = ", ".join(f"{count} of {letter.rstrip(':')}" for letter, count in counts.items())
    return f"{sum(counts.values())} ({each})" if counts else "0"
