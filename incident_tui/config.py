"""Composes the settings that each room declares, from one TOML file. No room imports this module.

Every mistake is one sentence: the file, the key path, the value, and how to mend it. Files that the settings point to
are not opened here; `missing_files` tells. What every command needs is in `essentials`, which a mistake in the rest of
the file does not touch: somebody may always log a line.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from incident_tui import essentials
from incident_tui.essentials import ConfigError, Essentials, StrPath
from incident_tui.fleet.settings import Fleet, Host
from incident_tui.hosts.settings import Thresholds
from incident_tui.incident import policy, roster
from incident_tui.incident.settings import COMMAND_MODES, Commands, Roster
from incident_tui.incident.verbs import AUDIENCES
from incident_tui.mistakes import nearest, show
from incident_tui.replica import settings as replica
from incident_tui.replica import sync_settings as syncs
from incident_tui.replica.settings import Replica
from incident_tui.replica.sync_settings import Sync
from incident_tui.report.settings import Report, absolute
from incident_tui.text import redact, sanitise
from incident_tui.ui.settings import Screen
from incident_tui.watch.alerts import settings as outside
from incident_tui.watch.alerts.settings import AlertRule, AlertSource, Hook, Listener
from incident_tui.watch.chat.compose import SENDS
from incident_tui.watch.chat.kinds import KINDS, mistake
from incident_tui.watch.rooms import settings as rooms
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.settings import ChatSink, Site, Watch

__all__ = ["ConfigError", "Settings", "load", "locate", "missing_files", "parse"]

ROLES: Final = ("docker", "gluster")
COMMAND_KEYS: Final = ("own", "hosts")
_SECRET_KEYS: Final = re.compile(r"(?i)^(url|token|secret|password|passwd|api_?key|webhook(_url)?|passphrase)$")


class Settings(Essentials, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything in config.toml. Paths are absolute after `load`."""

    rosters: tuple[Roster, ...] = ()
    hosts: tuple[Host, ...] = ()
    sites: tuple[Site, ...] = ()
    chat: tuple[ChatSink, ...] = ()
    alerts: tuple[AlertSource, ...] = ()
    alert_rules: tuple[AlertRule, ...] = ()
    listener: Listener = Listener()
    hooks: tuple[Hook, ...] = ()
    rooms: tuple[Room, ...] = ()
    replica: Replica = Replica()
    sync: tuple[Sync, ...] = ()
    thresholds: Thresholds = Thresholds()
    fleet: Fleet = Fleet()
    commands: Commands = Commands()
    watch: Watch = Watch()
    screen: Screen = Screen()
    report: Report = Report()


def locate(given: str | None, environ: Mapping[str, str], cwd: StrPath, home: StrPath) -> Path | None:
    """As `essentials.locate`, as a Path."""
    found = essentials.locate(given, environ, cwd, home)
    return None if found is None else Path(found)


def load(path: Path) -> Settings:
    """Reads and checks one file. Raises ConfigError with one sentence."""
    return parse(essentials.read(path), path)


def parse(raw: bytes, path: Path) -> Settings:
    """The settings in `raw`; `path` is for the sentences and is where relative paths start."""
    data = essentials.decode(raw, path)
    _refuse_secrets(data, path)
    settings = essentials.convert(data, Settings, path)
    _check(settings, path)
    return _absolute(settings, path)


def _refuse_secrets(data: Mapping[str, Any], path: Path) -> None:
    """A credential in the file would end up in backups, screens and version control."""
    for table in ("alerts", "hooks", "listener", "rooms", "replica"):
        rows = data.get(table)
        for row in rows if isinstance(rows, list) else [rows]:
            for key in row if isinstance(row, dict) else []:
                if _SECRET_KEYS.match(key) and key != "url":
                    raise ConfigError(
                        f"{path}: {table}: {sanitise(key)}: a secret may not stand in this file; put it in an "
                        f"environment variable or a private file and name that with {key}_env or {key}_file"
                    )
    sinks = data.get("chat")
    for number, sink in enumerate(sinks if isinstance(sinks, list) else []):
        for key in sink if isinstance(sink, dict) else []:
            if _SECRET_KEYS.match(key):
                raise ConfigError(
                    f"{path}: chat[{number}].{sanitise(key)}: a secret may not stand in this file; put it in an "
                    f"environment variable or a private file and name that with url_env or url_file, or with token_env "
                    f"or token_file"
                )
    for where, value in _strings(data, ""):
        if redact(value)[1]:
            raise ConfigError(
                f"{path}: {where.lstrip('.')}: this looks like a secret, and none may stand in this file; "
                f"name an environment variable (url_env, token_env) or a private file (url_file, token_file) instead"
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
    essentials.check(settings, path)
    essentials.check_names(path, "hosts", names)
    essentials.check_names(path, "sites", [site.name for site in settings.sites])
    essentials.check_names(path, "chat", [sink.name for sink in settings.chat])
    for number, host in enumerate(settings.hosts):
        _one_of(path, f"hosts[{number}].roles", host.roles, ROLES)
        if not 0 <= host.port <= 65535:
            raise ConfigError(f"{path}: hosts[{number}].port = {host.port}: a port is 1 to 65535, or 0 for the default")
    for number, site in enumerate(settings.sites):
        _one_of(path, f"sites[{number}].hosts", site.hosts, names)
        if not re.match(r"https?://[^/\s]+", site.url):
            raise ConfigError(
                f"{path}: sites[{number}].url = {show(site.url)}: write it as https://name/ or http://name/"
            )
    for number, sink in enumerate(settings.chat):
        _one_of(path, f"chat[{number}].kind", (sink.kind,), KINDS)
        _one_of(path, f"chat[{number}].send", sink.send, SENDS)
        _one_of(path, f"chat[{number}].audiences", sink.audiences, AUDIENCES)
        if wrong := mistake(sink):
            raise ConfigError(f"{path}: chat[{number}]{wrong}")
    essentials.check_names(path, "alerts", [source.name for source in settings.alerts])
    essentials.check_names(path, "hooks", [hook.name for hook in settings.hooks])
    people, levels = [person.name for person in settings.people], [one.level for one in settings.severities]
    essentials.check_names(path, "rooms", [room.name for room in settings.rooms])
    essentials.check_names(path, "sync", [peer.name for peer in settings.sync])
    found = [
        *outside.problems(settings, people, levels),
        *rooms.problems(settings.rooms, people),
        *replica.problems(settings.replica),
        *syncs.problems(settings.sync),
    ]
    for key, problem in found:
        raise ConfigError(f"{path}: {key}: {sanitise(redact(problem)[0], limit=300)}")
    if settings.fleet.gluster_seconds < 30:
        raise ConfigError(
            f"{path}: fleet.gluster_seconds = {settings.fleet.gluster_seconds}: "
            f"at least 30, because these commands lock the cluster"
        )
    for number, one in enumerate(settings.rosters):
        _check_roster(one, f"rosters[{number}]", [person.name for person in settings.people], path)
    essentials.check_names(path, "rosters", [one.name for one in settings.rosters])
    _check_commands(settings, path)
    check_report(settings.report, path)
    _check_numbers(settings, path)


def _check_roster(one: Roster, key: str, people: Sequence[str], path: Path) -> None:
    named = (*one.people, *one.escalation, *(override.who for override in one.overrides))
    _one_of(path, f"{key}.people", named, people)
    if not one.people:
        raise ConfigError(f"{path}: {key}.people: name at least one person")
    if not essentials.known_zone(one.time_zone):
        zone = f"{key}.time_zone = {show(one.time_zone)}"
        raise ConfigError(f"{path}: {zone}: no such zone; write one like Europe/Madrid")
    if roster.handover(one.handover) is None:
        raise ConfigError(f'{path}: {key}.handover = {show(one.handover)}: write a day and a time, "monday 09:00"')
    if roster.day(one.first) is None:
        raise ConfigError(f'{path}: {key}.first = {show(one.first)}: write a day, "2026-01-05"')
    for number, override in enumerate(one.overrides):
        begin, end = (roster.local(text, one.time_zone) for text in (override.since, override.until))
        for name, text, at in (("since", override.since, begin), ("until", override.until, end)):
            if at is None:
                where = f"{key}.overrides[{number}].{name} = {show(text)}"
                raise ConfigError(f'{path}: {where}: write a day and a time, "2026-12-24 09:00"')
        if begin is not None and end is not None and begin >= end:
            raise ConfigError(f"{path}: {key}.overrides[{number}]: it ends before it begins; exchange since and until")


def _check_commands(settings: Settings, path: Path) -> None:
    commands = settings.commands
    _one_of(path, "commands.mode", (commands.mode,), COMMAND_MODES)
    _one_of(path, "commands.keys", (commands.keys,), COMMAND_KEYS)
    _one_of(path, "commands.roles", tuple(commands.roles), ("commander", *settings.command.roles))
    for role, mode in commands.roles.items():
        _one_of(path, f"commands.roles.{role}", (mode,), COMMAND_MODES)
    for key in ("read", "changes"):
        for number, pattern in enumerate(getattr(commands, key)):
            if not policy.is_pattern(pattern):
                where = f"{path}: commands.{key}[{number}] = {show(pattern)}"
                raise ConfigError(f'{where}: write words as a shell splits them, "docker ps ..."')
    if commands.seconds < 1:
        raise ConfigError(f"{path}: commands.seconds = {commands.seconds}: seconds, 1 or more")


def check_report(report: Report, path: StrPath) -> None:
    """What a type cannot say of this table. Raises ConfigError."""
    if report.redact:
        from incident_tui.report.redacting import BadPattern, redactor

        try:
            redactor(report.redact)
        except BadPattern as error:
            where = f"report.redact[{error.number}] = {show(report.redact[error.number])}"
            raise ConfigError(f"{path}: {where}: {error.sentence}") from error
    if report.skip:
        from incident_tui.report.rules import RULES

        for word in report.skip:
            if word not in RULES:
                raise ConfigError(f"{path}: report.skip: {show(word)} is not known; {nearest(word, list(RULES))}")


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
            raise ConfigError(f"{path}: {key}: {show(word)} is not known; {nearest(word, known)}")


def _absolute(settings: Settings, path: Path) -> Settings:
    base = path.absolute().parent

    def full(value: str) -> str:
        return str(base / os.path.expanduser(value)) if value else ""

    replace = msgspec.structs.replace
    hosts = tuple(
        replace(host, identity_file=full(host.identity_file), known_hosts=full(host.known_hosts))
        for host in settings.hosts
    )
    chat = tuple(
        replace(
            sink,
            url_file=full(sink.url_file),
            token_file=full(sink.token_file),
            path=full(sink.path),
            command=tuple(full(word) if not at and "/" in word else word for at, word in enumerate(sink.command)),
        )
        for sink in settings.chat
    )
    alerts = tuple(outside.absolute(source, full) for source in settings.alerts)
    hooks = tuple(outside.absolute(hook, full) for hook in settings.hooks)
    settings = replace(settings, alerts=alerts, hooks=hooks, listener=outside.absolute(settings.listener, full))
    read = tuple(
        replace(room, token_file=full(room.token_file), app_token_file=full(room.app_token_file))
        for room in settings.rooms
    )
    peers = tuple(syncs.absolute(peer, full) for peer in settings.sync)
    settings = replace(settings, rooms=read, replica=replica.absolute(settings.replica, full), sync=peers)
    report = absolute(settings.report, base)
    return essentials.with_absolute(replace(settings, hosts=hosts, chat=chat, report=report), path)


def missing_files(settings: Settings, path: Path | None) -> list[str]:
    """A sentence for each file the settings name that cannot be read, and each secret that is not set."""
    problems: list[str] = []
    books = settings.playbooks.directory
    if books and not os.access(books, os.R_OK | os.X_OK):
        problems.append(f"{path}: playbooks.directory = {show(books)}: this directory cannot be read")
    own = settings.report.directory
    if own and not os.access(own, os.R_OK | os.X_OK):
        problems.append(f"{path}: report.directory = {show(own)}: this directory cannot be read")
    for table in ("hosts", "sync"):
        for number, host in enumerate(getattr(settings, table)):
            for key in ("identity_file", "known_hosts"):
                value = getattr(host, key)
                if value and not os.access(value, os.R_OK):
                    state = "cannot be read; mend its rights" if os.path.exists(value) else "no such file"
                    problems.append(f"{path}: {table}[{number}].{key} = {show(value)} ({host.name}): {state}")
    for number, sink in enumerate(settings.chat):
        if sink.command and shutil.which(sink.command[0]) is None:
            problems.append(f"{path}: chat[{number}].command: there is no program {show(sink.command[0])}")
    for key, variable, file in [
        *_chat_secrets(settings),
        *outside.secrets_named(settings),
        *rooms.secrets_named(settings.rooms),
        *replica.secrets_named(settings.replica),
    ]:
        if variable and not os.environ.get(variable):
            problems.append(f"{path}: {key} = {variable}: this variable is not set; export it first")
        elif file and not os.access(file, os.R_OK):
            problems.append(f"{path}: {key} = {show(file)}: this file cannot be read")
        elif file and os.stat(file).st_mode & 0o077:
            problems.append(f"{path}: {key} = {show(file)}: others can read it; chmod 600 it")
    return problems


def _chat_secrets(settings: Settings) -> list[tuple[str, str, str]]:
    """As `outside.secrets_named`, of the chat sinks."""
    found = []
    for number, sink in enumerate(settings.chat):
        for name in ("url", "token"):
            key = f"chat[{number}].{name}"
            found.append((f"{key}_env", getattr(sink, f"{name}_env"), ""))
            found.append((f"{key}_file", "", getattr(sink, f"{name}_file")))
    return found
