"""What a command of the one table is made of."""

from __future__ import annotations

from typing import Final

import msgspec


class Option(msgspec.Struct, frozen=True):
    """`--flag` or `--name VALUE` (`value` is then what the help calls it). `short` is one letter or empty."""

    name: str
    help: str
    value: str = ""
    short: str = ""
    completes: str = ""
    """file, directory, or words separated by spaces."""


class Command(msgspec.Struct, frozen=True):
    """One subcommand. `run` is "module:function" inside this package, imported only when the command runs."""

    name: str
    help: str
    run: str
    form: str = ""
    """The positional arguments, e.g. "TITLE" or "[INCIDENT]"; "..." after the last takes all that follow."""
    options: tuple[Option, ...] = ()
    more: str = ""
    """What `incident-tui COMMAND --help` adds."""


JSON: Final = Option("json", "print JSON; its fields are in the README")
