"""What Enter opens on rows of the left pane, in each state and size, as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.hosts.raw import RawSection, RawText
from incident_tui.hosts.readings import Clock, Docker, Gap, GapKind, Snapshot, Snapshots
from incident_tui.incident.entry import Draft, Kind
from incident_tui.ui.detail import Kept, hosts_of, status_detail
from incident_tui.ui.lines import Look, plain, width_of
from incident_tui.ui.status import status_rows
from incident_tui.watch.answers import Answer
from incident_tui.watch.history import STEP, History
from incident_tui.watch.rows import BastionSeen, BastionsRow, bastions_words

WHEN = {
    "split-brain": ("gluster.split-brain",),
    "oom": ("docker.container-oom", "machine.oom"),
    "host-gone": ("host.unreachable",),
}
SIZES = {"60x15": 36, "80x24": 48, "200x50": 140}
PROC = """\
/proc/loadavg:4.10 3.00 2.00 2/310 4242
/proc/meminfo:MemTotal:        4194304 kB
/proc/meminfo:MemFree:          120000 kB
/proc/vmstat:pswpin 812345"""
INSPECT = """\
{
 "Id": "drupal-a",
 "State": {
  "Running": false,
  "OOMKilled": true,
  "ExitCode": 137
 },
 "Config": {
  "Env": [
   "MYSQL_PASSWORD=[redacted]"
  ]
 }
}"""


def texts(kit: Any) -> dict[str, RawText]:
    at = kit.now - timedelta(seconds=4)
    ident = kit.container("drupal-a").id
    return {
        "web1": RawText(
            host="web1",
            sections=(
                RawSection(name="status:gv0", at=at, text="<volStatus><volume>gv0 …"),
                RawSection(name="heal:gv0", at=at, text="Brick web1:/b/gv0\n/files/a.pdf - Is in split-brain"),
            ),
        ),
        "web2": RawText(
            host="web2",
            sections=(
                RawSection(name="proc", at=at, text=PROC),
                RawSection(name="df", at=at, text="df: /gone: No such file", rc=1),
                RawSection(name=f"docker-inspect:{ident}", at=at, text=INSPECT),
                RawSection(name="oom-dmesg", at=at, text="[864001.1] Out of memory: Killed process 4711 (php-fpm)"),
            ),
        ),
    }


def history(kit: Any, **series: tuple[float | None, ...]) -> History:
    return History(int(kit.now.timestamp()) // STEP - 1, series)


def rising(kit: Any) -> History:
    memory = tuple(None if number in (20, 21, 22) else 58.0 + number * 0.6 for number in range(60))
    load = tuple(0.4 if number < 40 else 4.1 for number in range(60))
    return history(kit, memory=memory, load=load, swap=(0.0,) * 50 + (500.0,) * 10, running=(2.0,) * 55 + (0.0,) * 5)


def detail(kit: Any, key: str, rows: Any = None, width: int = 48, kept: Kept | None = None, **fields: Any) -> str:
    view = kit.view(kit.outage() if rows is None else rows, kit.story(), when=WHEN, **fields)
    row = next(one for one in status_rows(view, 31) if one.key.startswith(key))
    raws = {host: raw for host, raw in texts(kit).items() if host in hosts_of(row.key, view)}
    lines = status_detail(row, view, width, kept or Kept(rising(kit), raws))
    assert all(width_of(line) == width for line in lines)
    return plain(lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("state", "key"),
    [
        ("critical", "container/web2/drupal-a"),
        ("warning", "host/web2"),
        ("unknown", "host/web3"),
        ("volume", "volume/gv0"),
        ("site", "site/reliefweb.example"),
    ],
)
def test_in_an_outage(kit: Any, picture: Callable[[str, str], None], state: str, key: str, size: str) -> None:
    kept = None
    if state == "critical":
        own = history(kit, memory=tuple(40.0 + n for n in range(60)), processor=(12.0,) * 60, restarts=(0.0,) * 60)
        kept = Kept(own, texts(kit), around=rising(kit))
    if state == "site":
        failing = (0.0,) * 20 + (1.0,) * 10
        kept = Kept(history(kit, latency=(120.0,) * 20 + (90.0,) * 10, failing=failing))
    if state == "volume":
        kept = Kept(history(kit, pending=(0.0,) * 10 + (3.0,) * 10, up=(3.0,) * 20), texts(kit))
    picture(f"detail-{state}-{size}", detail(kit, key, width=SIZES[size], kept=kept))


@pytest.mark.parametrize("size", SIZES)
def test_when_all_is_well(kit: Any, picture: Callable[[str, str], None], size: str) -> None:
    steady = history(kit, memory=(62.0,) * 120, load=(0.4,) * 120, swap=(0.0,) * 120, running=(2.0,) * 120)
    picture(f"detail-healthy-{size}", detail(kit, "host/web1", kit.healthy(), SIZES[size], Kept(steady)))


@pytest.mark.parametrize("size", SIZES)
def test_when_nobody_reads_any_more(kit: Any, picture: Callable[[str, str], None], size: str) -> None:
    late = kit.now + timedelta(minutes=20)
    text = detail(kit, "host/web2", kit.healthy(), SIZES[size], now=late)
    assert "now ?" in text and "nothing wrong is known" not in text
    picture(f"detail-stale-{size}", text)


@pytest.mark.parametrize("size", SIZES)
def test_before_anything_was_read(kit: Any, picture: Callable[[str, str], None], size: str) -> None:
    picture(f"detail-empty-{size}", detail(kit, "host/web1", {}, SIZES[size], Kept()))


def test_a_row_that_is_gone_is_not_well(kit: Any) -> None:
    view = kit.view(kit.healthy())
    row = next(one for one in status_rows(view, 31) if one.key.startswith("container/"))
    gone = msgspec.structs.replace(row, key="container/web1/gone", level=None)
    text = plain(status_detail(gone, view, 48))
    assert "not on the board any more" in text and "nothing wrong" not in text


def test_only_playbooks_for_this_row_are_named(kit: Any) -> None:
    assert "Next: /play oom" in detail(kit, "container/web2/drupal-a")
    assert "Next: /play split-brain" in detail(kit, "volume/gv0")
    assert "/play" not in detail(kit, "volume/gv1")
    assert "/play" not in detail(kit, "site/reliefweb")


def test_lately_has_what_was_done_and_seen_here(kit: Any) -> None:
    drafts = kit.story()
    view = kit.view(kit.outage(), drafts, when=WHEN)
    row = next(one for one in status_rows(view, 31) if one.key == "host/web3")
    text = plain(status_detail(row, view, 100))
    assert "a2 ACTION restarted glusterd web3" in text
    assert "serve gv0 from web1" not in text
    volume = next(one for one in status_rows(view, 31) if one.key == "volume/gv0")
    assert "a4 DECISION serve gv0 from web1" in plain(status_detail(volume, view, 100))


def test_a_reboot_and_new_containers_are_changes(kit: Any) -> None:
    rows = kit.healthy()
    new = kit.container("fresh", created_at=kit.now - timedelta(hours=2), started_at=kit.now - timedelta(hours=1))
    load = msgspec.structs.replace(rows["host/web1"].load, uptime_seconds=1800.0)
    rows["host/web1"] = kit.reading(
        "web1", load=load, docker=Docker(at=kit.now, version="1.6.2", containers=(new, kit.container("old")))
    )
    text = detail(kit, "host/web1", rows)
    assert "14:13:12 web1 was started (uptime)" in text
    assert "12:43:12 container fresh created" in text and "13:43:12 container fresh started" in text
    assert "old" not in text.split("lately")[1].split("as it was read")[0]


def test_each_finding_names_its_evidence(kit: Any) -> None:
    boards: tuple[Any, ...] = (kit.outage(), kit.healthy(), {})
    for board in boards:
        for minutes in (0, 2, 90):
            view = kit.view(board, now=kit.now + timedelta(minutes=minutes))
            assert all(one.evidence for one in view.findings), [one for one in view.findings if not one.evidence]


def test_blocks_give_way_to_plain_characters(kit: Any) -> None:
    view = msgspec.structs.replace(kit.view(kit.outage()), look=Look(ascii=True))
    row = next(one for one in status_rows(view, 31) if one.key == "host/web2")
    text = plain(status_detail(row, view, 48, Kept(rising(kit), texts(kit))))
    assert text.isascii() and "memory" in text


@pytest.mark.parametrize("size", SIZES)
def test_hostile_texts_are_shown_as_plain_cells(kit: Any, picture: Callable[[str, str], None], size: str) -> None:
    nasty = "\x1b]0;owned\x07 [red]bold[/] \u202eevil\u202c a\u0301\u0301\u0301\u0301\u0301\u0301 日本 \x9b31m\ttab"
    rows = kit.healthy()
    rows["host/web1"] = kit.reading(
        "web1", docker=Docker(at=kit.now, version="1", containers=(kit.container("x", image=nasty, error=nasty),))
    )
    view = kit.view(rows)
    row = next(one for one in status_rows(view, 31) if one.key.startswith("container/web1"))
    raw = RawText(host="web1", sections=(RawSection(name="oom-dmesg", at=kit.now, text=nasty),))
    text = plain(status_detail(row, view, SIZES[size], Kept(None, {"web1": raw})))
    assert "\x1b" not in text and "\u202e" not in text and "\x9b" not in text
    picture(f"detail-hostile-{size}", text)


def test_a_row_says_which_sites_it_touches_and_a_site_what_is_under_it(kit: Any) -> None:
    one, other = kit.team().sites
    team = kit.team(sites=(msgspec.structs.replace(one, hosts=("web2", "web3")), other))
    said = detail(kit, "host/web2", team=team, width=100)
    (line,) = [line for line in said.split("\n") if "touches" in line]
    assert line.split() == ["touches", "reliefweb.example"]
    ident = kit.container("drupal-a").id
    assert "reliefweb.example (inferred)" in detail(kit, f"container/web2/{ident}", team=team, width=100)
    under = [line for line in detail(kit, f"site/{one.name}", team=team, width=100).split("\n") if "under it" in line]
    assert any("X web2: memory 93%" in line or "! web2: memory 93%" in line for line in under)
    assert any("web2 drupal-a: killed, out of memory" in line and "(inferred)" in line for line in under)
    assert any("web3" in line for line in under) and not any("web1" in line.split("under it")[1][:8] for line in under)
    assert "under it" not in detail(kit, f"site/{other.name}", team=team, width=100)


def one_container(kit: Any, **fields: Any) -> dict[str, Any]:
    made = kit.container("drupal-a", **fields)
    docker = Docker(at=kit.now, version="1.6.2", containers=(made,), polled=True)
    clock = Clock(at=kit.now, skew_seconds=3600.0, error_seconds=0.1)
    return {"host/web2": kit.reading("web2", docker=docker, clock=clock)}


def test_what_a_container_uses_serves_and_since_when_in_our_time(kit: Any) -> None:
    started = kit.now + timedelta(minutes=30)  # by its own clock, which is an hour ahead
    rows = one_container(
        kit,
        started_at=started,
        cpu_percent=94.6,
        ports=("8080->80/tcp",),
        names=("reliefweb.example",),
        mounts=tuple(f"/srv/{n}" for n in range(8)),
    )
    said = detail(kit, "container/web2/", rows, width=100)
    for line in (
        " state       running for 30m (read <10s ago)",
        " processor   95% of one",
        " ports       8080->80/tcp",
        " serves      reliefweb.example",
        " directories /srv/0",
        "             and 2 more",
        " events      polled here: a death shows at the next reading",
    ):
        assert line in said.split("\n")
    assert "events      polled here" in detail(kit, "host/web2", rows, width=100)
    assert "polled" not in detail(kit, "host/web1", kit.healthy(), width=100)
    assert "last 30 min (left is oldest" in said
    own = history(kit, used=(float(40 << 20), float(80 << 20)), processor=(5.0, 12.4), restarts=(0.0, 3.0))
    said = detail(kit, "container/web2/", rows, width=100, kept=Kept(own, around=rising(kit)))
    assert "40.0 MiB … 80.0 MiB, now 80.0 MiB" in said and "5% … 12%, now 12%" in said and "0 … 3, now 3" in said
    assert said.index("processor ") < said.index("last 30 min of its host web2") < said.index(" load ")
    said = detail(kit, "container/web2/", rows, width=100, kept=Kept(None, around=rising(kit)))
    assert "last 30 min of its host web2" in said
    assert "history of its host web2: none yet" in detail(kit, "container/web2/", rows, width=100, kept=Kept(None, {}))


def test_the_last_lines_of_a_log_that_somebody_asked_for(kit: Any) -> None:
    ident = kit.container("drupal-a").id
    lines = "\n".join(f"2026-11-23T14:40:{n:02d}Z line {n}" for n in range(30))
    section = RawSection(name=f"log:{ident}", at=kit.now, text=lines)
    log = Answer(host="web2", word=f"log:{ident}", at=kit.now - timedelta(seconds=42), sections=(section,))
    said = detail(kit, "container/web2/drupal-a", width=100, kept=Kept(rising(kit), {}, log))
    assert "log, read 40s ago (F6: all of it)" in said and "line 29" in said and "line 21" not in said
    assert "log: F6 reads its end" in detail(kit, "container/web2/drupal-a", width=100, kept=Kept())
    failed = msgspec.structs.replace(log, sections=(), problem="web2: not connected")
    assert "reads its end; web2: not connected" in detail(
        kit, "container/web2/drupal-a", width=100, kept=Kept(None, {}, failed)
    )


def test_what_was_done_to_it_is_there_evidence_and_commands_too(kit: Any) -> None:
    at, incident = kit.now - timedelta(minutes=5), "INC-20261123-k3f9"

    def draft(kind: Kind, text: str, **data: Any) -> Draft:
        return Draft(kind=kind, text=text, at=at, author=kit.ana, incident=incident, data=data)

    entries = [
        *kit.story(),
        draft(Kind.ACTION, "restarted drupal-a"),
        draft(Kind.COMMAND, "docker restart", step="intent", host="web2", argv=["docker"]),
        draft(Kind.EVIDENCE, "performance of drupal-a on web2 at 14:30\n== top\nsecond line"),
        draft(Kind.EVIDENCE, "a paste\nwith drupal-a in its second line"),
    ]
    view = kit.view(kit.outage(), entries, when=WHEN)
    row = next(one for one in status_rows(view, 31) if one.key.startswith("container/web2/drupal-a"))
    said = plain(status_detail(row, view, 100, Kept()))
    assert "restarted drupal-a" in said and "performance of drupal-a on web2" in said
    assert "second line" not in said and "a paste" not in said
    host = next(one for one in status_rows(view, 31) if one.key == "host/web2")
    assert "docker restart" in plain(status_detail(host, view, 100, Kept()))


def test_a_volume_says_why_it_is_not_renewed_and_which_snapshots_it_has(kit: Any) -> None:
    rows = dict(kit.healthy())
    key, told = next((key, one) for key, one in rows.items() if key.startswith("host/") and one.gluster is not None)
    volume, *others = told.gluster.volumes
    later = kit.now + timedelta(seconds=1)
    busy = Gap(at=later, kind=GapKind.BUSY, sentence="GlusterFS is busy with another transaction", since=kit.now)
    absent = Gap(at=later, kind=GapKind.ABSENT, sentence="this volume has no copies to heal")
    names = tuple(Snapshot(name=f"nightly_{n}", status="Stopped", created="2026-11-22") for n in range(14))
    made = Snapshots(at=kit.now - timedelta(minutes=3), volume=volume.name, rows=names)
    gluster = msgspec.structs.replace(told.gluster, volumes=(msgspec.structs.replace(volume, snapshots=14), *others))
    for other, one in rows.items():
        if other.startswith("host/") and one.gluster is not None:
            known = msgspec.structs.replace(one.gluster, volumes=gluster.volumes)
            rows[other] = msgspec.structs.replace(one, gluster=known)
    gaps = {f"volume_status:{volume.name}": busy, f"heals:{volume.name}": absent}
    rows[key] = msgspec.structs.replace(rows[key], gaps=gaps, snapshots={volume.name: made})
    said = detail(kit, f"volume/{volume.name}", rows, width=120, kept=Kept())
    host = key.removeprefix("host/")
    assert f" not renewed status, <10s ago on {host}: GlusterFS is busy with another transaction" in said
    assert "no copies" not in said
    assert " snapshots   14, read 3m ago" in said and "nightly_11 Stopped 2026-11-22" in said
    assert "nightly_12" not in said and "and 2 more" in said


def test_a_host_says_who_reads_it_and_who_cannot(kit: Any) -> None:
    other = BastionSeen("b", "bastion-2", 3, True)
    row = BastionsRow(at=kit.now, state="together", since=kit.now, reads=1, hosts=4, others=(other,))

    def said(via: str, *blind: str, **why: str) -> str:
        told = msgspec.structs.replace(row, unreached={"web1": blind} if blind else {}, why=why)
        view = msgspec.structs.replace(kit.view(kit.healthy()), bastions=told)
        reading = msgspec.structs.replace(view.hosts["web1"], via=via)
        view = msgspec.structs.replace(view, hosts={**view.hosts, "web1": reading})
        here = next(one for one in status_rows(view, 31) if one.key == "host/web1")
        return plain(status_detail(here, view, 100))

    assert "read by" not in said("")
    assert "b (bastion-2)\n" in said("b")
    assert "b (bastion-2); a cannot reach it" in said("b", "a") and "from here" not in said("b", "a")
    assert "from here web1: no agent" in " ".join(said("b", "a", web1="web1: no agent").split())
    assert "this bastion; b (bastion-2) cannot reach it" in said("", "b")
    assert bastions_words(msgspec.structs.replace(row, unreached={"web1": ("a",), "web2": ("a", "b")})).endswith(
        "a cannot reach 2 hosts; b cannot reach web2; nobody sends to chat yet"
    )
