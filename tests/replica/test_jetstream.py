"""Bastions over a real cluster that is well: what is written on one is on the others, from any point, once."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from nats.js import JetStreamContext

from incident_tui.incident.entry import Author
from incident_tui.journal.record import Record, encode, own_records
from incident_tui.journal.store import Store
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import subject
from tests.nats import Cluster
from tests.replica.bastions import ANA, Bastion, asked, bastions, carried, count, until


async def test_entries_go_both_ways(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        a.write("one", "two")
        b.write("three")
        await until(lambda: a.has(b) and b.has(a))
        assert b.texts(a) == ["one", "two"]
        assert a.texts(b) == ["three"]
        a.write("four")
        await until(lambda: b.has(a))
        await until(lambda: a.well and b.well)
        assert a.jet is not None and a.jet.row.detail in ("n1", "n2", "n3")


async def test_who_was_away_gets_everything_and_nothing_is_sent_twice(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "before")
        await b.stop()
        for number in range(20):
            a.write(*(f"{number} {each}" for each in range(100)))
        await a.stop()
        a.start()
        b.start()
        await until(lambda: b.has(a) and a.well and b.well)
        assert len(b.texts(a)) == 2001
        assert (await count(nats_cluster.urls[0], on_cluster))[a.store.journal] == 2001


async def test_a_new_bastion_has_the_whole_past(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        a.write("one")
        b.write("two")
        await until(lambda: a.has(b) and b.has(a))
        async with bastions(tmp_path, on_cluster, "c") as (c,):
            await until(lambda: c.has(a, b))


async def test_a_copy_that_was_forgotten_or_is_older_comes_again(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one", "two", "three")
        await b.stop()
        assert b.store.others is not None
        b.store.others.forget(a.store.journal)
        b.start()
        await until(lambda: b.has(a))
        assert b.texts(a) == ["one", "two", "three"]


async def test_a_stream_that_was_taken_away_is_made_again(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        a.write("one", "two")
        b.write("three")
        await until(lambda: a.has(b) and b.has(a))
        await asked(nats_cluster.urls[0], lambda js: js.delete_stream(on_cluster.stream))
        a.write("four")
        await until(lambda: b.has(a))
        async with bastions(tmp_path, on_cluster, "c") as (c,):
            await until(lambda: c.has(a, b))


async def test_a_hole_in_the_stream_is_filled_by_whose_entries_they_are(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    """Who comes later misses entries, asks, and has them."""
    async with bastions(tmp_path, on_cluster, "a") as (a,):
        a.write("one", "two", "three", "four")
        await until(lambda: a.well)

        async def remove(js: JetStreamContext) -> None:
            for number in (2, 3):
                assert await js.delete_msg(on_cluster.stream, number)

        await asked(nats_cluster.urls[0], remove)
        async with bastions(tmp_path, on_cluster, "b") as (b,):
            await until(lambda: b.has(a))
            assert b.texts(a) == ["one", "two", "three", "four"]


async def test_the_last_entry_that_the_stream_lost_while_it_remembers_its_id_is_sent_again(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster, "a") as (a,):
        a.write("one", "two")
        await until(lambda: a.well)
        await a.stop()
        assert await asked(nats_cluster.urls[0], lambda js: js.delete_msg(on_cluster.stream, 2))
        a.start()
        await until(lambda: a.well)
        async with bastions(tmp_path, on_cluster, "b") as (b,):
            await until(lambda: b.has(a))
            assert b.texts(a) == ["one", "two"]


async def test_a_purged_text_leaves_every_bastion_and_every_server(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        (secret,) = a.write("the password is geheim-9931")
        await carried(a, b, "after")
        a.store.purge(secret.id, author=ANA, reason="a password")
        await until(lambda: b.has(a))
        assert b.texts(a)[0] == ""

        async def texts(js: JetStreamContext) -> list[bytes]:
            state = (await js.stream_info(on_cluster.stream)).state
            gone = {1}
            numbers = [one for one in range(1, state.last_seq + 1) if one not in gone]
            return [(await js.get_msg(on_cluster.stream, one)).data or b"" for one in numbers]

        await until(lambda: a.well)
        found = await asked(nats_cluster.urls[0], texts)
        assert len(found) == 3, "the second entry, the order, and what is left of the first"
        assert not any(b"geheim-9931" in one for one in found)
        async with bastions(tmp_path, on_cluster, "c") as (c,):
            await until(lambda: c.has(a))
            assert c.texts(a)[0] == ""
    blocks = [path for node in nats_cluster.nodes for path in node.store.rglob(f"{on_cluster.stream}/msgs/*.blk")]
    assert len(blocks) >= 3
    assert not any(b"geheim-9931" in path.read_bytes() for path in blocks), "overwritten, not only forgotten"


async def test_an_order_of_another_bastion_reaches_the_own_entry(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        (secret,) = a.write("the password is geheim")
        await until(lambda: b.has(a))
        b.store.purge(secret.id, author=Author("ben"), reason="a password")
        await until(lambda: (found := a.store.get(secret.id)) is not None and found.purged)
        await until(lambda: a.has(b) and b.has(a))
        assert b.texts(a)[0] == ""


# ---------------------------------------------------------------------- what is not what it says


async def test_an_altered_entry_is_refused_and_named_and_the_true_one_taken(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        await a.stop()
        a.write("two")
        (true,) = own_records(a.store, 2, 2)
        await _publish(nats_cluster, on_cluster, msgspec.structs.replace(true, body=true.body.replace(b"two", b"TWO")))
        await until(lambda: b.jet is not None and b.jet.row.refused)
        assert b.jet is not None and "a2" in b.jet.row.refused and a.store.journal in b.jet.row.refused
        await _publish(nats_cluster, on_cluster, true)
        await until(lambda: b.has(a))
        assert b.texts(a) == ["one", "two"]


async def test_an_entry_under_the_name_of_another_journal_is_not_taken(
    nats_cluster: Cluster, on_cluster: Replica, tmp_path: Path
) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        with Store.open(tmp_path / "stranger", letter="s") as stranger:
            made = Bastion(tmp_path / "stranger", "s", on_cluster)
            made.write("hello")
            (record,) = own_records(stranger, 1, 1)
            made.store.close()
        await asked(nats_cluster.urls[0], lambda js: _raw(js, subject(on_cluster.stream, a.store.journal), record))
        await until(lambda: b.jet is not None and b.jet.row.refused)
        assert b.jet is not None and "came under the name of" in b.jet.row.refused
        assert b.store.others is not None
        assert [one.journal for one in b.store.others.copies()] == [a.store.journal]


async def test_a_journal_that_is_used_in_two_places_is_named_on_every_side(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        await carried(a, b, "one")
        shutil.copytree(a.directory, tmp_path / "twin", ignore=shutil.ignore_patterns("notify", "*.lock"))
        twin = Bastion(tmp_path / "twin", "a", on_cluster)
        try:
            twin.write("the twin's")
            a.write("the first's")
            await until(lambda: b.has(a))
            twin.start()
            await until(lambda: "written to in two places" in twin.problem)
            assert b.texts(a) == ["one", "the first's"]
        finally:
            await twin.stop()
            twin.store.close()


async def test_an_older_copy_of_a_journal_publishes_nothing(on_cluster: Replica, tmp_path: Path) -> None:
    async with bastions(tmp_path, on_cluster) as (a, b):
        a.write("one")
        await until(lambda: a.well)
        shutil.copytree(a.directory, tmp_path / "old", ignore=shutil.ignore_patterns("notify", "*.lock"))
        await carried(a, b, "two", "three")
        await a.stop()
        old = Bastion(tmp_path / "old", "a", on_cluster)
        try:
            old.start()
            await until(lambda: "up to number 3, and here it ends at 1" in old.problem)
        finally:
            await old.stop()
            old.store.close()


async def _publish(cluster: Cluster, settings: Replica, record: Record) -> None:
    await asked(cluster.urls[0], lambda js: _raw(js, subject(settings.stream, record.journal), record))


async def _raw(js: JetStreamContext, name: str, record: Record) -> None:
    await js.publish(name, encode(record))
