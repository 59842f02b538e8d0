"""The reader of a room against a platform that does as it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from incident_tui.incident.entry import Kind
from incident_tui.watch.inbound.said import Answer, Rules, Said, Taken
from incident_tui.watch.rooms.cursors import Place
from incident_tui.watch.rooms.feed import MOST
from incident_tui.watch.rooms.platform import Way
from incident_tui.watch.rooms.problem import RoomError
from incident_tui.watch.rooms.reader import Reader
from incident_tui.watch.rooms.settings import Room
from tests.watch.rooms.kit import Held, until

ROOM = Room(name="ops", kind="matrix", channels=("!a:m",), server="https://m", token_env="T", take=("all",))


def said(number: int, **more: Any) -> Said:
    base: dict[str, Any] = {"text": f"number {number}", "author_id": "@a", "at": datetime.now(UTC)}
    return Said(**{"source": "ops", "room": "!a:m", "id": f"${number}", **base, **more})


class Scripted:
    """Each connection is the next of `script`: an error, or what is said and where that ends."""

    def __init__(self, *script: RoomError | Exception | tuple[Sequence[Said], Place | None]) -> None:
        self.own: frozenset[str] = frozenset()
        self.script = list(script)
        self.places: list[Place | None] = []
        self.fetched: list[str] = []

    async def hello(self) -> str:
        return "somebody"

    async def read(self, way: Way) -> None:
        self.places.append(way.place)
        if not self.script:
            await asyncio.Event().wait()
        one = self.script.pop(0)
        if isinstance(one, Exception):
            raise one
        way.heard()
        await way.put(*one)

    async def fetch(self, said: Said) -> Said | None:
        self.fetched.append(said.id)
        if said.id == "$gone":
            raise RoomError("answered 403")
        return Said(
            source="ops",
            room="!a:m",
            id=said.id,
            at=said.at - timedelta(minutes=1),
            author_id="@a",
            text=f"text of {said.id}",
            reactions=said.reactions,
        )

    async def reply(self, answer: Answer) -> None:
        raise RoomError("answered 500")


@contextlib.asynccontextmanager
async def running(held: Held, platform: Scripted, room: Room = ROOM) -> Any:
    reader = Reader(room, platform, held.journal, lambda: 1.0)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_waits_longer_each_time_and_as_long_as_it_is_asked(tmp_path: Path) -> None:
    held = Held(tmp_path)
    again = [RoomError("cannot connect") for _ in range(8)]
    asked = [RoomError("429", wait=17.0), RoomError("429", wait=1e9), RoomError("bad token", lasting=True)]
    platform = Scripted(*again, *asked)
    async with running(held, platform) as reader:
        await until(lambda: not platform.script and len(held.slept) == 11)
        assert held.slept == [1, 2, 4, 8, 16, 32, 60, 60, 17, 600, 60]
        assert reader.row.problem == "bad token"
    held.close()


async def test_a_defect_of_ours_ends_nothing_and_tells_nothing_secret(tmp_path: Path, caplog: Any) -> None:
    held = Held(tmp_path)
    platform = Scripted(ValueError("https://hooks/planted-secret"), ([said(1)], None))
    async with running(held, platform):
        await until(lambda: held.said() == ["number 1"])
    assert "ValueError at test_reader.py" in caplog.text and "planted" not in caplog.text
    held.close()


async def test_one_message_that_cannot_be_taken_is_a_gap_and_the_others_are_entries(
    tmp_path: Path, monkeypatch: Any
) -> None:
    held = Held(tmp_path)
    take = held.journal.inbound.take

    async def breaks(rules: Rules, batch: Sequence[Said]) -> Taken:
        if any(one.id == "$2" for one in batch):
            raise KeyError("planted-secret")
        return await take(rules, batch)

    monkeypatch.setattr(held.journal.inbound, "take", breaks)
    platform = Scripted(([said(1), said(2), said(3)], None))
    async with running(held, platform):
        await until(lambda: held.said() == ["number 1", "number 3"])
        (gap,) = await until(lambda: held.rows(Kind.GAP))
        assert "could not be taken" in gap.text and "planted" not in gap.text
    held.close()


async def test_the_cursor_moves_when_all_is_saved_and_is_of_these_channels_alone(tmp_path: Path) -> None:
    held = Held(tmp_path)
    place = Place(at=datetime.now(UTC), token="s1")
    async with running(held, Scripted(([said(1)], place))):
        await until(lambda: held.cursors.get("ops"))
        assert held.said() == ["number 1"]
    first = Scripted()
    async with running(held, first):
        await until(lambda: first.places)
    assert first.places[0] is not None and first.places[0].token == "s1"
    other = Scripted()
    async with running(held, other, Room(**{**as_fields(ROOM), "channels": ("!b:m",)})):
        await until(lambda: other.places)
    assert other.places == [None]
    held.close()


async def test_marked_messages_are_fetched_and_what_cannot_be_is_a_gap(tmp_path: Path) -> None:
    held = Held(tmp_path)
    marks = [said(7, text=None, reactions=("pushpin",)), said(8, text=None, reactions=("pushpin",), id="$gone")]
    platform = Scripted((marks, None))
    async with running(held, platform, Room(**{**as_fields(ROOM), "take": ("reaction",)})):
        await until(lambda: held.said() == ["text of $7"])
        (gap,) = await until(lambda: held.rows(Kind.GAP))
        assert gap.text.endswith("a marked message could not be fetched: answered 403")
    held.close()


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    held = Held(tmp_path)
    reader = Reader(ROOM, Scripted(), held.journal, lambda: 1.0)

    async def flood() -> None:
        for number in range(MOST * 2):
            await reader.feed.put([said(number)])

    flooding = asyncio.create_task(flood())
    await until(lambda: reader.feed.waiting >= MOST)
    assert reader.feed.waiting == MOST and not flooding.done()
    saving = asyncio.create_task(reader.feed.save())
    await asyncio.wait_for(flooding, 60)
    await until(lambda: reader.feed.waiting == 0)
    saving.cancel()
    assert len(held.said()) == MOST * 2
    held.close()


def as_fields(room: Room) -> dict[str, Any]:
    return {name: getattr(room, name) for name in room.__struct_fields__}
