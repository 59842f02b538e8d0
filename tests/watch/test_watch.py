"""The watch as a process against embedded peers: lease, takeover, one connection a host, clean ends."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from incident_tui.incident.entry import Author, Draft, Kind, Ref
from incident_tui.journal import notify
from incident_tui.journal.lease import Holder, Lease
from incident_tui.journal.presence import Presence
from incident_tui.journal.record import own_records
from incident_tui.journal.store import Store

Staged = Callable[..., Any]
Until = Callable[..., Any]
Status = Callable[[Any], dict[str, Any]]


def holder(journal: Path) -> Holder | None:
    with Store.open(journal) as store:
        return Lease(journal, store).holder()


def held_by(journal: Path, process: subprocess.Popen[str]) -> bool:
    found = holder(journal)
    return found is not None and found.pid == process.pid and found.fresh


def connections(port: int) -> int:
    """Established TCP connections to a port of loopback, as the kernel counts them."""
    wanted = f"0100007F:{port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(1 for row in rows if row.split()[2] == wanted and row.split()[3] == "01")


def ports(config: Path) -> list[int]:
    return [int(port) for port in re.findall(r"^port = (\d+)", config.read_text(), re.M)]


def test_it_reads_all_hosts_and_a_second_screen_opens_no_connection(
    staged: Staged, until: Until, status_of: Status, program: Any
) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: all(host["state"] == "connected" for host in status_of(one)["hosts"]))
    status = until(lambda: (found := status_of(one))["volumes"] and len(found["containers"]) == 10 and found)
    assert status["watch"]["pid"] == process.pid and status["watch"]["fresh"]
    assert {host["docker_version"] for host in status["hosts"]} == {"1.6.2", "28.0.4"}
    before = [connections(port) for port in ports(one.stage.config)]
    assert before == [1, 1, 1, 1]
    second = one.watch()
    assert second.wait(20) == 0
    assert second.stdout is not None and f"pid {process.pid}" in second.stdout.read()
    assert [connections(port) for port in ports(one.stage.config)] == before


def test_it_keeps_what_the_hosts_printed(staged: Staged, until: Until) -> None:
    from incident_tui.hosts.raw import RawText
    from incident_tui.journal.board import Board

    one = staged("healthy")
    one.watch("--service")
    board = Board.open(one.stage.journal)

    def names() -> set[str]:
        kept = board.details("raw/", RawText).values()
        return {section.name.partition(":")[0] for raw in kept for section in raw.sections}

    until(lambda: {"proc", "docker-inspect", "gluster-peers", "status"} <= names())
    assert "raw/web1" not in board.read()
    whole = " ".join(each.text for raw in board.details("raw/", RawText).values() for each in raw.sections)
    assert "MemTotal" in whole and '"Running": true' in whole
    board.close()


def test_sigterm_ends_it_cleanly_and_frees_the_lease(staged: Staged, until: Until) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    process.terminate()
    assert process.wait(15) == 0
    assert holder(one.stage.journal) is None
    until(lambda: sum(connections(port) for port in ports(one.stage.config)) == 0)


def test_kill_9_moves_the_lease_at_once(staged: Staged, until: Until) -> None:
    one = staged("healthy")
    first = one.watch("--service")
    until(lambda: held_by(one.stage.journal, first))
    second = one.watch("--service")
    first.kill()
    until(lambda: held_by(one.stage.journal, second), 15)


def test_a_stopped_watch_loses_the_lease_and_does_no_harm_when_it_goes_on(
    staged: Staged, until: Until, program: Any
) -> None:
    one = staged("healthy")
    first = one.watch()
    until(lambda: held_by(one.stage.journal, first))
    second = one.watch("--service")
    os.kill(first.pid, signal.SIGSTOP)
    until(lambda: held_by(one.stage.journal, second), 15)
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait(15) == 0
    assert held_by(one.stage.journal, second)
    assert program("verify", *one.words).returncode == 0


def test_without_screens_it_ends_after_a_while_and_stays_while_one_is_open(staged: Staged, until: Until) -> None:
    def short(settings: Any) -> Any:
        return settings

    one = staged("healthy", short)
    config = one.stage.config
    config.write_text(config.read_text().replace("linger_seconds = 5.0", "linger_seconds = 1.5"))
    screen = Presence(one.stage.journal)
    screen.enter("ana")
    process = one.watch()
    until(lambda: held_by(one.stage.journal, process))
    rounds = status_rounds(one)
    until(lambda: status_rounds(one) >= rounds + 2)
    assert process.poll() is None
    screen.leave()
    assert process.wait(15) == 0


def status_rounds(one: Any) -> int:
    from incident_tui.journal.board import Board
    from incident_tui.watch.rows import WatchRow

    board = Board.open(one.stage.journal)
    try:
        row = board.get("watch", WatchRow)
        return row.rounds if row else 0
    finally:
        board.close()


def test_updates_reach_the_chat_once_and_a_restart_repeats_nothing(staged: Staged, until: Until, program: Any) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: held_by(one.stage.journal, process))
    program("declare", "sites slow", "--severity", "2", *one.words, "--as", "ana")
    program("log", "/update public +20m We are looking at it. @channel <!here>", *one.words, "--as", "ana")
    program("log", "a plain note", *one.words, "--as", "ana")
    until(lambda: one.stage.chat().count("\n") >= 2)
    process.terminate()
    process.wait(15)
    again = one.watch("--service")
    until(lambda: held_by(one.stage.journal, again))
    program("log", "/sev 1 all sites", *one.words, "--as", "ana")
    until(lambda: "SEV1" in one.stage.chat())
    lines = one.stage.chat().splitlines()
    assert len(lines) == 3 and "DECLARED SEV2" in lines[0] and "UPDATE (public)" in lines[1]
    assert "<!here>" not in lines[1] and "plain note" not in "".join(lines)


def test_what_another_bastion_wrote_is_not_posted_here_and_purges_that_wait_are_done(
    staged: Staged, until: Until, program: Any, tmp_path: Path
) -> None:
    one = staged("healthy")
    program("declare", "sites slow", "--severity", "2", *one.words, "--as", "ana")
    with Store.open(one.stage.journal) as here, Store.open(tmp_path / "there", letter="z") as there:
        (declared,) = here.read()
        ben, data = Author("ben"), {"step": "posted", "audience": "public"}

        def post(text: str) -> None:
            said = Draft(Kind.UPDATE, text, here.clock(), ben, declared.incident, "", data)
            there.append([said], key=text)
            here.make_others().take(own_records(there, 1, 9), here.clock())
            notify.ring(one.stage.journal)

        post("said there before")
        there.append([Draft(Kind.PURGE, "a password", here.clock(), ben, ref=declared.id)], key="purge")
        here.make_others().take(own_records(there, 1, 9), here.clock())
        process = one.watch("--service")
        until(lambda: held_by(one.stage.journal, process))
        until(lambda: any(entry.kind is Kind.PURGE for entry in here.read()))
        post("said there now")
        program("log", "/update public said here", *one.words, "--as", "ana")
        until(lambda: "said here" in one.stage.chat())
        queue = sqlite3.connect(one.stage.journal / "outbox.db")
        posted = [here.get(Ref(*row)) for row in queue.execute("SELECT DISTINCT journal, seq FROM messages")]
        queue.close()
    assert {entry.text for entry in posted if entry is not None and not entry.purged} == {"said here"}
    assert "said there" not in one.stage.chat()


def test_an_ask_brings_a_fresh_reading(staged: Staged, until: Until, status_of: Status) -> None:
    from incident_tui.watch.asks import ask

    one = staged("healthy")
    config = one.stage.config
    text = config.read_text().replace("fast_seconds = 2.0", "fast_seconds = 600.0")
    config.write_text(text.replace("slow_seconds = 5.0", "slow_seconds = 600.0"))
    one.watch("--service")
    until(lambda: all(host["docker_age"] is not None for host in status_of(one)["hosts"]))

    def age() -> float:
        return float(status_of(one)["hosts"][0]["memory_age"])

    until(lambda: age() > 1.5)
    ask(one.stage.journal, "web1")
    until(lambda: age() < 1.2, 10)


def test_the_board_row_of_a_host_that_is_gone_from_the_configuration_goes_too(
    staged: Staged, until: Until, status_of: Status
) -> None:
    one = staged("healthy")
    process = one.watch("--service")
    until(lambda: "host/build1" in rows(one))
    process.terminate()
    process.wait(15)
    config = one.stage.config
    settings = config.read_text().split("[[hosts]]")
    config.write_text(
        "[[hosts]]".join(part for part in settings if 'name = "build1"' not in part) + site_tail(settings)
    )
    one.watch("--service")
    until(lambda: "host/build1" not in rows(one) and "host/web1" in rows(one))


def site_tail(parts: list[str]) -> str:
    """What followed the removed host's table inside its part."""
    part = next(part for part in parts if 'name = "build1"' in part)
    return part[part.index("\n[") :] if "\n[" in part else ""


def rows(one: Any) -> set[str]:
    from incident_tui.journal.board import Board

    board = Board.open(one.stage.journal)
    try:
        return set(board.read())
    finally:
        board.close()


def test_observations_are_recorded_and_a_fault_follows_through_to_repair(
    staged: Staged, until: Until, status_of: Status, program: Any
) -> None:
    one = staged("outage", speed=4.0)
    one.watch("--service")
    program("declare", "outage", *one.words, "--as", "ana")
    until(lambda: {"site.down", "gluster.brick-down"} <= {f["rule"] for f in status_of(one)["findings"]}, 60)

    def known() -> list[Any]:
        board = status_of(one)
        missing = [(host["name"], host["not_available"]) for host in board["hosts"] if host["not_available"]]
        return [*missing, [f["sentence"] for f in board["findings"]], board["volumes"]]

    until(lambda: any(f["rule"] == "gluster.split-brain" for f in status_of(one)["findings"]), 180, known)
    for line in (
        "! stopped solr on web2 to free memory",
        "! restarted drupal-a on web2",
        "! started gv0 with force, brick is back",
        "! chose web1 as source for /files/a.pdf on gv0",
    ):
        program("log", line, *one.words, "--as", "ana")

    def left() -> list[dict[str, Any]]:
        past = (
            "machine.oom",
            "docker.container-oom",
            "gluster.brick-oom",
        )  # a kill stays in sight for a while after the repair
        return [f for f in status_of(one)["findings"] if f["level"] == "crit" and f["rule"] not in past]

    until(lambda: not left(), 180, left)

    def words() -> set[str]:
        shown = msgspec.json.decode(program("show", "--json", *one.words).stdout)
        return {row["word"] for row in shown["timeline"]}

    until(lambda: {"DECLARED", "ACTION", "DOWN", "OOM", "OK", "SPLIT"} <= words(), 30)
    assert program("verify", *one.words).returncode == 0
