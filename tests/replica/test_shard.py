"""Which bastion reads which host."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from incident_tui.replica.shard import Shards, digest, grouped, number

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
