"""A real Alertmanager, by push and by poll: fire, group, told again, retried after 503, silenced, resolved."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.state import Fold
from incident_tui.journal.errors import Full
from incident_tui.journal.store import Store
from incident_tui.watch.alerts.alert import Alert
from incident_tui.watch.alerts.intake import Intake
from incident_tui.watch.alerts.judging import Judge
from incident_tui.watch.alerts.poll import Poller, PollError, fetch
from incident_tui.watch.alerts.settings import AlertSource, Listener
from incident_tui.watch.alerts.sources import Sources
from incident_tui.watch.listen.port import Port
from incident_tui.watch.listen.routes import Routes
from incident_tui.watch.outside import OutsideSettings
from tests.alertmanager import Alertmanager, free_port
from tests.watch.inbound.conftest import OnStore

StartAlertmanager = Callable[..., Alertmanager]
Until = Callable[..., Any]

WEB = [{"alertname": "BrickDown", "instance": f"web{number}", "severity": "critical"} for number in (1, 2, 3)]


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "journal") as opened:
        yield opened


@pytest.fixture
def intake(store: Store) -> Intake:
    return Intake(OnStore(store), Fold(), Judge([], {}), clock=clock, new_id=lambda: "x")


def alerts(store: Store) -> list[tuple[str, str]]:
    found = [entry for entry in store.read() if entry.kind is Kind.ALERT]
    return sorted((str(entry.data["title"]), str(entry.data["status"])) for entry in found)


async def settled(ask: Callable[[], bool], step: Callable[[], Awaitable[None]] | None = None) -> None:
    """Waits for something outside of this process."""
    end = time.monotonic() + 30
    while True:
        if step is not None:
            await step()
        if ask():
            return
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


async def test_what_it_posts_is_saved_once_after_the_disk_was_full(
    alertmanager: StartAlertmanager, store: Store, intake: Intake, tmp_path: Path
) -> None:
    token, theirs = tmp_path / "token", tmp_path / "theirs"
    for file in (token, theirs):
        file.write_text("s3cret-token-of-am\n")
    settings = OutsideSettings(alerts=(AlertSource(name="am", token_file=str(token)),), listener=Listener(bind="x"))
    answers: list[int] = []
    full = True

    async def take(told: Sequence[Alert]) -> None:
        if full:
            raise Full("the disk is full.")
        await intake.take(told)

    async def nobody(*_: Any) -> Any:
        raise AssertionError

    routes = Routes(settings, Sources(settings.alerts, clock), take, nobody, clock=clock)

    async def handle(request: Any) -> Any:
        response = await routes.handle(request)
        answers.append(response.status)
        return response

    port = Port(handle)
    number = await port.start("127.0.0.1", 0, None)
    try:
        run = asyncio.to_thread
        am = await run(alertmanager, f"http://127.0.0.1:{number}/alerts/am", str(theirs))
        await run(am.post, *WEB, summary="brick is down")
        await settled(lambda: 503 in answers)
        assert alerts(store) == []
        full = False
        await settled(lambda: 200 in answers)
        assert alerts(store) == [(f"BrickDown web{number}", "firing") for number in (1, 2, 3)]
        assert {entry.data["group"] for entry in store.read()} == {"alertname=BrickDown"}
        await run(am.resolve, *WEB[:2])
        await settled(lambda: len(alerts(store)) == 5)
        assert [one.title for one in intake.firing.of("am")] == ["BrickDown web3"]
        token.write_text("another")
        await run(am.resolve, WEB[2])
        await settled(lambda: 401 in answers)
        assert len(alerts(store)) == 5 and "s3cret" not in am.log()
    finally:
        await port.stop()


async def test_what_is_polled_fires_is_silenced_and_is_over_when_absent_long_enough(
    alertmanager: StartAlertmanager, store: Store, intake: Intake
) -> None:
    am = await asyncio.to_thread(alertmanager)
    source = AlertSource(name="am", url=am.url, matchers=('alertname="BrickDown"',), resolve_seconds=60)
    sources, ahead = Sources([source], clock), timedelta(0)
    poller = Poller(source, intake, sources, lambda: clock() + ahead)
    run = asyncio.to_thread
    await run(am.post, *WEB, {"alertname": "Other"})
    await settled(lambda: len(alerts(store)) == 3, poller.once)
    await poller.once()
    assert alerts(store) == [(f"BrickDown web{number}", "firing") for number in (1, 2, 3)]
    silence = {
        "matchers": [{"name": "instance", "value": "web1", "isRegex": False}],
        "startsAt": f"{clock():%Y-%m-%dT%H:%M:%SZ}",
        "endsAt": f"{clock() + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "createdBy": "ana",
        "comment": "work",
    }
    await run(am.call, "/api/v2/silences", silence)
    await settled(lambda: intake.firing.groups()[3] == 1, poller.once)
    assert len(alerts(store)) == 3 and intake.firing.groups()[2] == 2
    await run(am.resolve, WEB[1])
    ahead = timedelta(seconds=10)
    await settled(lambda: bool(poller._absent), poller.once)
    await poller.once()
    assert len(alerts(store)) == 3, "absent for a moment is not over"
    ahead = timedelta(seconds=80)
    await poller.once()
    assert alerts(store)[2:4] == [("BrickDown web2", "resolved"), ("BrickDown web3", "firing")]
    await run(am.stop)
    await poller.once()
    (row,) = sources.rows()
    assert "cannot connect" in row.problem and len(intake.firing) == 2, "an Alertmanager that is down resolves nothing"
    await run(am.start)
    await poller.once()
    assert sources.rows()[0].problem == ""


async def test_what_is_no_alertmanager_is_a_sentence() -> None:
    with pytest.raises(PollError, match="cannot connect"):
        await fetch(AlertSource(name="x", url=f"http://127.0.0.1:{free_port()}"), clock())
    with pytest.raises(PollError, match="name is not found"):
        await fetch(AlertSource(name="x", url="http://name.invalid"), clock())
    with pytest.raises(PollError, match=r"\$NO_SUCH_TOKEN is not set"):
        await fetch(AlertSource(name="x", url="http://127.0.0.1:9", token_env="NO_SUCH_TOKEN"), clock())


def test_the_whole_watch_takes_each_alert_once_over_kill_9(
    alertmanager: StartAlertmanager, tmp_path: Path, until: Until, program: Any
) -> None:
    port, polled = free_port(), alertmanager()
    pushed = alertmanager(f"http://127.0.0.1:{port}/alerts/pushed")
    config, journal = tmp_path / "config.toml", tmp_path / "journal"
    config.write_text(
        f'[listener]\nbind = "127.0.0.1:{port}"\n[[alerts]]\nname = "pushed"\n[[alerts]]\nname = "polled"\n'
        f'url = "{polled.url}"\nseconds = 0.3\n[[alert_rules]]\nmatch = {{ severity = "critical" }}\ndeclare = true\n'
    )
    words = ["--config", str(config), "--journal", str(journal)]

    def watch() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "incident_tui", "watch", "--service", *words]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def entries() -> list[Entry]:
        with Store.open(journal) as store:
            return [entry for entry in store.read() if entry.kind in (Kind.ALERT, Kind.DECLARE)]

    process = watch()
    try:
        until(lambda: (journal / "journal.db").exists())
        for am in (pushed, polled):
            am.post(*WEB, summary="brick is down")
        until(lambda: len(entries()) == 7)
        process.kill()
        process.wait()
        pushed.resolve(WEB[0])
        process = watch()
        until(lambda: len(entries()) == 8)
        counted = [(entry.data.get("from"), entry.data.get("status")) for entry in entries()]
        assert counted.count(("pushed", "firing")) == counted.count(("polled", "firing")) == 3
        (declare,) = [entry for entry in entries() if entry.kind is Kind.DECLARE]
        assert {entry.incident for entry in entries()} == {declare.incident}

        def fields() -> Any:
            shown = program("status", "--json", *words, check=None).stdout
            return msgspec.json.decode(shown)["alerts"]

        found = until(lambda: (told := fields()) and told["firing"] == 5 and told)
        assert {source["name"]: source["problem"] for source in found["sources"]} == {"pushed": None, "polled": None}
        lines = program("status", *words, check=1).stdout
        assert "X BrickDown x3 (polled, for " in lines and "X BrickDown x2 (pushed, for " in lines, lines
        assert json.dumps(found)
    finally:
        process.terminate()
        assert process.wait(20) == 0
