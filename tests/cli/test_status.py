"""`status` counts as well only what a fresh reading says, and lists things in the order of the configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from incident_tui.cli.status import as_fields, as_lines
from incident_tui.config import Settings
from incident_tui.fleet.settings import Host
from incident_tui.hosts.readings import Container, Docker, Gap, GapKind, HostReading, Link, LinkState
from incident_tui.ui.view import Readings, machines
from incident_tui.watch.rooms.rows import RoomRow
from incident_tui.watch.rooms.settings import Room
from incident_tui.watch.rows import ChatRow
from incident_tui.watch.settings import ChatSink

NOW = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
UP = Link(state=LinkState.UP, sentence="", since=NOW, at=NOW)
SETTINGS = msgspec.structs.replace(
    Settings(),
    hosts=(Host(name="zeta"), Host(name="alpha")),
    chat=(ChatSink(name="z", url_env="A"), ChatSink(name="b", url_env="B")),
)


def reading(name: str, **changes: Any) -> HostReading:
    box = Container(id=name[0] * 64, name=f"{name}-box", state="running")
    return HostReading(
        host=name, at=NOW, link=UP, **({"docker": Docker(at=NOW, version="1", containers=(box,))} | changes)
    )


def last_line(*hosts: HostReading, now: datetime = NOW) -> str:
    board = Readings(hosts={host.host: host for host in hosts})
    return as_lines(machines(board, SETTINGS, now, {}), SETTINGS, now, 0.0)[-1]


def gap(kind: GapKind) -> dict[str, Gap]:
    return {"docker": Gap(at=NOW + timedelta(seconds=1), kind=kind, sentence="x", since=NOW)}


ROOM = Room(name="ops", kind="matrix", server="https://m", channels=("!a:m",), token_env="T")


def test_what_is_fresh_is_counted() -> None:
    assert "hosts 2/2 connected, containers 2/2 running," in last_line(reading("zeta"), reading("alpha"))


@pytest.mark.parametrize("kind", [GapKind.DOWN, GapKind.HUNG])
def test_containers_of_a_daemon_that_is_down_do_not_run_for_all_we_know(kind: GapKind) -> None:
    line = last_line(reading("zeta"), reading("alpha", gaps=gap(kind)))
    assert "containers 1/2 running (1 not known)" in line


def test_a_board_that_nobody_renews_is_not_connected_and_not_running() -> None:
    line = last_line(reading("zeta"), reading("alpha"), now=NOW + timedelta(hours=1))
    assert "hosts 0/2 connected, containers 0/2 running (2 not known)" in line
    assert "hosts 1/2 connected" in last_line(reading("zeta"))


def test_lists_are_in_the_order_of_the_configuration() -> None:
    hosts = {name: reading(name) for name in ("alpha", "zeta")}
    chats = {name: ChatRow(name=name, at=NOW) for name in ("b", "z")}
    made = machines(Readings(hosts=hosts, chats=chats), SETTINGS, NOW, {})
    fields = as_fields(made, SETTINGS, NOW, 0.0)
    assert [each["name"] for each in fields["hosts"]] == ["zeta", "alpha"]
    assert [each["host"] for each in fields["containers"]] == ["zeta", "alpha"]
    assert [each["name"] for each in fields["chat"]] == ["z", "b"]


def test_a_chat_that_is_down_is_told_with_its_queue() -> None:
    row = ChatRow(name="z", at=NOW, problem="cannot connect", since=NOW - timedelta(minutes=4), waiting=3, dead=1)
    made = machines(Readings(hosts={}, chats={"z": row, "b": ChatRow(name="b", at=NOW)}), SETTINGS, NOW, {})
    lines = as_lines(made, SETTINGS, NOW, 0.0)
    assert "X chat z: not delivered since 03:06:00Z: cannot connect, 3 waiting, 1 refused" in lines
    assert not any("chat b" in line for line in lines)


def test_a_room_that_is_not_read_is_unknown_not_well() -> None:
    settings = msgspec.structs.replace(SETTINGS, rooms=(ROOM, msgspec.structs.replace(ROOM, name="b")))
    row = RoomRow(name="ops", kind="matrix", at=NOW, problem="cannot connect", since=NOW - timedelta(minutes=4))
    made = machines(Readings(rooms={"ops": row}), settings, NOW, {})
    lines = as_lines(made, settings, NOW, 0.0)
    assert "? ops: chat not read since 03:06Z: cannot connect" in lines and "? b: chat not read yet" in lines
    assert [one["problem"] for one in as_fields(made, settings, NOW, 0.0)["rooms"]] == [
        "cannot connect",
        "not read yet",
    ]
