"""Commands that stay: screen, watch, demo."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from incident_tui.cli.context import DEMO_MARK, Context, Failure, log_path
from incident_tui.cli.options import Call
from incident_tui.journal.errors import JournalError

_LOG_BYTES: Final = 1_000_000


def _log_to_file(name: str) -> None:
    """Everything that would be printed goes to the log file: the terminal belongs to the screen."""
    path = log_path().with_name(f"{name}.log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    logging.basicConfig(
        handlers=[handler], level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)


def watch(context: Context) -> int:
    from incident_tui.watch.holding import watch as run
    from incident_tui.watch.outside import OutsideSettings
    from incident_tui.watch.plan import Plan

    _log_to_file("watch")
    settings = context.settings
    service = context.call.flag("service")
    wait = context.call.number("takeover-wait", float("inf") if service else 0.0) or 0.0
    plan = Plan(
        directory=context.directory,
        letter=settings.journal.letter,
        hosts=settings.hosts,
        sites=settings.sites,
        chat=settings.chat,
        fleet=settings.fleet,
        thresholds=settings.thresholds,
        watch=settings.watch,
        command=settings.command,
        severities=settings.severities,
        people=settings.people,
        rosters=settings.rosters,
        outside=OutsideSettings(
            alerts=settings.alerts,
            alert_rules=settings.alert_rules,
            listener=settings.listener,
            hooks=settings.hooks,
            rooms=settings.rooms,
        ),
        sync=settings.sync,
        replica=settings.replica,
        service=service,
        demo=context.demo,
        takeover_wait=float("inf") if wait == 0 and "takeover-wait" in context.call.options else wait,
    )
    try:
        reason = asyncio.run(run(plan, context.clock))
    except JournalError as error:
        raise Failure(error.sentence) from error
    print(f"incident-tui watch ended: {reason}")
    return 0


def start_watch(context: Context, *more: str) -> subprocess.Popen[bytes]:
    """Starts the watch in a session of its own, so that it outlives this terminal."""
    command = [sys.executable, "-m", "incident_tui", "watch", *more, "--journal", str(context.directory)]
    if context.config_path is not None:
        command += ["--config", str(context.config_path.absolute())]
    with _output() as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd="/"
        )


def _output() -> BinaryIO:
    """Where the started watch prints why it ended; without a place to write, nowhere, but it starts."""
    path = log_path().with_name("watch.out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = "wb" if path.exists() and path.stat().st_size > _LOG_BYTES else "ab"
        return cast(BinaryIO, path.open(mode))
    except OSError:
        return open(os.devnull, "wb")


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Waits for the watch in a thread, so that one that ends before the screen leaves no zombie."""
    threading.Thread(target=process.wait, daemon=True).start()


def screen(context: Context) -> int:
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise Failure("the screen needs a terminal; incident-tui status, show and log work without one", 2)
    context.settings  # noqa: B018 -- a configuration error is said before the screen is drawn
    from incident_tui.cli.signing import for_screen
    from incident_tui.journal.presence import Presence
    from incident_tui.ui.run import run
    from incident_tui.ui.settings import decided
    from incident_tui.watch.asks import ask

    _log_to_file("screen")
    chosen = decided(context.settings.screen, os.environ)
    if context.call.flag("linear"):
        chosen = msgspec.structs.replace(chosen, linear=True)
    elif chosen.linear and context.settings.screen.linear == "auto":
        print("This terminal shows lines only (TERM), so the screen comes in lines.", file=sys.stderr)
    settings = msgspec.structs.replace(context.settings, screen=chosen)
    presence = Presence(context.directory)
    with contextlib.suppress(JournalError):  # the header says what is wrong with the journal; nothing waits for this
        presence.enter(context.author.name)
    try:
        return run(
            settings=settings,
            directory=context.directory,
            author=context.author,
            start_watch=lambda: _reap(start_watch(context)),
            ask=lambda host, word: ask(context.directory, host, word),
            presence=presence,
            demo=context.demo,
            playbooks=context.playbook_directories,
            letter=context.settings.journal.letter,
            confined=bool(context.key),
            signing=for_screen(context),
        )
    finally:
        presence.leave()


def demo(context: Context) -> int:
    """The main job on embedded machines: a stage is set, the ordinary screen runs on it, the machines end with it."""
    from incident_tui.config import load
    from incident_tui.demo.scenario import ScenarioError, names
    from incident_tui.demo.stage import Stage, StageError
    from incident_tui.shipped import shipped

    scenario = context.call.options.get("scenario", "outage")
    if scenario not in names():
        raise Failure(f"there is no scenario {scenario!r}; there are {', '.join(names())}", 2)
    speed = context.call.number("speed", 1.0) or 1.0
    headless = context.call.number("headless")
    directory = Path(tempfile.mkdtemp(prefix="incident-tui-demo-"))
    given = context.call.options.get("journal")
    journal = Path(given).expanduser().absolute() if given else None
    settings = load(Path(context.call.options.get("config") or shipped("config.toml")))
    print("starting four embedded machines on loopback …", file=sys.stderr)
    try:
        with Stage(directory, journal, settings, scenario, speed) as stage:
            options = {"config": str(stage.config), "journal": str(stage.journal)}
            options["as"] = context.call.options.get("as", "ana")
            if context.call.flag("linear"):
                options["linear"] = ""
            inner = Context(Call(context.call.command, options, []))
            assert (inner.directory / DEMO_MARK).exists()
            code = _headless(inner, headless) if headless is not None else screen(inner)
            chat = stage.chat()
    except (StageError, ScenarioError) as error:
        raise Failure(str(error)) from error
    if chat and headless is None:
        print("what reached the demo's chat:\n" + chat, end="")
    print(
        f"the demo's journal is in {inner.directory}; its report: incident-tui export --journal {inner.directory}",
        file=sys.stderr,
    )
    return code


def _headless(context: Context, seconds: float) -> int:
    """Without a screen: declare, watch for a while, and print what the board says and the report."""
    from incident_tui.cli.export import export
    from incident_tui.cli.record import declare
    from incident_tui.cli.status import status

    options = context.call.options
    watching = start_watch(context, "--service")
    try:
        declare(Context(Call(context.call.command, options | {"severity": "2"}, ["demo outage"])))
        time.sleep(seconds)
        status(context)
    finally:
        watching.terminate()
        watching.wait(20)
    return export(context)
