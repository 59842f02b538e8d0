"""Composes the settings that each room declares, from one TOML file. No room imports this module.

Every mistake is one sentence: the file, the key path, the value, and how to mend it. Files that the settings point to
are not opened here, so that a missing key of one host never stops somebody from logging a line; `missing_files` tells.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import tomli

from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Person, Severity
from incident_tui.journal.settings import JournalSettings
from incident_tui.text import redact, sanitise
from incident_tui.ui.settings import Screen
from incident_tui.watch.settings import ChatSink, Site, Watch

VARIABLE: Final = "INCIDENT_TUI_CONFIG"
ROLES: Final = ("docker", "gluster")
SENDS: Final = ("declare", "update", "severity", "status", "commander")
CHAT_KINDS: Final = ("slack",)
_SECRET_KEYS: Final = re.compile(r"(?i)^(url|token|secret|password|passwd|api_?key|webhook(_url)?|passphrase)$")
_NAME: Final = re.compile(r"^[\w][\w.-]*$")


class ConfigError(Exception):
    """The configuration cannot be used; `sentence` says what, where and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything in config.toml. Paths are absolute after `load`."""

    journal: JournalSettings = JournalSettings()
    hosts: tuple[Host, ...] = ()
    sites: tuple[Site, ...] = ()
    chat: tuple[ChatSink, ...] = ()
    people: tuple[Person, ...] = ()
    severities: tuple[Severity, ...] = DEFAULT_SEVERITIES
    thresholds: Thresholds = Thresholds()
    fleet: Fleet = Fleet()
    watch: Watch = Watch()
    screen: Screen = Screen()


def search_path(environ: Mapping[str, str], cwd: Path, home: Path) -> list[Path]:
    """Where a configuration is looked for, first hit wins, when no --config is given."""
    found = [Path(environ[VARIABLE])] if environ.get(VARIABLE) else []
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [*found, cwd / "config.toml", user / "incident-tui" / "config.toml", Path("/etc/incident-tui/config.toml")]


def locate(given: str | None, environ: Mapping[str, str], cwd: Path, home: Path) -> Path | None:
    """The file to read, or None when there is none and none was named.

    Raises ConfigError when a file was named (by --config or the variable) and is not there.
    """
    named = given or environ.get(VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            origin = "--config" if given else f"${VARIABLE}"
            raise ConfigError(f"{path}: no such file, named by {origin}; give the path of an existing config.toml")
        return path
    return next((path for path in search_path(environ, cwd, home) if path.is_file()), None)


def load(path: Path) -> Settings:
    """Reads and checks one file. Raises ConfigError with one sentence."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); mend its rights or name another file") from error
    return parse(raw, path)


def parse(raw: bytes, path: Path) -> Settings:
    """The settings in `raw`; `path` is for the sentences and is where relative paths start."""
    try:
        data = tomli.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8 text; save the file as UTF-8") from error
    except tomli.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {sanitise(str(error), limit=200)}") from error
    _refuse_secrets(data, path)
    try:
        settings = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(str(error), data, path)) from error
    _check(settings, path)
    return _absolute(settings, path.absolute().parent)


def nearest(word: str, known: Sequence[str]) -> str:
    """ " Did you mean X?" for a word close to a known one, else the known ones."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1, 0.6)
    return f"did you mean {close[0]}?" if close else "known here: " + ", ".join(known)


_AT: Final = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<where>[^`]*)`)?$", re.S)
_UNKNOWN: Final = re.compile(r"unknown field `(.*)`", re.S)


def _sentence(message: str, data: Mapping[str, Any], path: Path) -> str:
    """msgspec's message with the value and the nearest known key."""
    match = _AT.match(message)
    what, where = (match.group("what"), match.group("where") or "") if match else (message, "")
    key = where.lstrip(".")
    unknown = _UNKNOWN.search(what)
    if unknown:
        name = sanitise(unknown.group(1), limit=60)
        full = f"{key}.{name}" if key else name
        return f"{path}: {full}: there is no such key; {nearest(name, _fields_at(where))}"
    value = _value_at(data, where)
    shown = "" if value is _MISSING or isinstance(value, dict | list) else f" = {_show(value)}"
    missing = re.search(r"missing required field `(.*)`", what)
    if missing:
        return f"{path}: {key}.{missing.group(1)} is missing; add it"
    wants = re.search(r"Expected `([^`]*)`, got `([^`]*)`", what)
    if wants:
        expected, got = (_WORDS.get(word, word) for word in wants.groups())
        return f"{path}: {key}{shown}: write {expected}, not {got}"
    return f"{path}: {key}{shown}: {sanitise(what, limit=200)}"


_WORDS: Final = {
    "str": 'text in quotes, like "web1"',
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": 'a list, like ["a", "b"]',
    "object": "a table",
}
_MISSING: Final = object()


def _steps(where: str) -> list[str | int]:
    return [
        int(step[1:-1]) if step.startswith("[") else step.lstrip(".")
        for step in re.findall(r"\.[^.\[]+|\[\d+\]", where)
    ]


def _value_at(data: Any, where: str) -> Any:
    for step in _steps(where):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def _fields_at(where: str) -> tuple[str, ...]:
    current: Any = Settings
    for step in _steps(where):
        if isinstance(step, str):
            kind = next(field.type for field in msgspec.structs.fields(current) if field.name == step)
            current = kind.__args__[0] if getattr(kind, "__args__", None) else kind
    return tuple(field.name for field in msgspec.structs.fields(current))


def _show(value: object) -> str:
    return sanitise(redact(repr(value))[0], limit=80)


def _refuse_secrets(data: Mapping[str, Any], path: Path) -> None:
    """A credential in the file would end up in backups, screens and version control."""
    sinks = data.get("chat")
    for number, sink in enumerate(sinks if isinstance(sinks, list) else []):
        for key in sink if isinstance(sink, dict) else []:
            if _SECRET_KEYS.match(key):
                raise ConfigError(
                    f"{path}: chat[{number}].{sanitise(key)}: a secret may not stand in this file; put it in an "
                    f"environment variable or a private file and name that with url_env or url_file"
                )
    for where, value in _strings(data, ""):
        if redact(value)[1]:
            raise ConfigError(
                f"{path}: {where.lstrip('.')}: this looks like a secret, and none may stand in this file; "
                f"name an environment variable (url_env) or a private file (url_file) instead"
            )


def _strings(value: Any, where: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(where, value)]
    if isinstance(value, dict):
        return [
            pair for key, item in value.items() for pair in _strings(item, f"{where}.{sanitise(str(key), limit=60)}")
        ]
    if isinstance(value, list):
        return [pair for number, item in enumerate(value) for pair in _strings(item, f"{where}[{number}]")]
    return []


def _check(settings: Settings, path: Path) -> None:
    """What a type cannot say: names, duplicates, references, ranges."""
    names = [host.name for host in settings.hosts]
    _check_names(path, "hosts", names)
    _check_names(path, "sites", [site.name for site in settings.sites])
    _check_names(path, "chat", [sink.name for sink in settings.chat])
    _check_names(path, "people", [person.name for person in settings.people])
    for number, host in enumerate(settings.hosts):
        _one_of(path, f"hosts[{number}].roles", host.roles, ROLES)
        if not 0 <= host.port <= 65535:
            raise ConfigError(f"{path}: hosts[{number}].port = {host.port}: a port is 1 to 65535, or 0 for the default")
    for number, site in enumerate(settings.sites):
        _one_of(path, f"sites[{number}].hosts", site.hosts, names)
        if not re.match(r"https?://[^/\s]+", site.url):
            raise ConfigError(
                f"{path}: sites[{number}].url = {_show(site.url)}: write it as https://name/ or http://name/"
            )
    for number, sink in enumerate(settings.chat):
        _one_of(path, f"chat[{number}].kind", (sink.kind,), CHAT_KINDS)
        _one_of(path, f"chat[{number}].send", sink.send, SENDS)
        if bool(sink.url_env) == bool(sink.url_file):
            raise ConfigError(
                f"{path}: chat[{number}]: name the webhook's URL by url_env or by url_file, one of the two"
            )
    for number, person in enumerate(settings.people):
        if person.time_zone != "UTC" and not _known_zone(person.time_zone):
            raise ConfigError(
                f"{path}: people[{number}].time_zone = {_show(person.time_zone)}: "
                f"no such zone; write one like Europe/Madrid"
            )
    levels = [severity.level for severity in settings.severities]
    if sorted(set(levels)) != sorted(levels) or any(level < 1 for level in levels) or not levels:
        raise ConfigError(f"{path}: severities: give each its own level, 1 (worst) or more")
    if not re.fullmatch("[a-z]", settings.journal.letter):
        raise ConfigError(f"{path}: journal.letter = {_show(settings.journal.letter)}: one letter from a to z")
    if settings.fleet.gluster_seconds < 30:
        raise ConfigError(
            f"{path}: fleet.gluster_seconds = {settings.fleet.gluster_seconds}: "
            f"at least 30, because these commands lock the cluster"
        )
    _check_numbers(settings, path)


def _check_names(path: Path, table: str, names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        where = f"{path}: {table}[{number}].name = {_show(name)}"
        if not _NAME.match(name):
            raise ConfigError(f"{where}: use one word of letters, digits, '.', '-' and '_'")
        first = seen.setdefault(name.lower(), number)
        if first != number:
            raise ConfigError(f"{where}: already the name of {table}[{first}]; give each its own")


def _check_numbers(settings: Settings, path: Path) -> None:
    for table in ("thresholds", "fleet", "watch"):
        values = msgspec.structs.asdict(getattr(settings, table))
        for key, value in values.items():
            if not value > 0 or value == float("inf"):
                raise ConfigError(f"{path}: {table}.{key} = {value}: write a number above 0")
            if key.endswith("_warn") and values.get(key[:-4] + "crit", value) < value:
                raise ConfigError(f"{path}: {table}.{key} = {value}: must not be above {key[:-4]}crit")


def _one_of(path: Path, key: str, words: Sequence[str], known: Sequence[str]) -> None:
    for word in words:
        if word not in known:
            raise ConfigError(f"{path}: {key}: {_show(word)} is not known; {nearest(word, known)}")


def _known_zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _absolute(settings: Settings, base: Path) -> Settings:
    def full(value: str) -> str:
        return str(base / os.path.expanduser(value)) if value else ""

    replace = msgspec.structs.replace
    hosts = tuple(
        replace(host, identity_file=full(host.identity_file), known_hosts=full(host.known_hosts))
        for host in settings.hosts
    )
    chat = tuple(replace(sink, url_file=full(sink.url_file)) for sink in settings.chat)
    journal = replace(settings.journal, directory=full(settings.journal.directory))
    return replace(settings, hosts=hosts, chat=chat, journal=journal)


def missing_files(settings: Settings, path: Path | None) -> list[str]:
    """A sentence for each file the settings name that cannot be read, and each secret that is not set."""
    problems: list[str] = []
    for number, host in enumerate(settings.hosts):
        for key in ("identity_file", "known_hosts"):
            value = getattr(host, key)
            if value and not os.access(value, os.R_OK):
                state = "cannot be read; mend its rights" if os.path.exists(value) else "no such file"
                problems.append(f"{path}: hosts[{number}].{key} = {_show(value)} ({host.name}): {state}")
    for number, sink in enumerate(settings.chat):
        if sink.url_env and not os.environ.get(sink.url_env):
            problems.append(
                f"{path}: chat[{number}].url_env = {sink.url_env}: this variable is not set; export it first"
            )
        if sink.url_file and not os.access(sink.url_file, os.R_OK):
            problems.append(f"{path}: chat[{number}].url_file = {_show(sink.url_file)}: this file cannot be read")
        elif sink.url_file and os.stat(sink.url_file).st_mode & 0o077:
            problems.append(
                f"{path}: chat[{number}].url_file = {_show(sink.url_file)}: others can read it; chmod 600 it"
            )
    return problems
