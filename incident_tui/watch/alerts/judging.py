"""What the rules of the configuration make of an alert: ignored, how bad, of which group, declares. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from incident_tui.watch.alerts.alert import Alert
from incident_tui.watch.alerts.settings import AlertRule, AlertSource

_LEVELS: Final = {
    **dict.fromkeys(
        ("critical", "crit", "page", "emergency", "fatal", "disaster", "high", "p1", "sev1", "error"), "crit"
    ),
    **dict.fromkeys(("info", "information", "informational", "notice", "debug"), "info"),
}
_NONE: Final = "none"
"""What Prometheus gives the alerts that fire always (Watchdog): nothing is wrong."""
_HOSTS: Final = ("host", "hostname", "instance", "node", "nodename", "server", "target")


class Judged(msgspec.Struct, frozen=True):
    """An alert, and what is to become of it. `group` is of its source; `host` is a configured one, or ""."""

    alert: Alert
    level: str
    """crit, warn or info."""
    group: str
    host: str
    rule: AlertRule | None = None

    @property
    def cluster(self) -> tuple[str, str]:
        """What folds together."""
        return (self.alert.source, self.group)

    @property
    def declares(self) -> bool:
        alert = self.alert
        return self.rule is not None and self.rule.declare and alert.status == "firing" and not alert.silenced


class Judge:
    """The rules, compiled once."""

    def __init__(
        self, rules: Sequence[AlertRule], sources: Mapping[str, AlertSource], hosts: Collection[str] = ()
    ) -> None:
        self._rules = [(rule, {name: _pattern(value) for name, value in rule.match.items()}) for rule in rules]
        self._sources = sources
        self._hosts = {host.casefold(): host for host in hosts}

    def judge(self, alert: Alert) -> Judged | None:
        """None when it is ignored."""
        rule = self._rule(alert)
        if rule is not None and rule.ignore:
            return None
        level = (rule.level if rule is not None else "") or level_of(alert.severity)
        if not level:
            return None
        return Judged(alert, level, alert.group or self._grouped(alert), self._host(alert.labels), rule)

    def _rule(self, alert: Alert) -> AlertRule | None:
        about = {"severity": alert.severity, "source": alert.source, "title": alert.title, **alert.labels}
        for rule, patterns in self._rules:
            if all(pattern.fullmatch(about.get(name, "")) for name, pattern in patterns.items()):
                return rule
        return None

    def _grouped(self, alert: Alert) -> str:
        source = self._sources.get(alert.source)
        names = source.group if source is not None else ("alertname",)
        named = [f"{name}={alert.labels[name]}" for name in names if alert.labels.get(name)]
        return ", ".join(named) or alert.title

    def _host(self, labels: Mapping[str, str]) -> str:
        """The configured host that a label names, with or without a port and a domain."""
        for name in _HOSTS:
            value = labels.get(name, "").rpartition(":")[0] or labels.get(name, "")
            for form in (value.casefold(), value.casefold().partition(".")[0]):
                if form in self._hosts:
                    return self._hosts[form]
        return ""


def level_of(severity: str) -> str:
    """crit, warn or info by the source's word, "" for what is no alert at all; an unknown word is a warning."""
    word = severity.casefold()
    return "" if word == _NONE else _LEVELS.get(word, "warn")


def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(value[1:] if value.startswith("~") else re.escape(value), re.DOTALL)
