"""Alerts on the screen: what fires stands first, what is not known is not quiet, a group is one line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Author, Entry, Kind
from incident_tui.incident.finding import Level
from incident_tui.incident.views import TimelineRow
from incident_tui.incident.words import sentence, word
from incident_tui.ui.entry_detail import entry_detail
from incident_tui.ui.folded import Alerts, Folds, Run
from incident_tui.ui.lines import plain
from incident_tui.ui.present import alerts_piece, header
from incident_tui.ui.status import status_rows
from incident_tui.ui.timeline import Context, entry_lines, run_lines
from incident_tui.watch.alerts.rows import AlertsRow, FiringGroup, SourceRow, alert_findings
from incident_tui.watch.alerts.settings import AlertSource, Listener
from tests.ui.test_folded import START, row

AM = AlertSource(name="am", url="http://am")


def group(name: str = "alertname=BrickDown", level: str = "crit", **fields: Any) -> FiringGroup:
    given = {"title": "BrickDown", "since": START, "heard_at": START}
    return FiringGroup(source="am", group=name, level=level, **{**given, **fields})


def board(kit: Any, *groups: FiringGroup, **fields: Any) -> AlertsRow:
    groups = tuple(
        msgspec.structs.replace(one, since=kit.now - timedelta(minutes=12), heard_at=kit.now) for one in groups
    )
    given = {"at": kit.now, "groups": groups, "firing": sum(one.count for one in groups)}
    return AlertsRow(**{**given, **fields})


def view(kit: Any, alerts: AlertsRow | None, **fields: Any) -> Any:
    rows = {**kit.healthy(), **({"alerts": alerts} if alerts is not None else {})}
    return kit.view(rows, team=kit.team(alerts=(AM,)), **fields)


def test_what_fires_stands_first_and_in_the_header(kit: Any) -> None:
    shown = view(
        kit, board(kit, group(count=3, hosts=("web1", "web3")), group("disk", "warn", title="Disk full", text="/ 98 %"))
    )
    assert " ALERTS 4 firing" in status_rows(shown, 60)[0].line[0][0]
    first, second = (plain([each.line]) for each in status_rows(shown, 60)[1:3])
    assert first.startswith(" X BrickDown x3 on web1, web3 (am, for 12m)") and " ! Disk full: / 98 %" in second
    assert alerts_piece(shown) == ("X 4 alerts firing", "crit")
    assert "X 4 alerts firing" in plain(header(shown, 80))


@pytest.mark.parametrize(
    ("fields", "piece"),
    [
        ({}, ("no alerts", "")),
        ({"sources": (SourceRow(name="am", problem="cannot connect"),)}, ("? alerts am DOWN", "unknown")),
        ({"listener": "127.0.0.1:1 cannot be had"}, ("? alerts listener DOWN", "unknown")),
    ],
)
def test_what_is_not_known_is_not_quiet(kit: Any, fields: dict[str, Any], piece: tuple[str, str]) -> None:
    assert alerts_piece(view(kit, board(kit, **fields))) == piece


def test_without_a_source_there_is_no_word_of_alerts_and_with_one_silence_is_unknown(kit: Any) -> None:
    assert alerts_piece(kit.view(kit.healthy())) is None
    assert alerts_piece(view(kit, None)) == ("? alerts unknown", "unknown")
    old = view(kit, msgspec.structs.replace(board(kit, group()), at=kit.now - timedelta(seconds=90)))
    assert alerts_piece(old) == ("? alerts unknown", "unknown")
    assert [one.sentence for one in old.findings if one.rule == "alert.source"] == [
        "alerts: last heard of 90s ago; what fires is not known"
    ]


def test_findings_of_what_fires_of_sources_and_of_what_was_not_heard_of_for_long(kit: Any) -> None:
    old = group("old", title="Old", since=START, heard_at=kit.now - timedelta(hours=6))
    info = group("info", "info", title="Info")
    down = SourceRow(name="am", problem="no answer in time", since=kit.now - timedelta(minutes=3))
    row = board(kit, group(acknowledged=True), info, more=7, sources=(down, SourceRow(name="gone", problem="x")))
    row = msgspec.structs.replace(row, groups=(*row.groups, old))
    found = {one.subject: one for one in alert_findings((AM,), Listener(bind="127.0.0.1:1"), row, kit.now)}
    assert {name: one.level for name, one in found.items()} == {
        "am": Level.UNKNOWN,
        "am/alertname=BrickDown": Level.CRIT,
        "am/old": Level.UNKNOWN,
        "more alerts": Level.WARN,
    }
    assert found["am"].sentence == "am: no answer in time (for 3m)"
    assert found["am/old"].sentence.endswith("not heard of for 6h00m")
    assert found["am/alertname=BrickDown"].sentence == "BrickDown (am, for 12m, acknowledged)"


def alert(number: int, key: str, status: str = "firing", group: str = "alertname=Down", **data: Any) -> TimelineRow:
    at = START + timedelta(seconds=number)
    level = "ok" if status == "resolved" else "crit"
    told = {"from": "am", "key": key, "status": status, "level": level, "title": f"Down {key}", "group": group, **data}
    entry = Entry(
        "0123456789abcdef", number + 1, Kind.ALERT, at, at, Author("am"), text=f"Down {key}: no ping", data=told
    )
    said = entry.text
    return TimelineRow(entry=entry, at=at, text=sentence(entry, said), word=word(entry), said=said)


def shown(rows: list[TimelineRow], folds: Folds | None = None) -> list[str]:
    folds = folds or Folds()
    folds.feed([*rows, *(row(number) for number in range(900, 904))], still=False)
    context = Context(90, letters={"0123456789abcdef": "a"})
    return [
        plain(run_lines(one, context) if isinstance(one, Run) else entry_lines(one, (), context))
        for one in folds.items[:-4]
    ]


def test_a_group_is_one_line_with_a_counter_and_groups_are_not_mixed() -> None:
    rows = [alert(number, f"k{number}") for number in range(5)]
    rows += [alert(5, "k0", "resolved"), alert(6, "x", group="other"), alert(7, "k9")]
    assert shown(rows) == [
        "    + 14:00:00 ALERT Down x7: 5 firing, 1 over (am)",
        "   a7 14:00:06      ALERT Down x: no ping",
    ]
    over = [alert(number, f"k{number % 2}", "resolved" if number > 1 else "firing") for number in range(4)]
    assert shown(over) == ["    + 14:00:00 OK Down x4: 2 over (am)"]


def test_a_storm_counts_for_all_it_stands_for_and_opens() -> None:
    storm = alert(9, "", "storm", count=9_000, firing=8_000)
    rows = [alert(1, "a"), alert(2, "b"), storm]
    folds = Folds()
    assert shown(rows, folds) == ["    + 14:00:01 ALERT Down x9002: 2 firing, more counted (am)"]
    run = folds.items[0]
    assert isinstance(run, Alerts)
    folds.open(run)
    assert [one.ref.seq for one in folds.items[:3]] == [2, 3, 10]


def test_the_words_of_an_alert() -> None:
    rows = [alert(1, "a"), alert(2, "a", "resolved"), alert(3, "a", "acknowledged"), alert(4, "", "storm")]
    assert [(one.word, one.text) for one in rows] == [
        ("ALERT", "Down a: no ping"),
        ("OK", "over: Down a: no ping"),
        ("ACKED", "Down a: no ping"),
        ("ALERTS", "Down : no ping"),
    ]


@pytest.mark.parametrize("status", [[], {}, 7, None])
def test_a_status_that_is_no_word_is_an_alert_all_the_same(status: Any) -> None:
    assert alert(1, "k", status).word == "ALERT"


def test_the_detail_shows_labels_for_people(kit: Any) -> None:
    one = alert(1, "a", labels={"instance": "web3:9100", "job": "node"}, link="https://am/x")
    text = plain(entry_detail(one, kit.view(kit.healthy()), 70))
    assert "instance=web3:9100, job=node" in text and "https://am/x" in text
