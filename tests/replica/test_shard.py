"""Which bastion reads which host."""

from __future__ import annotations

import base64
import random
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.replica.shard import Division, Shards, digest, division, grouped, number, packed, unpacked

HOSTS = [f"web{number}.example.org" for number in range(400)]
BASTIONS = [f"{number:016x}" for number in range(8)]


def owners(shards: Shards) -> dict[str, str]:
    return {host: shards.owner(host) for host in HOSTS}


def divided(bastions: list[str]) -> dict[str, str]:
    shards = Shards(HOSTS)
    shards.divide(bastions)
    return owners(shards)


def test_each_host_has_one_bastion_and_each_bastion_its_part() -> None:
    counts = Counter(divided(BASTIONS).values())
    assert set(counts) == set(BASTIONS)
    assert min(counts.values()) > 25 and max(counts.values()) < 80  # 50 each, give or take four deviations


def test_only_what_the_dead_one_had_moves() -> None:
    before, after = divided(BASTIONS), divided(BASTIONS[1:])
    assert {host for host in HOSTS if before[host] != after[host]} == {
        host for host in HOSTS if before[host] == BASTIONS[0]
    }


def test_whoever_comes_takes_from_the_others_only() -> None:
    before, after = divided(BASTIONS[1:]), divided(BASTIONS)
    moved = {host for host in HOSTS if before[host] != after[host]}
    assert moved and {after[host] for host in moved} == {BASTIONS[0]}


@given(st.lists(st.sets(st.sampled_from(BASTIONS)), min_size=1, max_size=12), st.data())
def test_the_way_there_makes_no_difference(steps: list[set[str]], data: st.DataObject) -> None:
    keys = HOSTS[:60]
    shards = Shards(keys[:30])
    for step in steps:
        shards.divide(step)
        shards.keep(data.draw(st.sampled_from([keys, keys[:30], keys[20:]])))
    shards.keep(keys)
    fresh = Shards(keys)
    fresh.divide(steps[-1])
    assert {key: shards.owner(key) for key in keys} == {key: fresh.owner(key) for key in keys}
    for bastion in BASTIONS:
        assert shards.of(bastion) == {key for key in keys if shards.owner(key) == bastion}


def test_without_bastions_nobody_has_anything() -> None:
    shards = Shards(HOSTS)
    assert not any(owners(shards).values())
    shards.divide(BASTIONS)
    shards.divide([])
    assert not any(owners(shards).values())
    assert shards.owner("nobody knows it") == ""


def test_the_answer_is_the_same_on_every_machine() -> None:
    """Numbers written down: another version of the program that answers otherwise would read hosts twice or never."""
    assert number("web1") == 0xD31C510BF5199085
    shards = Shards(["web1", "web4", "web7", "db1"])
    shards.divide(["a", "b", "c"])
    assert [shards.owner(one) for one in ("web1", "web4", "web7", "db1")] == ["a", "c", "a", "a"]


@given(st.permutations(["a", "b", "c", "d", "e"]), st.permutations([("b", "a"), ("c", "b"), ("e", "not here")]))
def test_peers_that_name_each_other_are_one_group(names: list[str], pools: list[tuple[str, str]]) -> None:
    assert grouped(names, pools) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "e"}


def test_a_fleet_that_reads_otherwise_has_another_name() -> None:
    one = digest({"web1": "web1:22", "web2": "web2:22"})
    assert one == digest({"web2": "web2:22", "web1": "web1:22"})
    assert one != digest({"web1": "web1:22"})
    assert one != digest({"web1": "web1:2222", "web2": "web2:22"})


POOL = {"g1": "g1", "g2": "g1", "g3": "g1", "web1": "web1", "web2": "web2"}


def parts(unreached: Mapping[str, Collection[str]], bastions: Sequence[str] = "abc") -> dict[str, Division]:
    shards = Shards(set(POOL.values()))
    shards.divide(bastions)
    return {one: division(shards, one, POOL, unreached) for one in bastions}


def reader(found: Mapping[str, Division], host: str) -> str:
    (one,) = (name for name, part in found.items() if host in part.reads)
    return one


def judge(found: Mapping[str, Division], host: str) -> str:
    (one,) = (name for name, part in found.items() if host in part.has)
    return one


def ranked(host: str) -> list[str]:
    shards = Shards(set(POOL.values()))
    shards.divide("abc")
    return shards.ranked(POOL[host])


def test_a_host_that_is_not_reached_goes_to_the_next_who_has_not_said_so() -> None:
    first, second, third = ranked("web1")
    assert reader(parts({}), "web1") == judge(parts({}), "web1") == first
    for blind, now in ((first,), second), ((first, second), third), ((second,), first):
        found = parts({key: ["web1"] for key in blind})
        assert reader(found, "web1") == judge(found, "web1") == now


def test_what_nobody_reaches_stays_with_the_first() -> None:
    found = parts({key: ["web1", "g2"] for key in "abc"})
    assert reader(found, "web1") == ranked("web1")[0]
    assert reader(found, "g2") == ranked("g2")[0]


def test_of_a_pool_one_host_is_read_by_another_and_the_pool_stays() -> None:
    first, second, _ = ranked("g1")
    found = parts({first: ["g2"]})
    assert [reader(found, host) for host in ("g1", "g2", "g3")] == [first, second, first]
    assert {judge(found, host) for host in ("g1", "g2", "g3")} == {first}


def test_a_pool_of_which_nothing_is_reached_goes_whole() -> None:
    first, second, third = ranked("g1")
    found = parts({first: ["g1", "g2", "g3"], second: ["g3"]})
    assert [reader(found, host) for host in ("g1", "g2", "g3")] == [second, second, third]
    assert {judge(found, host) for host in ("g1", "g2", "g3")} == {second}


def test_one_that_is_gone_or_names_what_nobody_knows_moves_nothing() -> None:
    assert parts({"gone": ["web1"], "a": ["unknown"]}) == parts({})


names = st.lists(st.sampled_from(HOSTS), unique=True)


@given(st.dictionaries(st.sampled_from(BASTIONS), names), st.lists(names, max_size=3), st.integers(1, len(BASTIONS)))
def test_each_host_is_read_by_one_whoever_says_what(
    unreached: dict[str, list[str]], pools: list[list[str]], count: int
) -> None:
    groups = grouped(HOSTS, pools)
    shards = Shards(set(groups.values()))
    shards.divide(BASTIONS[:count])
    found = {one: division(shards, one, groups, unreached) for one in BASTIONS[:count]}
    assert sorted(host for part in found.values() for host in part.reads) == sorted(HOSTS)
    assert sorted(host for part in found.values() for host in part.has) == sorted(HOSTS)
    for one, part in found.items():
        for host in part.reads:
            assert host not in unreached.get(one, ()) or all(
                host in unreached.get(other, ()) for other in BASTIONS[:count]
            )


@given(st.sets(st.sampled_from(HOSTS)))
def test_some_names_travel_as_bits(some: set[str]) -> None:
    assert unpacked(packed(some, HOSTS), HOSTS) == some


def test_bits_that_cannot_be_read_are_none() -> None:
    bomb = base64.b64encode(zlib.compress(b"\xff" * 50_000_000)).decode()
    assert unpacked(bomb, HOSTS) == set(HOSTS), "no more of it is unpacked than there are names"
    for text in ("", "ä", "AAAA", "x" * 7, base64.b64encode(b"no zlib").decode()):
        assert unpacked(text, HOSTS) == frozenset()
    many = [f"web-{at}.example.org" for at in range(20_000)]
    assert len(packed(set(random.Random(1).sample(many, 10_000)), many)) < 3500
