"""The left pane: sites, hosts, containers, GlusterFS. View -> rows, trouble first. Pure.

Each row has its findings, so that every sentence can be reached; a finding that fits no row gets one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from incident_tui.hosts.blind import volume_of
from incident_tui.hosts.cluster import ClusterView
from incident_tui.hosts.readings import Container, HostReading, LinkState, is_stale
from incident_tui.incident.finding import Finding, Level
from incident_tui.ui.groups import grouped, roles_of
from incident_tui.ui.lines import LEVEL_STYLE, Look, Piece
from incident_tui.ui.status_row import StatusRow, head, hint, trouble_first
from incident_tui.ui.times import short
from incident_tui.ui.view import View
from incident_tui.ui.words import container_words, rate, volume_words
from incident_tui.watch.rows import site_max_age

WIDE: Final = 28
"""Columns from which there is room for the swap rate beside memory and load."""
_LATENCY: Final = 40
"""Columns from which there is room for the latency of a site that is well."""
_NO_HOSTS: Final = ("name them in config.toml", "incident-tui check tries it")

Placed = dict[str, list[Finding]]
"""Findings by the key of the row that shows them, worst first."""


_FRESH: Final = timedelta(seconds=5)
"""So long a row of a host stands when nothing new was read or found: its numbers grow old, as in `Session.machines`."""


class Memory:
    """What was made before, by host, for one width and look: of many hosts most say what they said."""

    def __init__(self) -> None:
        self.well: dict[str, tuple[tuple[Container, ...], list[StatusRow]]] = {}
        """Its containers and their rows, while nothing is wrong with any of them."""
        self.hosts: dict[str, tuple[HostReading, datetime, StatusRow]] = {}
        """The reading of its row, when that was made, and the row; only while the reading is fresh."""

    def row(self, host: str, reading: HostReading, found: Sequence[Finding], now: datetime) -> StatusRow | None:
        """The host's row, when it would be the same."""
        known = self.hosts.get(host)
        if known is None or known[0] is not reading or not timedelta(0) <= now - known[1] < _FRESH:
            return None
        before = known[2].findings
        same = len(before) == len(found) and all(one is other for one, other in zip(before, found, strict=True))
        return known[2] if same else None


class StatusRows:
    """The rows, made anew only when what they say may have changed: readings, findings or the width."""

    def __init__(self) -> None:
        self._made: list[StatusRow] = []
        self._grouped: list[StatusRow] = []
        self._of: tuple[int, Look] | None = None
        self._judged: ClusterView | None = None
        self._memory = Memory()

    def of(self, view: View, width: int) -> list[StatusRow]:
        """As they are shown: of many hosts those that are well are in groups."""
        self.every(view, width)
        return self._grouped

    def every(self, view: View, width: int) -> list[StatusRow]:
        """All of them, one by one."""
        # The cluster's view is made anew with every judgement: the very same one means that nothing was judged since.
        if self._of is None or self._of != (width, view.look) or self._judged is not view.cluster:
            if self._of != (width, view.look):
                self._memory = Memory()
            self._made = status_rows(view, width, self._memory)
            self._grouped = grouped(self._made, roles_of(view.hosts))
            self._of, self._judged = (width, view.look), view.cluster
        return self._made


def status_rows(view: View, width: int, memory: Memory | None = None) -> list[StatusRow]:
    """All rows, in sections, trouble first within each. Each line is exactly as wide as asked, or less. `memory` is of
    a caller that asks again."""
    memory = memory or Memory()
    placed = _placed(view)
    out: list[StatusRow] = []
    for section, rows in (
        ("ALERTS", _alerts(view, width, placed)),
        ("SITES", _sites(view, width, placed)),
        ("HOSTS", _hosts(view, width, placed, memory)),
        ("CONTAINERS", _containers(view, width, placed, memory)),
        ("GLUSTER", _gluster(view, width, placed)),
        ("OTHER", _other(view, width, placed)),
    ):
        if rows or section == "HOSTS":
            out += [_head(view, section, rows, width), *trouble_first(rows)]
        if section == "HOSTS" and not view.host_names:
            out += [hint(section, f"head/{key}", text, width, view.look) for key, text in enumerate(_NO_HOSTS)]
    return out


def _placed(view: View) -> Placed:
    """Each finding at one row, or at none ("")."""
    sites = {site.name for site in view.sites}
    hosts = set(view.host_names)
    volumes = {volume.name for volume in view.cluster.volumes}
    peers = {peer.name for peer in view.cluster.peers}
    silent = {one.host for one in view.findings if _about_daemon(one)}
    troubled = {one.host for one in view.findings if one.rule.startswith("docker.container-")} - silent
    containers = {
        f"{host} {_name(container)}": f"container/{host}/{container.id}"
        for host in view.host_names
        if host in troubled and (reading := view.hosts.get(host)) is not None and reading.docker is not None
        for container in reading.docker.containers
    }

    def place(one: Finding) -> str:
        room = one.rule.partition(".")[0]
        mine = one.subject.removeprefix(f"{one.host} ") if one.host else one.subject
        if room == "alert":
            return f"alert/{one.subject}"
        if room == "site" and one.subject in sites:
            return f"site/{one.subject}"
        if room == "docker" and one.subject in containers and one.rule.startswith("docker.container-"):
            return containers[one.subject]
        if room == "gluster":
            if one.subject.startswith("peer ") and one.subject[5:] in peers and one.rule.startswith("gluster.peer-"):
                return f"peer/{one.subject[5:]}"
            for name in (volume_of(one.subject), mine):  # a peer's own sentence about a volume is about "host volume"
                if name in volumes:
                    return f"volume/{name}"
        if one.host in hosts:
            if _about_daemon(one):
                return f"docker/{one.host}"
            if room == "gluster" or (room == "host" and mine == "GlusterFS"):
                return f"gluster/{one.host}"
            return f"host/{one.host}"
        return ""

    placed: Placed = {}
    for one in view.findings:
        placed.setdefault(place(one), []).append(one)
    return placed


def _about_daemon(one: Finding) -> bool:
    if one.rule.startswith("docker."):
        return one.rule in ("docker.unknown", "docker.daemon-down", "docker.daemon-hung")
    return one.rule.startswith("host.") and one.subject == f"{one.host} Docker"


def _name(container: Container) -> str:
    return container.name or container.id[:12]


def _head(view: View, section: str, rows: Sequence[StatusRow], width: int) -> StatusRow:
    good = sum(row.count for row in rows if row.level is Level.OK)
    text = f" {section} {good}/{sum(row.count for row in rows)}"
    right = ""
    if section == "HOSTS" and rows:
        right = f"{'mem':>4} " + (f"{'swap':>5} " if width >= WIDE else "") + f"{'load':>5} "
    elif section == "HOSTS":
        text = " HOSTS none configured"
    elif section == "GLUSTER":
        peers = view.cluster.peers
        known = sum(peer.connected is True for peer in peers)
        text = f" GLUSTER peers {known}/{len(peers)}" if peers else " GLUSTER peers ?"
    elif section == "OTHER":
        text = " OTHER"
    elif section == "ALERTS":
        fires = view.alerts.firing if view.alerts is not None else 0
        text = f" ALERTS {fires} firing"
    return head(section, text, right, width, view.look)


def _level(found: Sequence[Finding]) -> Level:
    return max((one.level for one in found), key=lambda level: level.rank, default=Level.OK) if found else Level.OK


def _row(
    key: str,
    name: str,
    words: str,
    width: int,
    view: View,
    found: Sequence[Finding],
    *,
    level: Level | None = None,
    right: tuple[Piece, ...] = (),
    count: int = 1,
) -> StatusRow:
    return StatusRow(
        _SECTION[key.partition("/")[0]],
        key,
        _level(found) if level is None else level,
        name,
        words,
        right,
        tuple(found),
        count,
        width,
        view.look,
    )


_SECTION: Final = {
    "alert": "ALERTS",
    "site": "SITES",
    "host": "HOSTS",
    "docker": "CONTAINERS",
    "container": "CONTAINERS",
    "volume": "GLUSTER",
    "peer": "GLUSTER",
    "gluster": "GLUSTER",
    "finding": "OTHER",
}


def _sites(view: View, width: int, placed: Placed) -> list[StatusRow]:
    rows = []
    for site in view.sites:
        found = placed.get(f"site/{site.name}", ())
        row = view.site_rows.get(site.name)
        if row is None:
            words = "not checked yet"
        elif view.now - row.at > site_max_age(site):
            words = f"checked {short(view.now - row.at)} ago"
        elif row.status is None:
            words = "no answer"
        else:
            words = str(row.status)
            if any(one.rule == "site.slow" for one in found) or (width >= _LATENCY and row.latency_ms is not None):
                words += f" {row.latency_ms} ms"
            if any(one.rule == "site.tls-expiring" for one in found):
                words += " TLS"
        rows.append(_row(f"site/{site.name}", site.name, words, width, view, found))
    return rows


def _containers(view: View, width: int, placed: Placed, memory: Memory) -> list[StatusRow]:
    rows, well = [], memory.well
    troubled = {key.split("/")[1] for key in placed if key.startswith("container/")}
    for host in view.host_names:
        reading = view.hosts.get(host)
        key = f"docker/{host}"
        daemon = placed.get(key, ())
        docker = reading.docker if reading is not None else None
        if daemon:
            read = f"read {short(view.now - docker.at)} ago" if docker is not None else "not known"
            rules = {one.rule for one in daemon}
            words = "daemon down" if "docker.daemon-down" in rules else read
            words = "daemon hangs" if "docker.daemon-hung" in rules else words
            count = max(1, len(docker.containers)) if docker is not None else 1
            rows.append(_row(key, f"{host} docker", words, width, view, daemon, count=count))
        if daemon or reading is None or docker is None:
            continue
        # What a host said before the connection was lost is no evidence that it is well.
        silent = reading.link.state is not LinkState.UP
        silent = silent or is_stale("docker", docker.at, view.now, view.thresholds)
        known = well.get(host)
        if known is not None and not silent and known[0] == docker.containers and host not in troubled:
            rows += known[1]
            continue
        mine, unheard = [], 0
        for container in docker.containers:
            ident = f"container/{host}/{container.id}"
            found = placed.get(ident, ())
            if silent and not found:
                unheard += 1
                continue
            words = container_words(container, found)
            mine.append(_row(ident, f"{host} {_name(container)}", words, width, view, found))
        rows += mine
        well.pop(host, None)
        if not silent and host not in troubled:
            well[host] = (docker.containers, mine)
        if unheard:
            words = f"read {short(view.now - docker.at)} ago"
            level = Level.UNKNOWN
            rows.append(_row(key, f"{host} docker", words, width, view, (), level=level, count=unheard))
    return rows


def _gluster(view: View, width: int, placed: Placed) -> list[StatusRow]:
    rows = []
    for volume in view.cluster.volumes:
        key = f"volume/{volume.name}"
        words = volume_words(volume)
        words = words if width >= WIDE else words.removeprefix("bricks ")
        rows.append(_row(key, volume.name, words, width, view, placed.get(key, ())))
    for peer in view.cluster.peers:
        key = f"peer/{peer.name}"
        if found := placed.get(key):
            said = peer.state_text or f"state {peer.state}"
            words = {True: said, False: "disconnected", None: "not known"}[peer.connected]
            rows.append(_row(key, f"peer {peer.name}", words, width, view, found))
    for host in view.host_names:
        key = f"gluster/{host}"
        if found := placed.get(key):
            rules = {one.rule for one in found}
            silent = {"gluster.glusterd-down": "glusterd down", "gluster.glusterd-hung": "glusterd hangs"}
            words = next((silent[rule] for rule in silent if rule in rules), "")
            reading = view.hosts.get(host)
            if not words and reading is not None and reading.gluster is not None:
                words = f"gluster read {short(view.now - reading.gluster.at)} ago"
            rows.append(_row(key, host, words or "gluster not known", width, view, found))
    return rows


def _hosts(view: View, width: int, placed: Placed, memory: Memory) -> list[StatusRow]:
    rows = []
    for host in view.host_names:
        found = placed.get(f"host/{host}", ())
        reading = view.hosts.get(host)
        if reading is not None and (known := memory.row(host, reading, found, view.now)) is not None:
            rows.append(known)
            continue
        words = _silence(view, host, reading)
        right: tuple[Piece, ...] = ()
        if not words and reading is not None:
            right = _numbers(view, reading, found)
            right = right if width >= WIDE else (right[0], right[2])
        row = _row(f"host/{host}", host, words or _also(found), width, view, found, right=right)
        rows.append(row)
        memory.hosts.pop(host, None)
        if reading is not None and not words:
            memory.hosts[host] = (reading, view.now, row)
    return rows


def _alerts(view: View, width: int, placed: Placed) -> list[StatusRow]:
    """What fires, one row for each group; a source that works is no row."""
    return [
        _row(key, found[0].sentence, "", width, view, found)
        for key, found in placed.items()
        if key.startswith("alert/")
    ]


def _other(view: View, width: int, placed: Placed) -> list[StatusRow]:
    return [
        _row(f"finding/{one.rule}/{one.subject}", one.sentence, "", width, view, [one]) for one in placed.get("", ())
    ]


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


def _numbers(view: View, reading: HostReading, found: Sequence[Finding]) -> tuple[Piece, ...]:
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
    return (cell(memory, 4, "machine.memory"), cell(swap, 5, "machine.swap"), cell(load, 5, "machine.load"))
