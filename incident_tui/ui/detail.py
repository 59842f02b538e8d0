"""What Enter opens on a row of the left pane: all that is known of it, as lines. Pure.

In the order in which it is asked at night: what is wrong and how it is known, what to do next, the reading, how it came
to be, what changed lately, and at the end the text itself as the host printed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from incident_tui.hosts.judge import size
from incident_tui.hosts.raw import RawSection, RawText
from incident_tui.incident.finding import Finding, Level
from incident_tui.ui.lately import lately
from incident_tui.ui.lines import SYMBOL, Line, cells
from incident_tui.ui.page import Page
from incident_tui.ui.reading_lines import reading_lines
from incident_tui.ui.spark import spark, with_failures
from incident_tui.ui.status_row import StatusRow
from incident_tui.ui.times import clock, short
from incident_tui.ui.view import View, suggested
from incident_tui.ui.words import rate
from incident_tui.watch.answers import Answer
from incident_tui.watch.history import LOW_IS_WORSE, History, Series, span
from incident_tui.watch.impact import impact, words

_FIELD: Final = 14
"""Columns of a field's name and of the margin at the right."""
_LEAST: Final = 8
"""Glyphs of the shortest sparkline."""
_MOST: Final = 60
_LOG_LINES: Final = 8
_UNDER: Final = 12
"""Findings that are named under a site, the worst."""


class Kept(msgspec.Struct, frozen=True):
    """What the watch has kept about a row beside its reading: its numbers, and the raw texts by host."""

    history: History | None = None
    raws: Mapping[str, RawText] = {}
    log: Answer | None = None
    """The end of a container's log, when somebody has asked for it lately."""
    around: History | None = None
    """Of a container and of Docker, its host's numbers."""


def status_detail(row: StatusRow, view: View, width: int, kept: Kept = Kept()) -> list[Line]:  # noqa: B008
    """One row of the left pane. `kept`: what `hosts_of` and the row's key name."""
    page = Page(width, view.look)
    sort = row.key.partition("/")[0]
    if sort == "head":
        _section(page, row, view)
        return page.lines
    _verdict(page, row, view)
    _next(page, row, view)
    page.gap()
    reading_lines(page, view, row.key)
    _sites(page, row, view)
    if sort in ("host", "site", "volume") or (sort == "container" and kept.history is not None):
        _numbers(page, row.key, kept.history, view)
    if (host := host_of(row.key)) and (sort == "docker" or kept.around is not None or kept.history is None):
        _numbers(page, f"host/{host}", kept.around, view, f" of its host {host}" if sort == "container" else "")
    if sort not in ("finding", "more"):
        _changes(page, row.key, view)
        _log(page, row.key, kept.log, view)
        _raw(page, row.key, kept.raws, view)
    return page.lines


def host_of(key: str) -> str:
    """The host around the row `key`, whose numbers are shown with it: of a container and of Docker; else empty."""
    sort, _, name = key.partition("/")
    return name.partition("/")[0] if sort in ("docker", "container") else ""


def hosts_of(key: str, view: View) -> tuple[str, ...]:
    """The hosts whose raw texts belong to the row `key`."""
    sort, _, name = key.partition("/")
    if sort in ("host", "docker", "gluster", "container"):
        return (name.partition("/")[0],)
    if sort == "peer":
        peers = [peer for peer in view.cluster.peers if peer.name == name]
        return tuple(host for peer in peers for host in (*peer.lost_by, *peer.seen_by)[:2])
    if sort == "volume":
        told = [host for host, one in view.hosts.items() if name in one.volume_status or name in one.heals]
        seers = [volume.seen_by for volume in view.cluster.volumes if volume.name == name]
        return tuple(dict.fromkeys([*told, *seers]))
    return ()


def _section(page: Page, row: StatusRow, view: View) -> None:
    """The head of a section: everything that is wrong or not known in it."""
    if row.section == "HOSTS" and not view.host_names:
        page.text("No host is configured. Name them in config.toml, one [[hosts]] table each;")
        page.text("incident-tui check tries them and says what is missing.")
        return
    found = [one for one in view.findings if _in_section(one, row.section)]
    page.findings(found, view.now)
    if not found:
        page.text("+ nothing wrong is known", "ok")


def _in_section(finding: Finding, section: str) -> bool:
    prefixes = {
        "SITES": ("site.",),
        "HOSTS": ("host.", "machine.", "disk."),
        "CONTAINERS": ("docker.",),
        "GLUSTER": ("gluster.",),
    }
    return finding.rule.startswith(prefixes.get(section, ()))


def _verdict(page: Page, row: StatusRow, view: View) -> None:
    if row.findings:
        page.findings(row.findings, view.now)
    elif row.level is Level.OK:
        page.text("+ nothing wrong is known", "ok")
    elif row.level is None:
        page.text("? It is not on the board any more.", "unknown")
    else:
        page.text("? Not known: what was read last is below, with its age.", "unknown")


def _next(page: Page, row: StatusRow, view: View) -> None:
    """What to do: who holds it, and the playbooks for what is wrong here."""
    incident = view.incident
    names = {row.name, *hosts_of(row.key, view)}
    for hold in incident.holds if incident is not None else ():
        if hold.active(view.now) and hold.target in names:
            why = f": {hold.why}" if hold.why else ""
            page.text(f"! {hold.target} is held by {hold.by.name} until {clock(hold.until)}Z{why}", "warn", hang=2)
    books = suggested(row.findings, view.when, (Level.WARN, Level.CRIT, Level.UNKNOWN))
    if books:
        page.text("Next: " + ", ".join(f"/play {one}" for one in books), "strong", hang=6)


def _sites(page: Page, row: StatusRow, view: View) -> None:
    """The public sites over this row; of a site, what is wrong beneath it."""
    sort, _, name = row.key.partition("/")
    made = impact(view.sites, view.hosts, view.cluster)
    if sort == "site":
        under = made.under(name, view.findings)
        for one, inferred in under[:_UNDER]:
            page.field("under it", f"{SYMBOL[one.level]} {one.sentence}{' (inferred)' if inferred else ''}")
        if len(under) > _UNDER:
            page.field("", f"and {len(under) - _UNDER} more")
        return
    touched: dict[str, bool] = {}
    for one in row.findings:
        touched |= made.of(one)
    match sort:
        case "host" | "docker":
            touched |= made.hosts.get(name, {})
        case "container":
            host, _, ident = name.partition("/")
            reading = view.hosts.get(host)
            known = reading.docker.containers if reading is not None and reading.docker is not None else ()
            for container in known:
                if container.id == ident:
                    touched |= made.containers.get(f"{host} {container.name or ident[:12]}", {})
        case "volume":
            touched |= made.volumes.get(name, {})
        case "peer" | "gluster":
            touched |= made.of_peer(name)
    if said := words(touched):
        page.field("touches", said)


def _numbers(page: Page, key: str, history: History | None, view: View, of: str = "") -> None:
    """A sparkline for each number of `key` that was kept: least and most, the one of now, and how long."""
    page.gap()
    made = {name: history.until(view.now, name) for name in history.series} if history is not None else {}
    starts = [next((at for at, one in enumerate(points) if one is not None), None) for points in made.values()]
    known = [at for at in starts if at is not None]
    if not known:
        page.head(f"history{of}: none yet; a point is kept each half minute")
        return
    begin = min(known)
    made = {name: points[begin:] for name, points in made.items()}
    page.head(f"last {_minutes(span(next(iter(made.values()))))}{of} (left is oldest, blank: not read)")
    failing = made.pop("failing", ())
    words = {name: _range(name, points) for name, points in made.items()}
    room = max(_LEAST, min(_MOST, page.width - _FIELD - 2 - max(map(cells, words.values()), default=0)))
    for name, points in made.items():
        full = _full(name, key, view)
        line = spark(points, room, full, ascii=view.look.ascii, low_is_worse=name in LOW_IS_WORSE)
        if name == "latency" and failing:
            line = with_failures(line, failing, room)
        page.field(name, f"{line}  {words[name]}")
    if failing and "latency" not in made:
        page.field("failing", "all the time, X in each point" if all(failing) else "at times")


def _minutes(length: timedelta) -> str:
    minutes = length.total_seconds() / 60
    return f"{minutes:.0f} min" if minutes >= 2 else f"{length.total_seconds():.0f} s"


def _range(name: str, points: Series) -> str:
    values = [one for one in points if one is not None]
    newest = points[-1] if points else None
    now = _said(name, newest) if newest is not None else "?"
    if not values:
        return "not read"
    return f"{_said(name, min(values))} … {_said(name, max(values))}, now {now}"


def _full(name: str, key: str, view: View) -> float:
    """The value of a full block, unless a point is larger: where trouble begins, if that is known."""
    sort, _, of = key.partition("/")
    if sort == "container":
        return 100.0 if name in ("memory", "processor") else 0.0
    reading = view.hosts.get(of)
    if name == "memory":
        return 100.0
    if name == "load" and reading is not None and reading.load is not None:
        return float(reading.load.cpus)
    if name == "latency":
        return next((float(site.slow_ms) for site in view.sites if site.name == of), 0.0)
    return 0.0


def _said(name: str, value: float) -> str:
    """A value of this series in words."""
    match name:
        case "memory" | "processor":
            return f"{value:.0f}%"
        case "used":
            return size(value)
        case "load":
            return f"{value:.1f}"
        case "swap":
            return rate(value)
        case "latency":
            return f"{value:.0f} ms"
        case _:
            return f"{value:.0f}"


def _changes(page: Page, key: str, view: View) -> None:
    page.gap()
    events = lately(key, view)
    page.head("lately (24 h)" if events else "lately (24 h): no change is known")
    for event in events:
        handle = f" {event.handle}" if event.handle else ""
        page.text(f"{_when(event.at, view.now)}{handle} {event.text}", hang=4)


def _log(page: Page, key: str, log: Answer | None, view: View) -> None:
    """The last lines of a container's log; all of it is one key away."""
    if not key.startswith("container/"):
        return
    page.gap()
    if log is None or not log.sections or log.problem:
        page.head("log: F6 reads its end" + (f"; {log.problem}" if log is not None and log.problem else ""))
        return
    page.head(f"log, read {short(view.now - log.at)} ago (F6: all of it)")
    for line in log.sections[0].text.split("\n")[-_LOG_LINES:]:
        page.text(line, hang=4)


def _when(at: datetime, now: datetime) -> str:
    same = at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return clock(at) if same else f"{at.astimezone(UTC):%m-%d %H:%M}"


_SECTIONS: Final = {
    "host": ("proc", "clock", "df", "df-inodes", "mounts", "oom-dmesg", "oom-log", "hello"),
    "docker": ("docker-ps", "docker-version", "oom-dmesg", "oom-log"),
    "gluster": (
        "gluster-peers",
        "gluster-files",
        "gluster-bricks",
        "gluster-space",
        "gluster-pending",
        "gluster-version",
    ),
    "peer": ("gluster-peers",),
    "volume": ("gluster-volumes", "gluster-peers", "gluster-bricks", "gluster-space", "gluster-pending"),
    "container": ("cgroup", "oom-dmesg", "oom-log"),
}
"""By sort of row: the probe's sections behind it, in the order in which they are shown."""


def _raw(page: Page, key: str, raws: Mapping[str, RawText], view: View) -> None:
    sort, _, name = key.partition("/")
    names = _SECTIONS.get(sort, ())
    if not names:
        return
    ident = name.partition("/")[2]
    if sort == "volume":
        names = (*(f"{kind}:{name}" for kind in ("status", "summary", "heal", "split")), *names)
    elif sort == "container":
        names = (f"docker-inspect:{ident}", "docker-inspect", *names)
    page.gap()
    shown = [(of, section) for of in hosts_of(key, view) if of in raws for section in raws[of].of(*names)]
    if not shown:
        page.head("as it was read: no text is kept (yet)")
        return
    page.head("as it was read:")
    for of, section in shown:
        failed = " no answer within its limit" if section.timed_out else f" exit {section.rc}" if section.rc else ""
        page.text(f"== {section.title}, {of}, {short(view.now - section.at)} ago{failed}", "strong", hang=3)
        page.text(_own(section, ident) or "(nothing)")


def _own(section: RawSection, ident: str) -> str:
    """The lines of a container's own memory cgroup; any other section is whole."""
    if section.name != "cgroup" or not ident:
        return section.text
    return "\n".join(line for line in section.text.split("\n") if ident in line)
