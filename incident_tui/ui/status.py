"""The left pane: sites, hosts, containers, GlusterFS. View -> rows, trouble first. Pure.

Each row has its findings, so that every sentence can be reached; a finding that fits no row gets one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from incident_tui.hosts.readings import HostReading, LinkState, is_stale
from incident_tui.incident.finding import Finding, Level
from incident_tui.ui.lines import LEVEL_STYLE, SYMBOL, Line, Piece, cells, cut, fit, sides
from incident_tui.ui.times import short
from incident_tui.ui.view import View
from incident_tui.ui.words import container_words, rate, volume_words
from incident_tui.watch.rows import site_max_age

WIDE: Final = 28
"""Columns from which there is room for the swap rate beside memory and load."""
_ORDER: Final = ("SITES", "HOSTS", "CONTAINERS", "GLUSTER", "OTHER")

_NO_HOSTS: Final = ("name them in config.toml", "incident-tui check tries it")


class StatusRow(msgspec.Struct, frozen=True):
    """One row. `level` None: the head of its section. `key` is stable, e.g. "host/web2"; `name` is for people."""

    section: str
    key: str
    level: Level | None
    line: Line
    findings: tuple[Finding, ...] = ()
    name: str = ""
    count: int = 1
    """How many things it stands for: all containers of a host that cannot be asked are one row."""


def status_rows(view: View, width: int) -> list[StatusRow]:
    """All rows, in sections, trouble first within each. Each line is exactly as wide as asked, or less."""
    left = list(view.findings)
    out: list[StatusRow] = []
    for section, rows in (
        ("SITES", _sites(view, width, left)),
        ("CONTAINERS", _containers(view, width, left)),
        ("GLUSTER", _gluster(view, width, left)),
        ("HOSTS", _hosts(view, width, left)),  # last, because it takes whatever else is said of a host
    ):
        out += [_head(view, section, rows, width), *_sorted(rows)] if rows or section == "HOSTS" else []
    if not view.host_names:
        for key, text in enumerate(_NO_HOSTS):
            out.append(
                StatusRow("HOSTS", f"head/{key}", None, fit([(f"   {text}", "")], width, view.look), name="HOSTS")
            )
    other = [
        _row("OTHER", f"finding/{one.rule}/{one.subject}", one.level, one.sentence, "", width, view, [one])
        for one in left
    ]
    if other:
        out += [_head(view, "OTHER", other, width), *_sorted(other)]
    return sorted(out, key=lambda row: _ORDER.index(row.section))


def fitted(rows: Sequence[StatusRow], height: int) -> list[StatusRow]:
    """At most `height` rows: what is well goes first, then what is unknown; what is left out is counted. When that is
    not enough, the worst rows alone, without heads: a critical one never gives way to a better one."""
    kept = list(rows)
    hidden: dict[str, list[StatusRow]] = {}
    for level in (Level.OK, Level.UNKNOWN):
        while len(kept) + len(hidden) > height:
            counts: dict[str, int] = {}
            for row in kept:
                if row.level is level:
                    counts[row.section] = counts.get(row.section, 0) + 1
            # Hiding one row alone would only replace it by the line that counts it.
            able = [name for name, count in counts.items() if name in hidden or count > 1]
            if not able:
                break
            section = max(able, key=lambda name: (counts[name], name in hidden))
            for _ in range(1 if section in hidden else 2):
                index = max(i for i, row in enumerate(kept) if row.section == section and row.level is level)
                hidden.setdefault(section, []).append(kept.pop(index))
    if len(kept) + len(hidden) > height:
        return _worst([row for row in rows if row.level is not None], height)
    out: list[StatusRow] = []
    for index, row in enumerate(kept):
        out.append(row)
        last = index + 1 == len(kept) or kept[index + 1].section != row.section
        if last and row.section in hidden:
            out.append(_more(row.section, hidden[row.section]))
    return out


def _worst(rows: Sequence[StatusRow], height: int) -> list[StatusRow]:
    ranked = _sorted(rows)
    if len(ranked) <= height:
        return ranked
    shown, left = ranked[: max(0, height - 1)], ranked[max(0, height - 1) :]
    return [*shown, _more("all", left)][:height]


def _more(section: str, rows: Sequence[StatusRow]) -> StatusRow:
    words = []
    for level in (Level.CRIT, Level.WARN, Level.UNKNOWN, Level.OK):
        count = sum(row.count for row in rows if row.level is level)
        if count:
            words.append(f"{count} more {level.value}")
    worst = max((row.level for row in rows if row.level), key=lambda level: level.rank, default=Level.OK)
    style = LEVEL_STYLE[worst] if worst is not Level.OK else ""
    findings = tuple(one for row in rows for one in row.findings)
    return StatusRow(section, f"more/{section}", worst, ((f"   {', '.join(words)}", style),), findings, "more")


def _sorted(rows: Iterable[StatusRow]) -> list[StatusRow]:
    return sorted(rows, key=lambda row: -(row.level.rank if row.level else 0))


def _head(view: View, section: str, rows: Sequence[StatusRow], width: int) -> StatusRow:
    good = sum(row.count for row in rows if row.level is Level.OK)
    text = f" {section} {good}/{sum(row.count for row in rows)}"
    right = ""
    if section == "HOSTS":
        right = f"{'mem':>4} " + (f"{'swap':>5} " if width >= WIDE else "") + f"{'load':>5} "
        right = right if rows else ""
        if not rows:
            text = " HOSTS none configured"
    if section == "GLUSTER":
        peers = view.cluster.peers
        known = sum(peer.connected is True for peer in peers)
        text = f" GLUSTER peers {known}/{len(peers)}" if peers else " GLUSTER peers ?"
    if section == "OTHER":
        text = " OTHER"
    line = sides([(text, "strong")], [(right, "")], width, view.look)
    return StatusRow(section, f"head/{section}", None, line, name=section)


def _row(
    section: str,
    key: str,
    level: Level,
    name: str,
    words: str,
    width: int,
    view: View,
    found: Sequence[Finding],
    right: Sequence[Piece] = (),
) -> StatusRow:
    """Symbol, name, words; the name gives way first, but keeps eight columns."""
    style = LEVEL_STYLE[level] if level is not Level.OK else ""
    look = view.look
    name, words = look.text(name), look.text(words)
    room = width - (3 if right else 4) - sum(cells(text) for text, _ in right)
    short_name = cut(name, room, look)
    if words and cells(name) + 2 + cells(words) > room:
        short_name = cut(name, max(8, room - 2 - cells(words)), look)
    left: list[Piece] = [(f" {SYMBOL[level]} ", LEVEL_STYLE[level]), (short_name, style)]
    if words:
        left.append((f"  {words}", style))
    return StatusRow(section, key, level, sides(left, right, width, look), tuple(found), name)


def _take(left: list[Finding], *, rule: str, subject: str = "", host: str = "") -> list[Finding]:
    """Removes and returns the findings of these rules about this subject."""
    found = [
        one
        for one in left
        if one.rule.startswith(rule)
        and (not subject or one.subject == subject or one.subject.startswith(subject + " "))
        and (not host or one.host == host)
    ]
    for one in found:
        left.remove(one)
    return found


def _level(found: Sequence[Finding]) -> Level:
    return max((one.level for one in found), key=lambda level: level.rank, default=Level.OK)


def _sites(view: View, width: int, left: list[Finding]) -> list[StatusRow]:
    rows = []
    for site in view.sites:
        found = _take(left, rule="site.", subject=site.name)
        row, level = view.site_rows.get(site.name), _level(found)
        if row is None:
            words = "not checked yet"
        elif view.now - row.at > site_max_age(site):
            words = f"checked {short(view.now - row.at)} ago"
        elif row.status is None:
            words = "no answer"
        else:
            words = str(row.status)
            if any(one.rule == "site.slow" for one in found) or (width >= 40 and row.latency_ms is not None):
                words += f" {row.latency_ms} ms"
            if any(one.rule == "site.tls-expiring" for one in found):
                words += " TLS"
        rows.append(_row("SITES", f"site/{site.name}", level, site.name, words, width, view, found))
    return rows


def _containers(view: View, width: int, left: list[Finding]) -> list[StatusRow]:
    rows = []
    for host in view.host_names:
        reading = view.hosts.get(host)
        daemon = _take(left, rule="docker.daemon", host=host) + _take(left, rule="docker.unknown", host=host)
        daemon += _take(left, rule="host.", subject=f"{host} Docker")
        containers = reading.docker.containers if reading is not None and reading.docker is not None else ()
        if daemon:
            read = f"read {short(view.now - reading.docker.at)} ago" if reading and reading.docker else "not known"
            rules = {one.rule for one in daemon}
            words = "daemon down" if "docker.daemon-down" in rules else read
            words = "daemon hangs" if "docker.daemon-hung" in rules else words
            row = _row("CONTAINERS", f"docker/{host}", _level(daemon), f"{host} docker", words, width, view, daemon)
            rows.append(msgspec.structs.replace(row, count=max(1, len(containers))))
            continue
        if reading is None or reading.docker is None:
            continue
        # What a host said before the connection was lost is no evidence that it is well.
        silent = reading.link.state is not LinkState.UP
        silent = silent or is_stale("docker", reading.docker.at, view.now, view.thresholds)
        unheard = 0
        for container in containers:
            name = container.name or container.id[:12]
            found = _take_exact(left, "docker.container-", f"{host} {name}")
            if silent and not found:
                unheard += 1
                continue
            words = container_words(container, found)
            key = f"container/{host}/{container.id}"
            rows.append(_row("CONTAINERS", key, _level(found), f"{host} {name}", words, width, view, found))
        if unheard:
            words = f"read {short(view.now - reading.docker.at)} ago"
            row = _row("CONTAINERS", f"docker/{host}", Level.UNKNOWN, f"{host} docker", words, width, view, ())
            rows.append(msgspec.structs.replace(row, count=unheard))
    return rows


def _take_exact(left: list[Finding], rule: str, subject: str) -> list[Finding]:
    found = [one for one in left if one.rule.startswith(rule) and one.subject == subject]
    for one in found:
        left.remove(one)
    return found


def _gluster(view: View, width: int, left: list[Finding]) -> list[StatusRow]:
    rows = []
    for volume in view.cluster.volumes:
        found = [
            one
            for one in left
            if one.rule.startswith("gluster.")
            and (one.subject == volume.name or one.subject.startswith(volume.name + " "))
        ]
        # A peer's own sentence about a volume has "host volume" as its subject.
        found += [
            one
            for one in left
            if one.rule.startswith("gluster.") and one.host and one.subject == f"{one.host} {volume.name}"
        ]
        for one in found:
            left.remove(one)
        words = volume_words(volume)
        words = words if width >= WIDE else words.removeprefix("bricks ")
        rows.append(_row("GLUSTER", f"volume/{volume.name}", _level(found), volume.name, words, width, view, found))
    for peer in view.cluster.peers:
        found = _take_exact(left, "gluster.peer-", f"peer {peer.name}")
        if found:
            words = {True: peer.state_text or f"state {peer.state}", False: "disconnected", None: "not known"}[
                peer.connected
            ]
            rows.append(
                _row("GLUSTER", f"peer/{peer.name}", _level(found), f"peer {peer.name}", words, width, view, found)
            )
    for host in view.host_names:
        found = [one for one in left if one.rule.startswith("gluster.") and one.host == host]
        found += [one for one in left if one.rule.startswith("host.") and one.subject == f"{host} GlusterFS"]
        for one in found:
            left.remove(one)
        if found:
            down = any(one.rule == "gluster.glusterd-down" for one in found)
            words = "glusterd down" if down else "gluster not known"
            reading = view.hosts.get(host)
            if not down and reading is not None and reading.gluster is not None:
                words = f"gluster read {short(view.now - reading.gluster.at)} ago"
            rows.append(_row("GLUSTER", f"gluster/{host}", _level(found), host, words, width, view, found))
    return rows


def _hosts(view: View, width: int, left: list[Finding]) -> list[StatusRow]:
    rows = []
    for host in view.host_names:
        found = [one for one in left if one.host == host]
        for one in found:
            left.remove(one)
        reading = view.hosts.get(host)
        level = _level(found)
        words = _silence(view, host, reading)
        right: list[Piece] = []
        if not words and reading is not None:
            right = _numbers(view, reading, found)
            right = right if width >= WIDE else [right[0], right[2]]
        rows.append(_row("HOSTS", f"host/{host}", level, host, words or _also(found), width, view, found, right))
    return rows


def _silence(view: View, host: str, reading: HostReading | None) -> str:
    """Why there are no numbers: never read, no connection, or too old. Empty when the numbers are fresh."""
    if reading is None:
        return "not read yet"
    if reading.link.state is not LinkState.UP:
        since = short(view.now - reading.link.since)
        return f"{reading.link.state.value.removeprefix('connection ')} {since}"
    field = reading.load or reading.memory
    if field is None:
        return "not read yet"
    name = "load" if reading.load is not None else "memory"
    if is_stale(name, field.at, view.now, view.thresholds):
        return f"read {short(view.now - field.at)} ago"
    return ""


def _also(found: Sequence[Finding]) -> str:
    """A word for trouble that the three numbers do not show."""
    shown = ("machine.memory", "machine.swap", "machine.load")
    words = {
        "machine.oom": "OOM",
        "disk.full": "disk",
        "disk.inodes": "inodes",
        "disk.read-only": "read-only",
        "host.clock-skew": "clock",
        "host.stuck-command": "stuck",
        "machine.pressure": "pressure",
        "host.denied": "denied",
    }
    trouble = [one for one in found if one.rule not in shown and one.level is not Level.OK]
    return next((words[one.rule] for one in trouble if one.rule in words), "")


def _numbers(view: View, reading: HostReading, found: Sequence[Finding]) -> list[Piece]:
    """Memory, swap rate and one-minute load; "-" where the host does not say, "?" where it is not known now."""

    def cell(text: str, size: int, rule: str) -> Piece:
        level = max((one.level for one in found if one.rule == rule), key=lambda one: one.rank, default=None)
        return (f"{text:>{size}} ", LEVEL_STYLE[level] if level is not None else "")

    def fresh(field: str) -> bool:
        value = getattr(reading, field)
        return value is not None and not is_stale(field, value.at, view.now, view.thresholds)

    memory = f"{reading.memory.used_percent:.0f}%" if reading.memory is not None and fresh("memory") else "?"
    swap = (
        rate(reading.swapping.pages_in + reading.swapping.pages_out) if reading.swapping and fresh("swapping") else "?"
    )
    load = f"{reading.load.one:.1f}" if reading.load is not None and fresh("load") else "?"
    return [cell(memory, 4, "machine.memory"), cell(swap, 5, "machine.swap"), cell(load, 5, "machine.load")]
