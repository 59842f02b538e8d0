"""History of numbers: points, gaps, restarts of the watch, bounds; and the pace of raw texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.hosts.readings import Container, ContainerMemory, Docker, HostReading, Link, LinkState
from incident_tui.incident.finding import Finding, Level
from incident_tui.watch.evidence import EVERY, RATE, RawPace
from incident_tui.watch.history import CONTAINERS, POINTS, STEP, Histories, History, note_host

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def at(steps: float) -> datetime:
    return START + timedelta(seconds=steps * STEP)


def fed(*values: tuple[float, float], name: str = "memory") -> History:
    """A history of (step, value), closed one step after the last."""
    made = Histories()
    for step, value in values:
        made.note("x", name, value, at(step))
    made.due(at(values[-1][0] + 1))
    return made.known["x"]


def test_a_point_is_the_worst_of_its_time() -> None:
    assert fed((0, 50), (0.3, 90), (0.6, 60)).series == {"memory": (90,)}
    assert fed((0, 3), (0.3, 1), (0.6, 2), name="running").series == {"running": (1,)}


def test_time_in_which_nothing_was_read_is_a_gap() -> None:
    assert fed((0, 1), (1, 2), (4, 3)).series == {"memory": (1, 2, None, None, 3)}
    assert fed((0, 1)).until(at(3.5), "memory") == (1, None, None)
    assert fed((0, 1)).until(at(500), "memory") == (None,) * POINTS


def test_the_same_reading_noted_again_is_no_new_point() -> None:
    made = Histories()
    made.note("x", "memory", 50, at(0))
    assert set(made.due(at(1))) == {"x"}
    made.note("x", "memory", 50, at(0))
    assert made.due(at(2)) == {} and made.due(at(9)) == {}


def test_a_row_is_written_only_when_a_point_was_added() -> None:
    made = Histories()
    made.note("x", "memory", 50, at(0))
    made.note("y", "load", 1, at(0.2))
    assert made.due(at(0.9)) == {}
    assert set(made.due(at(1))) == {"x", "y"}


def test_a_new_watch_goes_on_and_leaves_a_gap_for_its_absence() -> None:
    kept = msgspec.json.decode(msgspec.json.encode(fed((0, 1), (1, 2))), type=History)
    made = Histories({"x": kept})
    made.note("x", "memory", 5, at(4))
    assert made.due(at(5))["x"].series == {"memory": (1, 2, None, None, 5)}


def test_series_that_begin_later_stand_at_the_right_place() -> None:
    made = Histories()
    made.note("x", "memory", 1, at(0))
    made.note("x", "memory", 2, at(1))
    made.note("x", "running", 3, at(1))
    assert made.due(at(2))["x"].series == {"memory": (1, 2), "running": (None, 3)}


def test_after_a_step_back_of_our_clock_the_future_is_forgotten() -> None:
    assert fed((0, 1), (1, 2), (2, 3), (1, 9)).series == {"memory": (1, 9)}


@given(st.lists(st.tuples(st.integers(-300, 300), st.floats(0, 1e6)), min_size=1, max_size=60))
def test_it_is_bounded_and_aligned(values: list[tuple[int, float]]) -> None:
    made = Histories()
    for step, value in values:
        made.note("x", "memory", value, at(step))
        made.note("x", "load", value, at(step))
    made.due(at(10_000))
    history = made.known["x"]
    assert len(history.series["memory"]) == len(history.series["load"]) <= POINTS
    assert history.series["memory"][-1] is not None
    assert len(msgspec.json.encode(history)) < 4_000


def readings(count: int, when: datetime) -> dict[str, HostReading]:
    link = Link(state=LinkState.UP, sentence="", since=when, at=when)
    return {f"n{number:03}": HostReading(host=f"n{number:03}", at=when, link=link) for number in range(count)}


def test_raw_texts_of_many_hosts_are_written_in_turn_and_never_faster() -> None:
    pace, written, seconds = RawPace(), [], 200
    for half in range(2 * seconds):
        now = START + timedelta(seconds=half / 2)
        written += pace.due(readings(500, now), (), now)
    assert len(written) <= RATE * seconds + 16
    assert set(written) == set(readings(500, START))
    counts = [written.count(host) for host in set(written)]
    assert max(counts) - min(counts) <= 1


def test_a_changed_finding_comes_first_and_at_once() -> None:
    pace = RawPace()
    pace.due(readings(3, START), (), START)
    later = START + timedelta(seconds=1)
    assert pace.due(readings(3, later), (), later) == []
    bad = Finding("machine.memory", Level.CRIT, "n001", "n001: memory", later, "n001")
    assert pace.due(readings(3, later), (bad,), later) == ["n001"]
    assert pace.due(readings(3, later), (bad,), later) == []
    after = START + EVERY
    assert set(pace.due(readings(3, after), (bad,), after)) == {"n000", "n002"}


def test_a_host_that_says_nothing_new_is_not_written_again() -> None:
    pace = RawPace()
    same = readings(2, START)
    assert len(pace.due(same, (), START)) == 2
    assert pace.due(same, (), START + timedelta(hours=1)) == []


def docker_of(*ids: str, working: int = 50, limit: int = 100, restarts: int = 0) -> Callable[[float], HostReading]:
    """A host whose containers are these, read at a step."""

    def read(step: float) -> HostReading:
        memory = ContainerMemory(at=at(step), usage=working, working_set=working, limit=limit)
        containers = tuple(
            Container(id=one, name=one, state="running", memory=memory, cpu_percent=12.5, restarts_recent=restarts)
            for one in ids
        )
        link = Link(state=LinkState.UP, sentence="", since=START, at=START)
        return HostReading(
            host="web1", at=at(step), link=link, docker=Docker(at=at(step), version="29", containers=containers)
        )

    return read


def test_a_container_has_its_memory_processor_and_restarts() -> None:
    made = Histories()
    note_host(made, docker_of("a", working=25)(0))
    note_host(made, docker_of("a", working=75, restarts=2)(0.2))
    made.due(at(1))
    key = "history/container/web1/a"
    assert made.known[key].series == {"memory": (75.0,), "processor": (12.5,), "restarts": (2.0,)}
    note_host(made, docker_of("b", limit=0, working=4096)(1))
    made.due(at(2))
    assert made.known["history/container/web1/b"].series["used"] == (4100.0,)
    assert made.gone() == [key] and made.gone() == [] and key not in made.known


def test_numbers_of_containers_are_bounded_over_all_hosts_and_make_room() -> None:
    made = Histories()
    note_host(made, docker_of(*(f"c{n}" for n in range(CONTAINERS + 50)))(0))
    rows = [key for key in made.due(at(1)) if "/container/" in key]
    assert len(rows) == CONTAINERS
    again = Histories(made.known)  # a new watch goes on with those
    note_host(again, docker_of("new", *(f"c{n}" for n in range(CONTAINERS - 1)))(1))
    assert again.gone() == [f"history/container/web1/c{CONTAINERS - 1}"]
    assert "history/container/web1/new" in again.due(at(2))
