"""Whole reports, byte by byte. After a change on purpose: UPDATE_GOLDEN=1 pytest tests/report, and read the diff."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Kind, Seen
from incident_tui.report.markdown import render, untouched

GOLDEN = Path(__file__).parent / "golden"
X_GV0 = Seen("X gv0 bricks 2/3; ! web2 mem 93%", 12)
X_ALL = Seen("X gv0 bricks 2/3 split 1; X reliefweb.example 502; ! web2 mem 95%", 4)


def short(story: Any) -> None:
    story(Kind.MILESTONE, -12, "first 502s in the access log", name="started", recorded=3)
    story.declare(at=0)
    story(Kind.ACTION, 2, "restarted glusterd on web3")
    story(Kind.RESULT, 9, "brick of gv0 is back, heal running", by="bob", proven=False)
    story(Kind.STATUS, 30, "sites answer, heal at 0", status="resolved")
    story(Kind.MILESTONE, 35, "", name="closed")


def rich(story: Any) -> None:
    story(Kind.LEASE, -30, "watch of bastion", by="watch", proven=False, incident="", epoch=1, host="bastion", pid=7)
    story.observe(-9, "gluster.brick-down", "gv0/web3:/b/gv0", "crit", "gv0: brick web3:/b/gv0 is down")
    story(Kind.ALERT, -8, "reliefweb.example answers 502", by="alertmanager", proven=False, incident="")
    story.observe(-7, "site.down", "reliefweb.example", "crit", "reliefweb.example: answers 502, not 200")
    declared = story.declare(at=0)
    story.entries[declared.seq - 1] = msgspec.structs.replace(declared, seen=X_GV0)
    story(Kind.PRESENCE, 0.5, "", by="bob", step="joined")
    story(Kind.MILESTONE, -10, "", name="started", recorded=1)
    story(Kind.MILESTONE, -8, "alert", name="detected", recorded=1)
    story(Kind.NOTE, 1, "hosting company says power feed B is out", pin=1)
    story(Kind.SEVERITY, 2, "all sites down", level=1, was=2)
    story(Kind.ROLE, 3, "", role="communications", step="take", who="dan", by="dan")
    story(Kind.ROLE, 4, "", role="commander", step="offer", who="bob")
    story(Kind.ROLE, 5, "", role="commander", step="take", who="bob", by="bob")
    story(Kind.STATUS, 5, "", status="mitigating", by="bob")
    guess = story(Kind.HYPOTHESIS, 6, "the power feed took web3 down", by="bob", state="raised")
    other = story(Kind.HYPOTHESIS, 7, "a full disk on web1", state="raised")
    story(Kind.HYPOTHESIS, 8, "will the UPS hold?", by="dan", proven=False, state="raised")
    task = story(Kind.TASK, 8, "choose the source for /files/a.pdf", step="assigned", who="ana", minutes=5, by="bob")
    story(Kind.TASK, 9, "", step="acked", who="ana", voice=True, ref=task, by="bob")
    story(Kind.OBSERVATION, 10, "odd", by="watch", proven=False, level="warn", finding="host.memory", subject="web2")
    story(Kind.DECISION, 11, "serve gv0 from web1 | not web2", by="bob", seen=X_ALL)
    story(
        Kind.UPDATE,
        12,
        "We are repairing storage.",
        step="posted",
        audience="public",
        by="dan",
        next=datetime(2026, 11, 23, 14, 42, tzinfo=UTC).isoformat(),
    )
    story(Kind.TASK, 13, "time box of 5 min is over", by="watch", proven=False, step="overdue", who="ana", ref=task)
    story(Kind.HOLD, 14, "heal running", target="web3", step="hold", minutes=30, by="bob")
    story(Kind.PLAYBOOK, 15, "", name="gluster-split-brain", run="r1", step="started")
    story(Kind.PLAYBOOK, 16, "checked", name="gluster-split-brain", run="r1", step="done", number=1)
    story(Kind.PLAYBOOK, 17, "", name="gluster-split-brain", run="r1", step="skipped", number=2)
    intent = story(Kind.COMMAND, 18, "", step="intent", host="web1", command="gluster volume heal gv0 | x")
    story(Kind.COMMAND, 19, "", step="outcome", host="web1", exit=0, ref=intent)
    story(Kind.EVIDENCE, 20, "Brick web1:/b/gv0\n/files/a.pdf - Is in split-brain\n```\nStatus: Connected")
    story(Kind.CHANGE, 21, "raised the memory limit of drupal-a to 2g")
    called = story(Kind.ENGAGEMENT, 22, "power at rack 4?", vendor="hosting company", ticket="48213", minutes=30)
    story(Kind.ENGAGEMENT, 27, "feed B was out", vendor="hosting company", step="answered", ref=called)
    story(Kind.CAN, 28, "", conditions="one copy of a.pdf differs", actions="comparing", needs="web1's checksum")
    exits = story(Kind.CRITERION, 29, "no entry in split-brain on gv0")
    story(Kind.CRITERION, 57, "heal info shows 0", step="met", ref=exits)
    story(Kind.LINK, 58, "same rack", other="INC-20261101-aaaa", how="related")
    story(Kind.CHAT, 23, "is the site coming back?", by="visitor", proven=False)
    story(Kind.HYPOTHESIS, 24, "df says 40%", state="eliminated", ref=other)
    story(Kind.HYPOTHESIS, 25, "feed B was out 13:48 to 14:20", state="confirmed", ref=guess, by="bob")
    story(
        Kind.GAP,
        42,
        "public update promised for 14:42Z was not given",
        by="watch",
        proven=False,
        what="update",
        since=datetime(2026, 11, 23, 14, 12, tzinfo=UTC).isoformat(),
    )
    story(Kind.UPDATE, 50, "Storage is repaired; sites are back.", step="posted", audience="public", by="dan")
    story(Kind.UPDATE, 51, "", step="elsewhere", audience="exec", where="phone call", by="dan")
    story.observe(52, "gluster.brick-down", "gv0/web3:/b/gv0", "ok", "well again: gv0: brick web3:/b/gv0 is down")
    story.observe(53, "site.down", "reliefweb.example", "ok", "well again: reliefweb.example")
    story(Kind.TASK, 54, "took web1's copy", step="done", who="ana", ref=task)
    story(Kind.ACTION, 55, "healed /files/a.pdf from web1")
    story(Kind.RESULT, 56, "heal info shows 0 entries on all bricks")
    story(Kind.MILESTONE, 53, "", name="mitigated", recorded=57)
    story(Kind.MILESTONE, 58, "", name="recovered", unknown=True)
    story(Kind.FOLLOWUP, 59, "put web3 on feed A", owner="dan", priority="p1")
    done = story(Kind.FOLLOWUP, 60, "document the split-brain repair", owner="ana")
    story(Kind.FOLLOWUP, 61, "in the wiki", step="done", ref=done)
    story(Kind.LESSON, 62, "the alert came before the users", sort="well")
    story(Kind.LESSON, 63, "nobody knew which feed web3 is on", sort="badly")
    story(Kind.LESSON, 64, "web1 was on the other feed", sort="luck")
    story(Kind.HANDOFF, 65, "bob to dan: watch the heal", by="bob")
    story(Kind.PIN, 66, "", step="pin", ref=story.entries[8])
    story(Kind.STATUS, 70, "", status="resolved", by="bob")
    story(Kind.MILESTONE, 75, "", name="closed", by="bob", seen=Seen("+ all well", 3))
    story(Kind.ARCHIVE, 199, "", by="ana", step="back", entries="5,7-8", file="INC-1.json")
    story(Kind.SIGNATURE, 200, "", by="ana", incident="", entries="5,7-8", head=9, key="ssh-ed25519 AAAA", sig="AAAA")


def over_midnight(story: Any) -> None:
    story.declare("Disk of web2 full", at=590)
    story(Kind.MILESTONE, 580, "", name="started")
    story(Kind.ACTION, 599.5, "deleted old logs on web2")
    story(Kind.NOTE, 601, "freed 2 GB, grows again", by="bob")
    story(Kind.ACTION, 590 + 24 * 60 + 30, "moved the logs to a volume of their own", by="bob")
    story(Kind.STATUS, 590 + 24 * 60 + 40, "", status="resolved")
    story(Kind.NOTE, 585, "saw the alarm before the call", by="bob", recorded=590 + 24 * 60 + 41)


def drill(story: Any) -> None:
    story.declare("Exercise: lose a brick", drill=True, severity=3)
    story(Kind.ACTION, 4, "stopped the brick process on web3")


def corrected(story: Any) -> None:
    story.declare()
    wrong = story(Kind.ACTION, 2, "restarted glusterd on web2")
    story(Kind.AMEND, 4, "", ref=wrong, by="bob", text="restarted glusterd on web3")
    moved = story(Kind.NOTE, 5, "power feed B is out")
    story(Kind.AMEND, 6, "", ref=moved, at=datetime(2026, 11, 23, 13, 50, tzinfo=UTC).isoformat())
    again = story(Kind.NOTE, 7, "first")
    story(Kind.AMEND, 8, "", ref=again, text="second")
    story(Kind.AMEND, 9, "", ref=again, text="third", by="bob", proven=False)
    struck = story(Kind.DECISION, 10, "delete the copy on web1")
    story(Kind.STRIKE, 11, "said for another incident", ref=struck, step="strike")
    secret = story(Kind.NOTE, 12, "the password is hunter2")
    story.purge(secret, 13)
    story(Kind.NOTE, 14, "connect with mysql://root:hunter2@db1/ and token=abcdef")
    story(Kind.NOTE, 40, "from a host whose clock is wrong", recorded=20)


def only_machines(story: Any) -> None:
    story.declare("Declared and left", severity=None)
    story.observe(1, "docker.oom", "web2/drupal-a", "crit", "drupal-a on web2 was killed: out of memory", flaps=2)
    story.observe(2, "host.memory", "web2", "warn", "web2: memory 93% used")
    story.observe(3, "host.memory", "web2", "unknown", "web2: no answer for 40 s")
    story(
        Kind.GAP,
        15,
        "no entry for 15 min",
        by="watch",
        proven=False,
        what="silence",
        since=datetime(2026, 11, 23, 14, 0, tzinfo=UTC).isoformat(),
    )
    story.observe(40, "docker.oom", "web2/drupal-a", "ok", "well again after 39m: drupal-a on web2")


def three_zones(story: Any) -> None:
    """Over midnight UTC and the end of summer time in Europe (01:00 UTC), from Madrid, Nairobi and New York."""
    story.start = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    story(Kind.MILESTONE, -20, "pages load slowly, 00:10 in Madrid", name="started", recorded=2)
    story.observe(
        -12, "site.slow", "reliefweb.example", "warn", "reliefweb.example: answers in 4100 ms", hold=10, every=15
    )
    story.declare("Sites slow, then down", at=0)
    story(Kind.MILESTONE, -11, "", name="detected", recorded=1)
    story.observe(
        20, "site.down", "reliefweb.example", "crit", "reliefweb.example: answers 502, not 200", hold=10, every=15
    )
    story(Kind.SEVERITY, 21, "all sites down", level=1, was=2)
    story(Kind.ROLE, 25, "01:55 in Nairobi", role="operations", step="take", who="bob", by="bob")
    guess = story(Kind.HYPOTHESIS, 40, "the nightly job of drupal-a eats the memory of web2", by="bob", state="raised")
    story(Kind.DECISION, 60, "stop the nightly job until Monday", seen=X_ALL)
    run = story(
        Kind.COMMAND, 89, "", by="bob", step="intent", host="web2", command="docker stop cron-a",
        expected="memory below 80%", risk="change", verify="free -m", minutes=5,
    )  # fmt: skip
    story(Kind.COMMAND, 91, "cron-a", by="bob", step="outcome", host="web2", exit=0, ref=run)
    story(Kind.COMMAND, 96, "", by="bob", step="check", host="web2", held=True, ref=run)
    story(Kind.CRITERION, 97, "no site slow for an hour")
    story.observe(100, "site.down", "reliefweb.example", "ok", "over: reliefweb.example", hold=10, every=15)
    story(Kind.ROLE, 140, "", role="commander", step="offer", who="cem")
    story(
        Kind.ROLE,
        145,
        "20:55 in New York; 02:55 in Madrid, for the first time",
        role="commander",
        step="take",
        who="cem",
        by="cem",
    )
    story(Kind.NOTE, 149, "02:59 summer time", recorded=149.5)
    story(Kind.NOTE, 151, "02:01 winter time, two minutes later", recorded=151.5)
    story(Kind.UPDATE, 155, "The sites answer again.", step="posted", audience="public", by="cem",
          next=datetime(2026, 10, 25, 2, 0, tzinfo=UTC).isoformat())  # fmt: skip
    story.observe(160, "site.slow", "reliefweb.example", "ok", "over: reliefweb.example", hold=10, every=15)
    story(Kind.HYPOTHESIS, 170, "memory is at 61% since", by="bob", state="confirmed", ref=guess)
    story(
        Kind.EVIDENCE, 171, "numbers of 00:21 to 01:21Z for the report: 2 series", by="watch", source="watch",
        since=datetime(2026, 10, 25, 0, 21, tzinfo=UTC).isoformat(), step=300,
        series=[
            {"of": "host web2", "name": "memory", "unit": "%", "points": [96, 97, None, None, 88, 70, 64, 61]},
            {"of": "site s", "name": "latency", "unit": " ms", "points": [4100, 9000, None, 9800, 700, 320, 300, 310]},
        ],
    )  # fmt: skip
    story(
        Kind.FOLLOWUP, 172, "limit the memory of cron-a", owner="bob", priority="p1", due="2026-11-02", sort="prevent"
    )
    story(Kind.MILESTONE, 100, "", name="mitigated", recorded=173)
    story(Kind.STATUS, 240, "", status="resolved", by="cem")


def ten_thousand(story: Any) -> None:
    story.declare()
    story(Kind.MILESTONE, -5, "", name="started")
    for number in range(9_990):
        minute = number * 0.3
        if number % 5 == 4:
            level = ("crit", "ok")[number // 5 % 2]
            story.observe(minute, "gluster.brick-down", f"gv{number % 7}", level, f"gv{number % 7}: brick {level}")
        else:
            kind = (Kind.NOTE, Kind.ACTION, Kind.RESULT, Kind.DECISION)[number % 4]
            story(kind, minute, f"entry {number} of web{number % 3}", by=("ana", "bob", "cem")[number % 3])
    story(Kind.STATUS, 3000, "", status="resolved")


def test_ten_thousand_entries_by_their_head_and_counts(story: Any) -> None:
    """What stands before the long sections, the integrity note, and how many rows there are of what."""
    ten_thousand(story)
    report = render(story.source(), full=True)
    assert untouched(report)
    head = report[: report.index("## 8. ")]
    note = report[report.index("## 20. ") :]
    rows = re.findall(r"(?m)^\| [0-9:]{8} \| a\d+ \| [^|]+ \| ([A-Z]+) \|", report)
    counts = "".join(f"{word}: {count}\n" for word, count in sorted(Counter(rows).items()))
    made = f"{head}\n{note}\nrows of the timeline: {len(rows)}\n{counts}"
    assert len(rows) == len(story.entries)
    path = GOLDEN / "ten-thousand-head.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


STORIES = {
    "short": short,
    "rich": rich,
    "over-midnight": over_midnight,
    "drill": drill,
    "corrected": corrected,
    "only-machines": only_machines,
    "three-zones": three_zones,
}


@pytest.mark.parametrize("full", [False, True], ids=["page", "full"])
@pytest.mark.parametrize("name", STORIES)
def test_golden(name: str, full: bool, story: Any, well_formed: Callable[[str], Any]) -> None:
    STORIES[name](story)
    report = render(story.source(demo=name == "drill"), full=full)
    well_formed(report)
    assert untouched(report)
    path = GOLDEN / f"{name}{'-full' if full else ''}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(report, encoding="utf-8")
    assert report == path.read_text(encoding="utf-8")


def test_the_rich_one_has_every_kind(story: Any) -> None:
    rich(story)
    corrections = {Kind.AMEND, Kind.STRIKE, Kind.PURGE}
    assert {entry.kind for entry in story.entries} | corrections == set(Kind)
