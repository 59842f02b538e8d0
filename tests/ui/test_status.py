"""The left pane in each state, as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.fleet.settings import Host
from incident_tui.hosts.judge import together
from incident_tui.hosts.readings import Docker, Gap, GapKind, Link, LinkState, Memory
from incident_tui.incident.finding import Level
from incident_tui.ui.detail import status_detail
from incident_tui.ui.groups import members, roles_of
from incident_tui.ui.lines import plain, width_of
from incident_tui.ui.status import StatusRows, status_rows
from incident_tui.ui.status_row import fitted
from incident_tui.ui.words import rate
from incident_tui.watch.rows import SiteRow


def pane(view: Any, width: int = 31) -> str:
    return plain(row.line for row in status_rows(view, width))


@pytest.mark.parametrize("state", ["healthy", "outage"])
def test_the_pane_at_80_columns(kit: Any, picture: Callable[[str, str], None], state: str) -> None:
    picture(f"status-{state}", pane(kit.view(getattr(kit, state)())))


def test_a_dead_watch_leaves_nothing_green(kit: Any, picture: Callable[[str, str], None]) -> None:
    view = kit.view(kit.healthy(), now=kit.now + timedelta(hours=1))
    assert not [row for row in status_rows(view, 31) if row.level is Level.OK]
    picture("status-stale", pane(view))


def test_an_empty_board_is_unknown(kit: Any, picture: Callable[[str, str], None]) -> None:
    picture("status-empty", pane(kit.view({})))


def test_unknown_daemons_are_not_green(kit: Any, picture: Callable[[str, str], None]) -> None:
    psi = Gap(at=kit.now, kind=GapKind.ABSENT, sentence="no PSI")
    gap = Gap(at=kit.now, kind=GapKind.DENIED, sentence="our account may not use Docker")
    down = Gap(at=kit.now, kind=GapKind.DOWN, sentence="the Docker daemon does not run")
    rows = kit.healthy()
    rows["host/web1"] = kit.reading("web1", docker=None, gaps={"docker": gap, "pressure": psi})
    rows["host/web2"] = kit.reading("web2", docker=None, gluster=None, gaps={"docker": down, "pressure": psi})
    picture("status-unknown", pane(kit.view(rows)))


def test_what_was_heard_before_the_connection_was_lost_is_not_green(kit: Any) -> None:
    for seconds in (1, 30, 60, 3600):
        at = kit.now - timedelta(seconds=seconds)
        link = Link(state=LinkState.REFUSED, sentence="web2: connection refused", since=at, at=kit.now)
        rows = kit.healthy() | {"host/web2": kit.reading("web2", at, link=link)}
        found = status_rows(kit.view(rows), 31)
        mine = [
            row for row in found if row.level is not None and "web2" in row.name and not row.key.startswith("volume")
        ]
        assert mine and all(row.level is not Level.OK for row in mine), plain(row.line for row in mine)
        assert " CONTAINERS 4/6" in plain(row.line for row in found)


def test_no_hosts_at_all(kit: Any) -> None:
    assert [line.strip() for line in pane(kit.view({}, team=kit.team(hosts=(), sites=(), chat=()))).split("\n")] == [
        "HOSTS none configured",
        "name them in config.toml",
        "incident-tui check tries it",
    ]


def test_every_line_is_as_wide_as_the_pane(kit: Any) -> None:
    for width in (20, 23, 31, 43, 59):
        boards: tuple[Any, ...] = (kit.healthy(), kit.outage(), {})
        for state in boards:
            assert all(width_of(row.line) <= width for row in status_rows(kit.view(state), width))


def test_every_finding_can_be_reached_from_a_row(kit: Any) -> None:
    for now in (kit.now, kit.now + timedelta(minutes=3), kit.now + timedelta(hours=2)):
        view = kit.view(kit.outage(), now=now)
        rows = status_rows(view, 31)
        assert {one.key for row in rows for one in row.findings} == {one.key for one in view.findings}
        for row in rows:
            text = plain(status_detail(row, view, 200))
            assert all(one.sentence in text for one in together(row.findings))


def test_trouble_comes_first_and_what_is_left_out_is_counted(kit: Any) -> None:
    rows = status_rows(kit.view(kit.outage()), 31)
    for height in range(1, len(rows) + 3):
        shown = fitted(rows, height)
        assert len(shown) <= height
        hidden = [row for row in rows if row.level is not None and row not in shown]
        assert not hidden or any("more" in plain([row.line]) for row in shown)
        if any(
            row.level is not None and row.level is not Level.CRIT for row in shown if not row.key.startswith("more/")
        ):
            assert not [row for row in hidden if row.level is Level.CRIT]


def many(kit: Any, count: int = 500) -> tuple[Any, dict[str, Any]]:
    """A team of `count` hosts with four containers each, all well but three of them."""
    hosts = tuple(Host(name=f"node{number:03}") for number in range(count))
    absent = {name: Gap(at=kit.now, kind=GapKind.ABSENT, sentence="absent") for name in ("gluster", "pressure")}
    containers = tuple(kit.container(name) for name in ("drupal", "solr", "mysql", "cron"))
    values = {"gluster": None, "heals": {}, "volume_status": {}, "roles": (), "gaps": absent}
    docker = Docker(at=kit.now, version="1.6.2", containers=containers)
    rows = {f"host/{host.name}": kit.reading(host.name, docker=docker, **values) for host in hosts}
    lost = Link(state=LinkState.REFUSED, sentence="node321: connection refused", since=kit.now, at=kit.now)
    rows["host/node321"] = msgspec.structs.replace(rows["host/node321"], link=lost, load=None)
    full = Memory(at=kit.now, total=4 << 30, available=1 << 26, estimated=True)
    rows["host/node007"] = msgspec.structs.replace(rows["host/node007"], memory=full)
    dead = kit.container("solr", state="exited", exit_code=1, restart_policy="always")
    broken = Docker(at=kit.now, version="1.6.2", containers=(*containers[:1], dead, *containers[2:]))
    rows["host/node123"] = msgspec.structs.replace(rows["host/node123"], docker=broken)
    return kit.team(hosts=hosts, sites=(), chat=()), rows


def fleet(kit: Any) -> tuple[Any, dict[str, Any]]:
    """Hosts whose names tell what they are, some that do not, and trouble in each kind."""
    team, rows = many(kit)
    names = [
        *(f"web{n}" for n in range(1, 241)),
        *(f"db-{n:02}.dc1" for n in range(1, 31)),
        *(f"cache{n}" for n in range(1, 31)),
        *("alpha", "beta", "gamma", "10.0.0.7", "bastion1", "bastion2"),
    ]
    named = {}
    for name, old in zip(names, rows.values(), strict=False):
        named[f"host/{name}"] = msgspec.structs.replace(old, host=name, roles=("docker",) if name == "gamma" else ())
    lost = Link(state=LinkState.REFUSED, sentence="db-07.dc1: refused", since=kit.now, at=kit.now)
    named["host/db-07.dc1"] = msgspec.structs.replace(named["host/db-07.dc1"], link=lost, load=None)
    hosts = tuple(Host(name=name) for name in names)
    return msgspec.structs.replace(team, hosts=hosts), named


SIZES = {"60x15": (23, 10), "80x24": (31, 19), "120x40": (43, 35), "200x50": (59, 45)}
"""Columns and rows of the pane on a screen of that size."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["healthy", "outage", "stale", "empty", "many", "fleet", "hostile"])
def test_the_pane_at_each_size(kit: Any, picture: Callable[[str, str], None], state: str, size: str) -> None:
    width, height = SIZES[size]
    team, rows, now = kit.team(), kit.outage(), kit.now
    if state == "healthy":
        rows = kit.healthy()
    elif state == "stale":
        now += timedelta(minutes=20)
    elif state == "empty":
        rows = {}
    elif state == "many":
        team, rows = many(kit)
    elif state == "fleet":
        team, rows = fleet(kit)
    elif state == "hostile":
        names = ("[red]x[/]", "\x1b]0;owned\x07x", "日本語日本語日本語日本語", "\u202eevil", "a" * 300, "")
        containers = tuple(kit.container(name, id=f"{n:064x}") for n, name in enumerate(names))
        rows["host/web1"] = kit.reading("web1", docker=Docker(at=kit.now, version="1", containers=containers))
    shown = fitted(StatusRows().of(kit.view(rows, team=team, now=now), width), height)
    assert len(shown) <= height and all(width_of(row.line) <= width for row in shown)
    picture(f"pane-{state}-{size}", plain(row.line for row in shown))


def test_rows_made_from_memory_are_those_made_anew(kit: Any) -> None:
    """Hosts are read, get worse or better and fall silent in turn; then nothing comes any more, and all grow old."""
    team, rows = many(kit)
    pane = StatusRows()
    for turn, seconds in enumerate([0, 1, 2, 3, 4, 5, 6, 7, 60, 67, 3600]):
        now = kit.now + timedelta(seconds=seconds)
        for number in range(turn, 500, 3) if turn < 8 else ():
            free = 1 << (26 if (number + turn) % 5 == 0 else 31)
            state = LinkState.LOST if (number + turn) % 11 == 0 else LinkState.UP
            rows[f"host/node{number:03}"] = msgspec.structs.replace(
                rows[f"host/node{number:03}"],
                at=now,
                memory=Memory(at=now, total=4 << 30, available=free, estimated=True),
                link=Link(state=state, sentence="gone", since=kit.now, at=now),
            )
        view = kit.view(rows, team=team, now=now)
        assert plain(row.line for row in pane.every(view, 31)) == plain(row.line for row in status_rows(view, 31))


def test_five_hundred_hosts_fit_and_the_bad_ones_are_seen(kit: Any) -> None:
    team, rows = many(kit)
    every = status_rows(kit.view(rows, team=team), 31)
    assert len(every) == 500 + 4 * 499 + 1 + 2
    for height in (5, 10, 19, 35, 600, 3_000):
        shown = fitted(every, height)
        text = plain(row.line for row in shown)
        assert len(shown) <= height and all(name in text for name in ("node321", "node007", "node123 solr"))
        counted = sum(int(word) for word in re.findall(r"(\d+) more", text))
        assert counted + sum(row.count for row in shown if not row.key.startswith(("more/", "head/"))) == 2500


def test_what_is_well_stands_in_groups_and_trouble_alone(kit: Any) -> None:
    team, rows = fleet(kit)
    view = kit.view(rows, team=team)
    pane, roles = StatusRows(), roles_of(view.hosts)
    shown = [row for row in pane.of(view, 43) if row.section == "HOSTS"]
    text = [plain([row.line]).split() for row in shown]
    assert text[1:] == [
        ["X", "web8", "98%", "0", "0.4"],
        ["?", "db-07.dc1", "refused", "<10s"],
        ["+", "web", "239", "ok"],
        ["+", "db", "29", "ok"],
        ["+", "cache", "30", "ok"],
        ["+", "others", "5", "ok"],
        ["+", "gamma", "62%", "0", "0.4"],
    ]
    everything = pane.every(view, 43)
    webs = members("group/HOSTS/ok/web", everything, roles)
    assert [webs[0].name, webs[1].name, len(webs)] == ["web8", "web1", 240]
    others = {row.name for row in members("group/HOSTS/ok/others", everything, roles)}
    assert others == {"alpha", "beta", "10.0.0.7", "bastion1", "bastion2"}
    assert sum(row.count for row in pane.of(view, 43) if row.level is not None) == sum(
        row.count for row in everything if row.level is not None
    )


def test_what_is_not_known_stands_in_groups_too_where_it_is_much(kit: Any) -> None:
    team, rows = fleet(kit)
    view = kit.view(rows, team=team, now=kit.now + timedelta(minutes=20))
    pane = StatusRows()
    shown = [row for row in pane.of(view, 43) if row.section == "HOSTS"]
    assert [(row.name, row.words) for row in shown[1:5]] == [
        ("web", "240 not known"),
        ("db", "30 not known"),
        ("cache", "30 not known"),
        ("others", "5 not known"),
    ]
    assert all(row.level is Level.UNKNOWN and row.findings for row in shown[1:5])
    assert len(members("group/HOSTS/unknown/web", pane.every(view, 43), roles_of(view.hosts))) == 240


def test_few_hosts_stay_one_by_one(kit: Any) -> None:
    team, rows = many(kit, 400)
    some = dict(list(rows.items())[:7])
    few = kit.view(some, team=msgspec.structs.replace(team, hosts=team.hosts[:7]))
    assert StatusRows().of(few, 31) == status_rows(few, 31)


def test_rows_are_made_anew_only_when_something_was_judged(kit: Any) -> None:
    rows = StatusRows()
    view = kit.view(kit.outage())
    first = rows.of(view, 31)
    later = msgspec.structs.replace(view, now=kit.now + timedelta(seconds=1))
    assert rows.of(later, 31) is first
    assert rows.of(later, 43) is not first and rows.of(view, 31) == first
    assert rows.of(kit.view(kit.healthy()), 31) != first


def test_a_slow_site_and_an_ending_certificate_are_named(kit: Any) -> None:
    rows = kit.healthy()
    rows["site/reliefweb.example"] = SiteRow(
        name="reliefweb.example", at=kit.now, status=200, latency_ms=4100, tls_until=kit.now + timedelta(days=3)
    )
    assert "! reliefweb…  200 4100 ms TLS" in pane(kit.view(rows))


def test_containers_by_what_is_wrong(kit: Any) -> None:
    containers = (
        kit.container("a", state="exited", exit_code=1, restart_policy="always"),
        kit.container("b", health="unhealthy"),
        kit.container("c", state="paused"),
        kit.container("d", restarts_recent=4),
        kit.container("e", state="exited", exit_code=0),
    )
    rows = kit.healthy() | {
        "host/web1": kit.reading("web1", docker=Docker(at=kit.now, version="1.6.2", containers=containers))
    }
    text = pane(kit.view(rows))
    for line in ("X web1 a  exited 1", "X web1 b  unhealthy", "! web1 c  paused", "X web1 d  restarted x4"):
        assert line in text
    assert "+ web1 e  exited 0" in text


def test_rates_name_their_unit() -> None:
    assert [rate(pages) for pages in (0, 0.1, 3, 500, 300_000)] == ["0", "<1k/s", "12k/s", "2.0M/s", "1.1G/s"]
