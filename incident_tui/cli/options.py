"""Reads a command line against the table in `commands`, and prints help from it.

Our own, small parser instead of argparse, for three things it cannot do: global options before or after the command,
one sentence with the nearest known word for each mistake, and a start quick enough for `incident-tui log` in a loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from incident_tui.cli.command import Command, Option
from incident_tui.cli.commands import BY_NAME, COMMANDS, GLOBAL
from incident_tui.text import sanitise

PROGRAM: Final = "incident-tui"


class UsageError(Exception):
    """Wrong use of the command line; `sentence` says what and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Call(msgspec.Struct, frozen=True):
    """A command with its options by name ("" for a flag that is set) and its positional words."""

    command: Command
    options: dict[str, str]
    words: list[str]

    def flag(self, name: str) -> bool:
        return name in self.options

    def number(self, name: str, default: float | None = None) -> float | None:
        """The option as a number that is not negative. Raises UsageError when it is none."""
        if name not in self.options:
            return default
        try:
            value = float(self.options[name])
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise UsageError(f"--{name} {sanitise(self.options[name], limit=40)}: write a number, like 30")
        return value


def parse(argv: Sequence[str]) -> Call:
    """The call that `argv` (without the program's name) means; no command at all means the screen."""
    options: dict[str, str] = {}
    words: list[str] = []
    command: Command | None = None
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--":
            if command is None and rest:
                command = _command(rest.pop(0))
            words.extend(rest)
            break
        if word.startswith("--"):
            _long(word, rest, options, command)
        elif word.startswith("-") and len(word) > 1 and (len(word) == 2 or command is None or command.name != "log"):
            _short(word, rest, options, command)
        elif command is None:
            command = _command(word)
        else:
            words.append(word)
    command = command or BY_NAME["screen"]
    known = {option.name for option in (*GLOBAL, *command.options)}
    for name in options:
        if name not in known:
            raise UsageError(f"{command.name} has no option --{name}; see {PROGRAM} {command.name} --help")
    if "help" not in options:
        _check_words(command, words)
    return Call(command, options, words)


def _command(word: str) -> Command:
    if word not in BY_NAME:
        raise UsageError(f"there is no command {sanitise(word, limit=40)!r}; {_nearest(word, list(BY_NAME))}")
    return BY_NAME[word]


def _long(word: str, rest: list[str], options: dict[str, str], command: Command | None) -> None:
    name, equals, value = word[2:].partition("=")
    found = _find(name, command)
    if found is None:
        known = ["--" + option.name for option in _candidates(command)]
        raise UsageError(f"there is no option {sanitise(word, limit=60)}; {_nearest('--' + name, known)}")
    if equals and not found.value:
        raise UsageError(f"--{name} takes no value")
    _store(found, value if equals else None, rest, options)


def _short(word: str, rest: list[str], options: dict[str, str], command: Command | None) -> None:
    found = next((option for option in _candidates(command) if option.short == word[1]), None)
    if found is None:
        raise UsageError(f"there is no option {sanitise(word[:2])}; see {PROGRAM} --help (after -- everything is text)")
    _store(found, word[2:] or None, rest, options)


def _store(option: Option, value: str | None, rest: list[str], options: dict[str, str]) -> None:
    if option.value and value is None:
        if not rest or rest[0].startswith("--"):
            raise UsageError(f"--{option.name} needs a value: --{option.name} {option.value}")
        value = rest.pop(0)
    options[option.name] = value or ""


def _candidates(command: Command | None) -> list[Option]:
    """Before the command is known, any command's options may come: `--json status` is as good as `status --json`."""
    commands = COMMANDS if command is None else (command,)
    return [*GLOBAL, *(option for item in commands for option in item.options)]


def _find(name: str, command: Command | None) -> Option | None:
    return next((option for option in _candidates(command) if option.name == name), None)


def _check_words(command: Command, words: list[str]) -> None:
    places = command.form.split()
    least = sum(not place.startswith("[") for place in places)
    endless = "..." in command.form
    if len(words) < least:
        raise UsageError(f"{command.name} needs {' '.join(places)}: {PROGRAM} {command.name} {command.form}")
    if len(words) > len(places) and not endless:
        extra = sanitise(words[len(places)], limit=40)
        raise UsageError(f"{command.name} does not take {extra!r}: {PROGRAM} {command.name} {command.form}".rstrip())


def _nearest(word: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1, 0.5)
    return f"did you mean {close[0]}?" if close else f"see {PROGRAM} --help"


def overview() -> str:
    """The text of `incident-tui --help`."""
    wide = max(len(command.name) for command in COMMANDS)
    lines = [
        f"{PROGRAM}: incident command in a terminal. With no command, the screen.",
        "",
        f"use: {PROGRAM} [COMMAND] [OPTIONS]",
        "",
        *(f"  {command.name.ljust(wide)}  {command.help}" for command in COMMANDS),
        "",
        "with every command:",
        *_option_lines(GLOBAL),
        "",
        "Exit status: 0 fine, 1 a problem was found, 2 wrong use or configuration.",
    ]
    return "\n".join(lines)


def usage(command: Command) -> str:
    """The text of `incident-tui COMMAND --help`."""
    lines = [f"{PROGRAM} {command.name} {command.form}".rstrip(), "", command.help[0].upper() + command.help[1:] + "."]
    if command.more:
        lines += [command.more]
    return "\n".join([*lines, "", *_option_lines((*command.options, *GLOBAL))])


def _option_lines(options: Sequence[Option]) -> list[str]:
    heads = [
        (f"-{option.short}, " if option.short else "")
        + f"--{option.name}"
        + (f" {option.value}" if option.value else "")
        for option in options
    ]
    wide = max(len(head) for head in heads)
    return [f"  {head.ljust(wide)}  {option.help}" for head, option in zip(heads, options, strict=True)]
