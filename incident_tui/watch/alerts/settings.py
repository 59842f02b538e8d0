"""Settings of alerts and of the listener: where alerts come from, what becomes of them, which hooks of chat are taken.

Read by config.py; frozen. `problems` says what a type cannot: it raises nothing, and knows neither file nor path.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

import msgspec

from incident_tui.watch.inbound.said import TAKES, Rules

KINDS: Final = ("alertmanager", "grafana", "pagerduty", "cloudevents", "generic")
HOOK_KINDS: Final = ("slack", "mattermost", "rocketchat", "zulip")
LEVELS: Final = ("crit", "warn", "info")
AUTHS: Final = ("bearer", "basic")


class AlertSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[alerts]]`: a place alerts come from: polled at `url`, or posted to the listener at /alerts/NAME."""

    name: str
    kind: str = "alertmanager"
    """alertmanager, grafana, pagerduty, cloudevents, generic."""
    url: str = ""
    """Of kind alertmanager: polled here, e.g. http://127.0.0.1:9093. Needs no open port on this side."""
    seconds: float = 10.0
    """How often it is polled."""
    matchers: tuple[str, ...] = ()
    """Only alerts that fit all of these are polled, e.g. severity="critical"."""
    group: tuple[str, ...] = ("alertname",)
    """Labels that put alerts together, where the source itself does not."""
    resolve_seconds: float = 60.0
    """A polled alert that is absent for so long is over: an Alertmanager that restarted gets its alerts anew."""
    stale_minutes: int = 300
    """A firing alert that was not heard of for so long is shown as not known."""
    auth: str = "bearer"
    """How the token goes over the wire, both ways: bearer, or basic (the token is then user:password)."""
    token_env: str = ""
    token_file: str = ""
    secret_env: str = ""
    """The secret of a signature over the body: PagerDuty, Grafana, X-Signature of generic and cloudevents."""
    secret_file: str = ""


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[alert_rules]]`: what becomes of alerts whose labels fit; the first rule that fits counts."""

    match: dict[str, str] = {}
    """Label -> value; a value that begins with ~ is a regular expression for the whole value. `source` and `title`
    stand for those of the alert. Empty: every alert."""
    ignore: bool = False
    level: str = ""
    """crit, warn or info; empty: by the alert's own severity."""
    declare: bool = False
    """One that fires declares an incident, unless one is open about the same; each episode of a group once."""
    severity: int = 2
    """Of the incident that is declared."""


class Listener(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[listener]`: the HTTP port for alerts and for hooks of chat; run by the watch."""

    bind: str = ""
    """ADDRESS:PORT, e.g. 127.0.0.1:8099; empty: no listener. Another address than loopback needs TLS and tokens."""
    token_env: str = ""
    """The token of [[alerts]] that have none of their own."""
    token_file: str = ""
    cert: str = ""
    """TLS certificate (PEM, with its chain) …"""
    key: str = ""
    """… and its private key."""

    @property
    def address(self) -> tuple[str, int]:
        """Raises ValueError when `bind` is none."""
        host, _, port = self.bind.rpartition(":")
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)

    @property
    def loopback(self) -> bool:
        return ipaddress.ip_address(self.address[0]).is_loopback


class Hook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[hooks]]`: slash commands and outgoing webhooks of a chat, posted to the listener at /chat/NAME."""

    name: str
    kind: str
    """slack (slash commands, outgoing webhooks, events), mattermost, rocketchat, zulip."""
    token_env: str = ""
    """The token the platform sends; of slack the signing secret instead."""
    token_file: str = ""
    secret_env: str = ""
    secret_file: str = ""
    take: tuple[str, ...] = ("prefix", "reaction", "thread")
    """What becomes an entry: prefix, reaction, thread, all."""
    prefix: str = "!log"
    reaction: str = "pushpin"
    people: dict[str, str] = {}
    """The platform's user id -> a name from [[people]]."""
    allow: tuple[str, ...] = ()
    """User ids whose /inc lines are carried out."""
    own: tuple[str, ...] = ()
    """User ids under which our own messages appear there."""

    @property
    def rules(self) -> Rules:
        return Rules(
            take=self.take,
            prefix=self.prefix,
            reaction=self.reaction,
            people=self.people,
            allow=self.allow,
            own=frozenset(self.own),
        )


class Parts(Protocol):
    """What is read of the configuration. `config.Settings` is one."""

    @property
    def alerts(self) -> Sequence[AlertSource]: ...
    @property
    def alert_rules(self) -> Sequence[AlertRule]: ...
    @property
    def listener(self) -> Listener: ...
    @property
    def hooks(self) -> Sequence[Hook]: ...


def secrets_named(parts: Parts) -> Iterator[tuple[str, str, str]]:
    """(key, variable, file) of every credential that is named; one of the last two is empty."""
    tables: list[tuple[str, AlertSource | Hook | Listener]] = [
        *((f"alerts[{number}]", source) for number, source in enumerate(parts.alerts)),
        ("listener", parts.listener),
        *((f"hooks[{number}]", hook) for number, hook in enumerate(parts.hooks)),
    ]
    for key, table in tables:
        for name in ("token_env", "token_file", "secret_env", "secret_file", "key"):
            value = getattr(table, name, "")
            if value:
                yield f"{key}.{name}", *((value, "") if name.endswith("_env") else ("", value))


Table = TypeVar("Table", AlertSource, Hook, Listener)


def absolute(table: Table, full: Callable[[str], str]) -> Table:
    """With its files made absolute by `full`."""
    files = {name: full(getattr(table, name)) for name in _FILES if getattr(table, name, "")}
    return msgspec.structs.replace(table, **files)


_FILES: Final = ("token_file", "secret_file", "cert", "key")


def problems(parts: Parts, people: Sequence[str], severities: Sequence[int]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong and how to mend it) for each mistake, in the file's order."""
    for number, source in enumerate(parts.alerts):
        yield from _source(f"alerts[{number}]", source, parts.listener)
    for number, rule in enumerate(parts.alert_rules):
        yield from _rule(f"alert_rules[{number}]", rule, severities)
    yield from _listener(parts)
    for number, hook in enumerate(parts.hooks):
        yield from _hook(f"hooks[{number}]", hook, people, parts.listener)


def _source(key: str, source: AlertSource, listener: Listener) -> Iterator[tuple[str, str]]:
    if source.kind not in KINDS:
        yield f"{key}.kind", f"{source.kind!r} is not known; known here: {', '.join(KINDS)}"
    if source.auth not in AUTHS:
        yield f"{key}.auth", f"{source.auth!r} is not known; known here: {', '.join(AUTHS)}"
    if source.url and source.kind != "alertmanager":
        yield f"{key}.url", "only kind alertmanager is polled; leave it out, and have alerts posted to the listener"
    if source.url and not re.match(r"https?://[^/\s@]+", source.url):
        yield f"{key}.url", "write it as http://NAME:PORT or https://NAME, without a password in it"
    if not source.url and not listener.bind:
        yield key, "nothing would ever come: give the url of an Alertmanager, or set bind in [listener]"
    for name in ("seconds", "resolve_seconds", "stale_minutes"):
        if not 0 < getattr(source, name) < float("inf"):
            yield f"{key}.{name}", "write a number above 0"
    for matcher in source.matchers:
        if not re.fullmatch(r'\s*[A-Za-z_]\w*\s*(=~|!~|!=|=)\s*("[^"]*"|[^"\s]*)\s*', matcher):
            yield f"{key}.matchers", f'{matcher!r}: write one as Alertmanager does, severity="critical"'
    yield from _one_of_two(key, "token", source.token_env, source.token_file)
    yield from _one_of_two(key, "secret", source.secret_env, source.secret_file)
    if source.kind == "pagerduty" and not (source.secret_env or source.secret_file):
        yield key, "PagerDuty signs what it sends: name the signing secret by secret_env or secret_file"


def _one_of_two(key: str, what: str, env: str, file: str) -> Iterator[tuple[str, str]]:
    if env and file:
        yield key, f"name the {what} by {what}_env or by {what}_file, not both"


def _rule(key: str, rule: AlertRule, severities: Sequence[int]) -> Iterator[tuple[str, str]]:
    for label, value in rule.match.items():
        if value.startswith("~"):
            try:
                re.compile(value[1:])
            except (re.error, OverflowError, RecursionError) as error:
                yield f"{key}.match.{label}", f"{value!r} is no regular expression ({error})"
    if rule.level and rule.level not in LEVELS:
        yield f"{key}.level", f"{rule.level!r} is not known; known here: {', '.join(LEVELS)}"
    if rule.declare and rule.ignore:
        yield key, "it cannot both ignore and declare; leave one out"
    if rule.severity not in severities:
        yield f"{key}.severity", f"there is no severity {rule.severity}; known here: {', '.join(map(str, severities))}"


def _listener(parts: Parts) -> Iterator[tuple[str, str]]:
    listener = parts.listener
    yield from _one_of_two("listener", "token", listener.token_env, listener.token_file)
    if bool(listener.cert) != bool(listener.key):
        yield "listener", "TLS needs both cert and key"
    if not listener.bind:
        return
    try:
        _, port = listener.address
    except ValueError:
        yield "listener.bind", f"{listener.bind!r}: write an IP address and a port, 127.0.0.1:8099 or [::1]:8099"
        return
    if not 0 < port < 65536:
        yield "listener.bind", f"{port} is no port; write one from 1 to 65535"
    if listener.loopback:
        return
    elsewhere = "others can reach this address: "
    if not listener.cert:
        yield "listener", f"{elsewhere}give cert and key for TLS, or bind to 127.0.0.1 behind a reverse proxy or ssh -R"
    for number, source in enumerate(parts.alerts):
        own = source.token_env or source.token_file or source.secret_env or source.secret_file
        if not (own or listener.token_env or listener.token_file):
            yield f"alerts[{number}]", f"{elsewhere}name a token for it, here or in [listener]"


def _hook(key: str, hook: Hook, people: Sequence[str], listener: Listener) -> Iterator[tuple[str, str]]:
    if hook.kind not in HOOK_KINDS:
        yield f"{key}.kind", f"{hook.kind!r} is not known; known here: {', '.join(HOOK_KINDS)}"
    if not listener.bind:
        yield key, "hooks are posted to the listener: set bind in [listener]"
    for take in hook.take:
        if take not in TAKES:
            yield f"{key}.take", f"{take!r} is not known; known here: {', '.join(TAKES)}"
    for name in hook.people.values():
        if name not in people:
            yield f"{key}.people", f"{name!r} is no name from [[people]]"
    yield from _one_of_two(key, "token", hook.token_env, hook.token_file)
    yield from _one_of_two(key, "secret", hook.secret_env, hook.secret_file)
    signed = hook.kind == "slack" and (hook.secret_env or hook.secret_file)
    if not (hook.token_env or hook.token_file or signed):
        what = "its signing secret by secret_env or secret_file" if hook.kind == "slack" else "token_env or token_file"
        yield key, f"anybody could write into the journal: name {what}"
