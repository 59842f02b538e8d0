"""Alerts become entries once each, together where they are many, in the incident that they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Kind
from incident_tui.journal.errors import Corrupt
from incident_tui.watch.alerts.settings import AlertRule, AlertSource
from incident_tui.watch.alerts.sources import Sources
from tests.watch.alerts.conftest import NOW

MakeDesk = Callable[..., Any]


def test_firing_and_resolved_are_one_entry_each_whatever_is_told_again(make_desk: MakeDesk) -> None:
    desk = make_desk()
    fires, over = desk.alert(text="no ping"), desk.alert(status="resolved")
    desk.take(fires, fires)
    assert len(desk.intake.firing) == 1
    desk.take(fires, over, over)
    desk.again()
    desk.take(fires, over)
    assert desk.said() == [("firing", "Down k1: no ping"), ("resolved", "Down k1")]
    first, second = desk.entries()
    assert (first.data["level"], second.data["level"], first.author) == (
        "warn",
        "ok",
        Author("am", account="alert", proven=True),
    )
    assert len(desk.intake.firing) == 0


def test_the_same_alert_fires_again_in_a_new_episode(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(desk.alert(), desk.alert(status="resolved"))
    later = (NOW + timedelta(hours=1)).isoformat()
    desk.forward(hours=2)
    desk.take(desk.alert(episode=later, at=later), desk.alert(status="resolved"))
    assert [status for status, _ in desk.said()] == ["firing", "resolved", "firing"]
    assert len(desk.intake.firing) == 1, "the end of the first episode, told late, does not end the second"


def test_the_end_of_what_nobody_heard_of_is_an_entry_too(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(desk.alert(status="resolved"))
    assert desk.said() == [("resolved", "Down k1")]


def test_a_source_that_tells_no_episode_fires_once_until_it_ends(make_desk: MakeDesk) -> None:
    desk = make_desk()
    for _ in range(3):
        desk.take(desk.alert(episode="", at=None))
        desk.forward(seconds=30)
    for _ in range(2):
        desk.take(desk.alert(status="resolved", episode="", at=None))
        desk.forward(seconds=30)
    desk.take(desk.alert(episode="", at=None), desk.alert(episode="", at=None, severity="critical"))
    assert [status for status, _ in desk.said()] == ["firing", "resolved", "firing", "firing"]
    desk.again()
    desk.take(desk.alert(episode="", at=None, severity="critical"))
    assert len(desk.said()) == 4


def test_an_alert_belongs_to_the_incident_in_force_and_stays_in_its_groups(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(desk.alert("early"))
    desk.declare("INC-20261123-aaaa")
    desk.forward(minutes=1)
    desk.take(desk.alert("a", at=desk.now.isoformat()))
    desk.declare("INC-20261123-bbbb")
    desk.forward(minutes=1)
    desk.take(desk.alert("b", at=desk.now.isoformat()), desk.alert("c", at=desk.now.isoformat(), group="other"))
    desk.again()
    desk.take(desk.alert("d", at=desk.now.isoformat()))
    homes = [(entry.data["key"], entry.incident[-4:]) for entry in desk.entries()]
    assert homes == [("early", ""), ("a", "aaaa"), ("b", "aaaa"), ("c", "bbbb"), ("d", "aaaa")]


def test_a_rule_ignores_raises_and_fits_whole_values(make_desk: MakeDesk) -> None:
    desk = make_desk(
        AlertRule(match={"env": "test"}, ignore=True),
        AlertRule(match={"alertname": "~Disk.*", "source": "am"}, level="crit"),
    )
    desk.take(
        desk.alert("a", labels={"env": "test"}),
        desk.alert("b", labels={"env": "testing", "alertname": "DiskFull"}),
        desk.alert("c", labels={"alertname": "NoDisk"}),
        desk.alert("d", severity="none"),
        desk.alert("e", severity="info"),
        desk.alert("f", severity="critical"),
    )
    assert {e.data["key"]: e.data["level"] for e in desk.entries()} == {
        "b": "crit",
        "c": "warn",
        "e": "info",
        "f": "crit",
    }


def test_a_rule_declares_once_for_a_group_and_nobody_commands(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(match={"severity": "critical"}, declare=True, severity=1))
    labels = {"severity": "critical", "instance": "web3:9100"}
    desk.forward(minutes=3)
    first = desk.alert("a", labels=labels, severity="critical", text="brick is down")
    desk.take(first, desk.alert("b", labels=labels), first)
    desk.again()
    desk.take(first, desk.alert("c", labels=labels))
    (declare,) = desk.entries(Kind.DECLARE)
    assert declare.data["by"] == ["am", "g"] and declare.at == NOW + timedelta(minutes=3)
    assert {entry.incident for entry in desk.entries()} == {declare.incident}
    incident = desk.fold.incident(declare.incident)
    assert (incident.title, incident.severity, incident.commander) == ("Down a: brick is down", 1, "")
    assert incident.milestones["detected"].at == NOW
    assert desk.entries()[0].data["host"] == "web3"


def test_a_rule_sees_the_severity_of_a_form_that_has_no_such_label(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(match={"severity": "critical"}, declare=True))
    desk.take(desk.alert("a", severity="warning"))
    assert not desk.entries(Kind.DECLARE)
    desk.take(desk.alert("b", severity="Critical", group="x"))
    assert len(desk.entries(Kind.DECLARE)) == 1


def test_after_the_incident_was_closed_only_a_new_alert_declares_another(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(declare=True))
    first = desk.alert("a")
    desk.take(first)
    incident = desk.entries(Kind.DECLARE)[0].incident
    close = Draft(
        kind=Kind.MILESTONE, text="", at=NOW, author=Author("ana"), incident=incident, data={"name": "closed"}
    )
    desk.fold.apply(desk.store.append([close], key="close")[0])
    desk.take(first)
    desk.again()
    desk.take(first)
    assert len(desk.entries(Kind.DECLARE)) == 1
    desk.take(desk.alert("b"))
    assert len(desk.entries(Kind.DECLARE)) == 2
    assert desk.entries()[-1].incident != incident


def test_what_is_running_about_the_same_machine_is_not_declared_again(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(declare=True))
    desk.declare("INC-20261123-aaaa", "web2 down, sites 502")
    desk.forward(minutes=1)
    desk.take(desk.alert("a", labels={"host": "web2"}, title="NodeDown web2"))
    assert len(desk.entries(Kind.DECLARE)) == 1 and desk.entries()[0].incident == "INC-20261123-aaaa"
    desk.take(desk.alert("b", labels={"host": "web3"}, title="NodeDown web3", group="h"))
    assert len(desk.entries(Kind.DECLARE)) == 2


def test_an_exercise_is_no_home_for_a_real_alert(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(match={"host": "web2"}, declare=True))
    desk.declare("INC-20261123-aaaa", "web2 down", drill=True)
    desk.forward(minutes=1)
    desk.take(desk.alert("a", labels={"host": "web2"}), desk.alert("b", group="x", at=desk.now.isoformat()))
    assert len(desk.entries(Kind.DECLARE)) == 2
    assert "INC-20261123-aaaa" not in {entry.incident for entry in desk.entries()}


def test_a_silenced_alert_is_no_entry_until_it_is_not_silenced(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(desk.alert(silenced=True))
    groups, _, firing, silenced = desk.intake.firing.groups()
    assert (groups, firing, silenced, desk.said()) == ((), 0, 1, [])
    desk.take(desk.alert())
    assert len(desk.said()) == 1 and desk.intake.firing.groups()[2:] == (1, 0)


def test_a_storm_is_counted_and_nothing_that_matters_is_lost(make_desk: MakeDesk) -> None:
    desk = make_desk()
    for batch in range(100):
        desk.forward(seconds=0.1)
        desk.take(*(desk.alert(f"k{batch * 100 + n}", severity="critical", at=None) for n in range(100)))
        desk.intake.flush()
    desk.forward(seconds=4)
    desk.intake.flush()
    storms = [entry for entry in desk.entries() if entry.data["status"] == "storm"]
    alone = len(desk.entries()) - len(storms)
    assert alone == 8 and len(storms) <= 3
    assert alone + sum(entry.data["count"] for entry in storms) == 10_000
    assert alone + sum(entry.data["distinct"] for entry in storms) == 10_000
    assert storms[0].data["level"] == "crit" and "first Down k8, last Down k" in storms[0].text
    assert desk.intake.firing.groups()[2] == 10_000
    before = len(desk.entries())
    desk.take(*(desk.alert(f"k{n}", severity="critical", at=None) for n in range(10_000)))
    desk.intake.flush(all_of_them=True)
    assert len(desk.entries()) == before, "told again, they are no second storm"


def test_many_groups_are_bounded_too_and_a_storm_can_declare(make_desk: MakeDesk) -> None:
    desk = make_desk(AlertRule(match={"env": "prod"}, declare=True))
    desk.take(*(desk.alert(f"k{n}", group=f"g{n}", at=None) for n in range(3_000)))
    desk.take(desk.alert("bad", group="bad", labels={"env": "prod"}))
    desk.forward(seconds=60)
    desk.intake.flush()
    storms = [entry for entry in desk.entries() if entry.data["status"] == "storm"]
    assert len(desk.entries()) - len(storms) == 40 and len(storms) == 11
    assert sum(entry.data["count"] for entry in storms) == 3_001 - 40
    assert len(desk.entries(Kind.DECLARE)) == 1


def test_what_is_only_counted_is_written_when_the_watch_ends(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(*(desk.alert(f"k{n}") for n in range(20)))
    desk.intake.flush(all_of_them=True)
    assert [entry.data.get("count") for entry in desk.entries()] == [None] * 8 + [12]


def test_after_a_restart_what_still_fires_is_known_and_not_told_anew(make_desk: MakeDesk) -> None:
    desk = make_desk()
    desk.take(*(desk.alert(f"k{n}") for n in range(50)))
    desk.intake.flush(all_of_them=True)
    before = len(desk.entries())
    desk.again(desk.intake.firing.kept())
    assert len(desk.intake.firing) == 50
    desk.take(*(desk.alert(f"k{n}") for n in range(50)))
    desk.intake.flush(all_of_them=True)
    assert len(desk.entries()) == before


def test_labels_group_where_the_source_does_not(make_desk: MakeDesk) -> None:
    desk = make_desk(am=AlertSource(name="am", group=("alertname", "cluster")))
    desk.take(desk.alert("a", group="", labels={"alertname": "X", "cluster": "c1"}), desk.alert("b", group=""))
    assert [entry.data["group"] for entry in desk.entries()] == ["alertname=X, cluster=c1", "Down b"]


@pytest.mark.parametrize(
    ("value", "host"),
    [("web2", "web2"), ("WEB2.example.org:9100", "web2"), ("web2:9100", "web2"), ("db1", None), ("", None)],
)
def test_a_label_names_a_configured_host(make_desk: MakeDesk, value: str, host: str | None) -> None:
    desk = make_desk()
    desk.take(desk.alert(labels={"instance": value}))
    assert desk.entries()[0].data.get("host") == host


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_repetition_and_order_within_an_episode_ends_in_the_same(make_desk: MakeDesk, data: st.DataObject) -> None:
    desk = make_desk()
    told = [desk.alert("a"), desk.alert("a", "resolved"), desk.alert("b"), desk.alert("a", "acknowledged")]
    order = [*data.draw(st.permutations(told)), *data.draw(st.lists(st.sampled_from(told), max_size=8))]
    for alert in order:
        desk.take(alert)
        if data.draw(st.booleans()):
            desk.again(desk.intake.firing.kept())
    assert sorted(desk.said()) == sorted((one.status, one.sentence) for one in told)
    assert [one.key for one in desk.intake.firing.of("am")] == ["b"]


class Hanging:
    """A disk that answers when the test lets it."""

    def __init__(self, saving: Any) -> None:
        self._saving = saving
        self.asked: list[tuple[Future[Any], Any]] = []

    def each(self, pairs: Any) -> Future[Any]:
        self.asked.append((Future(), pairs))
        return self.asked[-1][0]

    def answer(self, error: Exception | None = None) -> None:
        future, pairs = self.asked.pop(0)
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(self._saving.each(pairs).result())


@pytest.mark.parametrize("fails", [False, True])
async def test_who_tells_again_what_is_being_saved_waits_for_it_and_the_board_does_not(
    make_desk: MakeDesk, fails: bool
) -> None:
    desk = make_desk()
    disk = desk.intake._saving = Hanging(desk.intake._saving)
    first = asyncio.create_task(desk.intake.take([desk.alert()]))
    second = asyncio.create_task(desk.intake.take([desk.alert()]))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not first.done() and not second.done() and len(disk.asked) == 1
    assert len(desk.intake.firing) == 1, "what fires is known while the disk hangs"
    disk.answer(Corrupt("damaged.") if fails else None)
    if fails:
        with pytest.raises(Corrupt):
            await first
        for _ in range(10):
            await asyncio.sleep(0)
        disk.answer()
    await asyncio.gather(second, *([] if fails else [first]))
    assert len(desk.said()) == 1


def test_what_nobody_speaks_of_any_more_is_forgotten_unless_a_poll_will_tell(make_desk: MakeDesk) -> None:
    desk = make_desk()
    sources = Sources(
        [AlertSource(name="polled", url="http://am"), AlertSource(name="rare", stale_minutes=600)], lambda: NOW
    )
    desk.take(*(desk.alert(source, source=source) for source in ("polled", "rare", "cron")))
    hours = {25: ["polled", "rare"], 41: ["polled"], 400: ["polled"]}
    desk.intake.firing.forget(NOW + timedelta(hours=23), sources.kept)
    assert len(desk.intake.firing) == 3
    for later, left in hours.items():
        desk.intake.firing.forget(NOW + timedelta(hours=later), sources.kept)
        assert [one.source for one in desk.intake.firing.kept().alerts] == left
