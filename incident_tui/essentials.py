"""What every command needs of config.toml: where the file is, the journal, the people, the severities.

Apart from `config`, which reads all of the file, because `incident-tui log` must start in milliseconds and must work
while somebody has just broken the table of a host. So no regular expression and no pathlib here: paths are texts. Each
mistake is one sentence: the file, the key path, the value, and how to mend it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
import tomli

from incident_tui.incident.age import days_of
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Playbooks, Severity
from incident_tui.journal.settings import JournalSettings
from incident_tui.text import sanitise

VARIABLE: Final = "INCIDENT_TUI_CONFIG"

StrPath = str | os.PathLike[str]


class ConfigError(Exception):
    """The configuration cannot be used; `sentence` says what, where and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Essentials(msgspec.Struct, frozen=True, kw_only=True):
    """`config.Settings` adds the rest. Directories are absolute after `load`, or empty."""

    journal: JournalSettings = JournalSettings()
    people: tuple[Person, ...] = ()
    severities: tuple[Severity, ...] = DEFAULT_SEVERITIES
    command: Command = Command()
    playbooks: Playbooks = Playbooks()


def search_path(environ: Mapping[str, str], cwd: StrPath, home: StrPath) -> list[str]:
    """Where a configuration is looked for, first hit wins, when no --config is given."""
    found = [environ[VARIABLE]] if environ.get(VARIABLE) else []
    user = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    return [*found, f"{cwd}/config.toml", f"{user}/incident-tui/config.toml", "/etc/incident-tui/config.toml"]


def locate(given: str | None, environ: Mapping[str, str], cwd: StrPath, home: StrPath) -> str | None:
    """The file to read, or None when there is none and none was named.

    Raises ConfigError when a file was named (by --config or the variable) and is not there.
    """
    named = given or environ.get(VARIABLE)
    if named:
        path = os.path.expanduser(named)
        if not os.path.isfile(path):
            origin = "--config" if given else f"${VARIABLE}"
            raise ConfigError(f"{path}: no such file, named by {origin}; give the path of an existing config.toml")
        return path
    return next((path for path in search_path(environ, cwd, home) if os.path.isfile(path)), None)


def load(path: StrPath) -> Essentials:
    """Reads and checks these tables of one file; mistakes in others are not looked for. Raises ConfigError."""
    data = decode(read(path), path)
    found = convert(data, Essentials, path)
    check(found, path)
    return with_absolute(found, path)


def read(path: StrPath) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); mend its rights or name another file") from error


def decode(raw: bytes, path: StrPath) -> dict[str, Any]:
    try:
        return tomli.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from error
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {sanitise(str(error), limit=200)}") from error


Tables = TypeVar("Tables", bound=Essentials)
Directory = TypeVar("Directory", JournalSettings, Playbooks)


def convert(data: Mapping[str, Any], kind: type[Tables], path: StrPath) -> Tables:
    """The tables of `kind` in `data`. Raises ConfigError for an unknown key, a missing one, or a wrong type."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        from incident_tui.mistakes import mistake  # only a wrong file pays for saying what is wrong

        raise ConfigError(mistake(str(error), data, kind, path)) from error


def check(settings: Essentials, path: StrPath) -> None:
    """What a type cannot say. Raises ConfigError."""
    check_names(path, "people", [person.name for person in settings.people])
    for number, person in enumerate(settings.people):
        if person.time_zone != "UTC" and not known_zone(person.time_zone):
            raise _wrong(
                path, f"people[{number}].time_zone", person.time_zone, "no such zone; write one like Europe/Madrid"
            )
    levels = [severity.level for severity in settings.severities]
    if sorted(set(levels)) != sorted(levels) or any(level < 1 for level in levels) or not levels:
        raise ConfigError(f"{path}: severities: give each its own level, 1 (worst) or more")
    for word in settings.command.roles:
        if not word.isprintable() or " " in word or word.lower() in ("", "commander", "ic"):
            raise _wrong(path, "command.roles", word, "one word each; the commander is always there")
    for key in ("callout_minutes", "first_update_minutes", "internal_minutes", "exec_minutes", "ack_minutes"):
        if getattr(settings.command, key) < 0:
            raise _wrong(path, f"command.{key}", str(getattr(settings.command, key)), "minutes, 0 or more")
    letter = settings.journal.letter
    if len(letter) != 1 or not "a" <= letter <= "z":
        raise _wrong(path, "journal.letter", letter, "one letter from a to z")
    if settings.journal.keep and days_of(settings.journal.keep) is None:
        raise _wrong(path, "journal.keep", settings.journal.keep, "days, weeks or years, like 365d")
    if settings.journal.sign not in ("off", "agent"):
        raise _wrong(path, "journal.sign", settings.journal.sign, "off, or agent")


def check_names(path: StrPath, table: str, names: Sequence[str]) -> None:
    """Each is one word and none is there twice, whatever the case. Raises ConfigError."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        key = f"{table}[{number}].name"
        if name[:1] in (".", "-") or not all(one.isalnum() or one in "._-" for one in name) or not name:
            raise _wrong(path, key, name, "use one word of letters, digits, '.', '-' and '_'")
        first = seen.setdefault(name.lower(), number)
        if first != number:
            raise _wrong(path, key, name, f"already the name of {table}[{first}]; give each its own")


def _wrong(path: StrPath, key: str, value: str, mend: str) -> ConfigError:
    from incident_tui.mistakes import show

    return ConfigError(f"{path}: {key} = {show(value)}: {mend}")


def known_zone(name: str) -> bool:
    """Whether there is this time zone. Asks the system's files before zoneinfo, whose import costs 4 ms."""
    try:
        if ".." not in name and not name.startswith("/"):
            with open(f"/usr/share/zoneinfo/{name}", "rb") as file:
                if file.read(4) == b"TZif":
                    return True
    except (OSError, ValueError):
        pass
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def with_absolute(settings: Tables, path: StrPath) -> Tables:
    """With its directories made absolute: a relative one starts where the file is."""
    base = os.path.dirname(os.path.abspath(path))

    def full(table: Directory) -> Directory:
        if not table.directory:
            return table
        return msgspec.structs.replace(table, directory=os.path.join(base, os.path.expanduser(table.directory)))

    journal = full(settings.journal)
    if journal.sign_key:
        journal = msgspec.structs.replace(journal, sign_key=os.path.join(base, os.path.expanduser(journal.sign_key)))
    return msgspec.structs.replace(settings, journal=journal, playbooks=full(settings.playbooks))
