"""The leases: who is there, who has the duty, who is alone. The store is a dictionary here."""

from __future__ import annotations

from incident_tui.replica.duty import AGE, WATCH, Beat, Duty, Put, State


class Store:
    """Compares and sets, and tells everybody who can be reached."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, int]] = {}
        self.revision = 0
        self.here: list[Duty] = []

    def write(self, duty: Duty, put: Put, now: float) -> None:
        value, revision = self.kept.get(put.key, (b"", 0))
        if put.last != revision:
            duty.refused(put, value, revision, now)
            return
        self.revision += 1
        self.kept[put.key] = (put.value, self.revision)
        duty.written(put, now, self.revision, now)
        for one in self.here:
            one.saw(put.key, put.value, self.revision, now)

    def sync(self, duty: Duty, now: float) -> None:
        for key, (value, revision) in self.kept.items():
            duty.saw(key, value, revision, now)
        duty.synced(now)


def duty(name: str, now: float = 0.0, fleet: str = "f") -> Duty:
    return Duty(Beat(journal=name, letter=name, fleet=fleet), now)


def run(store: Store, begin: float, end: float, *here: Duty) -> None:
    """Each second each of them has its turn; a duty that is not `here` has no contact and no turn."""
    store.here = list(here)
    now = begin
    while now < end:
        for one in here:
            if one.wants_sync(now):
                store.sync(one, now)
            for put in one.tick(now):
                store.write(one, put, now)
        now += 1.0


def state(one: Duty) -> State:
    """Asked anew: mypy believes that nothing changes."""
    return one.state


def fellows(one: Duty) -> tuple[str, ...]:
    return one.fellows


def alone(one: Duty, begin: float, end: float) -> None:
    """It runs on and reaches nobody."""
    now = begin
    while now < end:
        for put in one.tick(now):
            one.failed(put)
        now += 1.0


def test_the_first_has_the_duty_and_all_know_all() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    assert state(a) is state(b) is State.TOGETHER
    assert [one.journal for one in a.others] == ["b"] and [one.journal for one in b.others] == ["a"]
    assert fellows(a) == fellows(b) == ("a", "b")
    assert a.holds(20) and not b.holds(20) and b.holder == "a"


def test_with_another_list_of_hosts_nothing_is_divided() -> None:
    store, a, b = Store(), duty("a"), duty("b", fleet="another")
    run(store, 0, 20, a, b)
    assert fellows(a) == ("a",) and fellows(b) == ("b",)
    assert [one.journal for one in a.others] == ["b"]


def test_after_a_death_the_duty_and_the_place_are_free_within_an_age_and_a_beat() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    run(store, 20, 30, b)
    assert fellows(b) == ("a", "b") and not b.holds(30)
    run(store, 30, 20 + AGE + AGE / 3, b)
    assert fellows(b) == ("b",) and b.holds(20 + AGE + AGE / 3) and b.term == 2


def test_who_leaves_is_not_waited_for() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    for put in a.leave(20):
        store.write(a, put, 20)
    assert not a.holds(20)
    run(store, 20, 22, b)
    assert b.holds(22) and fellows(b) == ("b",)


def test_a_holder_without_contact_stops_believing_before_anybody_may_take_over() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    alone(a, 20, 60)
    run(store, 20, 60, b)
    assert not a.holds(60) and state(a) is State.ALONE and a.others == () and fellows(a) == ("a",)
    assert 15 <= a.since <= 20
    last = max(now for now in range(15, 60) if now < a._held_until)
    assert last < 20 + AGE - AGE / 3 + 1  # the last renewal was at most a third before the cut


def test_who_comes_back_reads_the_bucket_anew_and_is_together_again() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    alone(a, 20, 60)
    run(store, 20, 60, b)
    assert a.wants_sync(60)
    run(store, 60, 70, a, b)
    assert state(a) is State.TOGETHER and fellows(a) == fellows(b) == ("a", "b")
    assert b.holds(70) and not a.holds(70)


def test_one_that_was_stopped_has_no_duty_and_does_not_judge_the_others() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    run(store, 20, 80, b)
    assert not a.holds(80)
    store.here = [a]
    for put in a.tick(80):
        store.write(a, put, 80)
    assert state(a) is State.TOGETHER and fellows(a) == ("a", "b")  # as it was: it has an age to find out
    run(store, 80, 82, a)  # its own beat comes back; b's next is still to come
    assert fellows(a) == ("a", "b")
    alone(a, 82, 82 + AGE - 2)
    assert state(a) is State.TOGETHER
    alone(a, 82 + AGE - 2, 82 + AGE + 3)
    assert state(a) is State.ALONE


def test_one_that_never_reaches_the_cluster_is_alone_soon() -> None:
    a = duty("a")
    alone(a, 0, 4)
    assert state(a) is State.JOINING and fellows(a) == ("a",)
    alone(a, 4, 8)
    assert state(a) is State.ALONE


def test_what_the_bucket_drops_too_early_is_nobodys_death() -> None:
    """The clock of a server may be an hour wrong: all is gone from one moment to the next."""
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    store.kept.clear()
    run(store, 20, 24, b)
    assert not b.holds(24) and fellows(b) == ("a", "b")
    run(store, 24, 40, a, b)
    assert a.holds(40) and not b.holds(40) and b.holder == "a"


def test_a_beat_that_was_on_its_way_for_long_says_nothing() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    late = next(put for put in a.tick(21) if put.key == a.me.key)
    run(store, 22, 30, a, b)  # it wrote others meanwhile
    run(store, 30, 44, b)
    store.write(a, late, 44)
    run(store, 44, 52, b)
    assert fellows(b) == ("b",)


def test_a_renewal_that_another_has_overtaken_ends_the_belief() -> None:
    store, a, b = Store(), duty("a"), duty("b")
    run(store, 0, 20, a, b)
    store.revision += 1
    taken = b'{"journal":"b","term":9,"beat":1}'
    store.kept[WATCH] = (taken, store.revision)
    a.saw(WATCH, taken, store.revision, 20)
    assert not a.holds(20) and a.holder == "b"


def test_what_others_write_may_be_anything() -> None:
    store, a = Store(), duty("a")
    run(store, 0, 20, a)
    for number, value in enumerate((b"{", b"[]", b"\xff", b'{"journal": 3}', b'{"journal":"zz","letter":"z"}')):
        a.saw("bastion.b", value, 100 + number, 20)
        a.saw("unknown", value, 200 + number, 20)
        run(store, 20 + number, 21 + number, a)
    assert a.others == ()  # also what calls itself by another name than its key
