"""The command line. Each command imports only what it needs; `log` and `export` never import the screen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from incident_tui.cli.context import Context

FINE, PROBLEM, WRONG_USE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command: the words given, or those this process was started with, which it then ends where it can.

    Exit status: 0 fine, 1 a problem was found, 2 wrong use or configuration.
    """
    from incident_tui.cli.process import leave, start

    start()
    if argv is not None:
        return _run(list(argv))
    status = _run(sys.argv[1:])
    leave(status)
    return status


def _run(words: list[str]) -> int:
    from incident_tui.cli.options import UsageError, overview, parse, usage

    try:
        call = parse(words)
    except UsageError as error:
        return _say(error.sentence, WRONG_USE)
    from incident_tui.cli.context import Context, Failure

    context = Context(call)
    try:
        if call.flag("help"):
            print(overview() if call.command.name == "screen" and "screen" not in words else usage(call.command))
            return FINE
        try:
            return function_of(call.command.run)(context)
        finally:
            context.sign_saved()
    except Failure as failure:
        return _say(failure.sentence, failure.status)
    except UsageError as error:
        return _say(error.sentence, WRONG_USE)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`incident-tui show | head`); Python would complain again while closing stdout.
        sys.stdout = None
        return FINE
    except Exception as error:
        return _say(context.unexpected(error), PROBLEM)


def function_of(run: str) -> Callable[[Context], int]:
    """What a command of the table runs; imported now."""
    from importlib import import_module

    module, _, name = run.partition(":")
    function: Callable[[Context], int] = getattr(import_module(f"incident_tui.cli.{module}"), name)
    return function


def _say(sentence: str, status: int) -> int:
    print(f"incident-tui: {sentence}", file=sys.stderr)
    return status
