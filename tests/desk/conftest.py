"""A desk over an appender in memory, and the same desk over the real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incident_tui.desk.desk import Desk
from incident_tui.desk.open import StoreAppender
from incident_tui.desk.outcome import Outcome
from incident_tui.incident.entry import Author, Draft, Entry, Ref, Seen
from incident_tui.incident.playbook import Playbook, load
from incident_tui.incident.settings import DEFAULT_SEVERITIES, Command, Person, Severity
from incident_tui.incident.state import Fold
from incident_tui.incident.views import Incident
from incident_tui.journal.store import Store

BOOK = '+++\ntitle = "Split"\nowner = "ana"\n+++\n- [ ] Look\n- [ ] Decide\n- [ ] Repair\n'


class Settings:
    people: Sequence[Person] = (Person(name="ana", account="ana1"), Person(name="bob"), Person(name="bea"))
    severities: Sequence[Severity] = DEFAULT_SEVERITIES
    command: Command = Command(roles=("deputy", "operations", "communications", "scribe", "liaison"))


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> None:
        self.now += timedelta(**length)


class Waiting:
    """A Saving whose end the test decides."""

    def __init__(self) -> None:
        self.entries: list[Entry] | None = None

    def done(self) -> bool:
        return self.entries is not None

    def result(self) -> list[Entry]:
        assert self.entries is not None
        return self.entries

    def add_done_callback(self, call: Callable[[Any], object]) -> None:
        """Nobody at this desk waits for it."""


class Memory:
    """Appender and handles of one journal "m" with the letter m. With `held`, nothing is saved until `let_go`."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.entries: list[Entry] = []
        self.keys: dict[str, list[Entry]] = {}
        self.held = False
        self.waiting: list[tuple[Waiting, Sequence[Draft], str]] = []

    def submit(self, drafts: Sequence[Draft], key: str) -> Waiting:
        saving = Waiting()
        self.waiting.append((saving, drafts, key))
        if not self.held:
            self.let_go()
        return saving

    def let_go(self) -> None:
        for saving, drafts, key in self.waiting:
            saving.entries = self.keys.setdefault(key, []) or self._store(drafts, key)
        self.waiting = []

    def _store(self, drafts: Sequence[Draft], key: str) -> list[Entry]:
        for draft in drafts:
            fields: dict[str, Any] = {name: getattr(draft, name) for name in draft.__struct_fields__}
            entry = Entry(journal="m", seq=len(self.entries) + 1, recorded_at=self.clock(), **fields)
            self.entries.append(entry)
            self.keys[key].append(entry)
        return self.keys[key]

    def handle(self, entry: Entry | Ref) -> str:
        return f"m{entry.seq}"

    def find(self, handle: str) -> Entry | None:
        number = int(handle[1:])
        return self.entries[number - 1] if handle[0] == "m" and 1 <= number <= len(self.entries) else None


class Bench:
    """A desk with its clock, and short ways to use it."""

    def __init__(self, desk: Desk, clock: Clock, memory: Memory | None, everybody: Callable[[str], Desk]) -> None:
        self.desk = desk
        self.clock = clock
        self.memory = memory
        self._everybody = everybody

    def say(self, line: str, by: str = "ana", *, confirmed: bool = False) -> Outcome:
        self.clock.forward(seconds=10)
        desk = self._everybody(by)
        return desk.carry_out(line, confirmed=confirmed)

    def saved(self, line: str, by: str = "ana", *, confirmed: bool = False) -> list[Entry]:
        outcome = self.say(line, by, confirmed=confirmed)
        assert outcome.saving is not None, outcome
        assert not outcome.refusal and outcome.question is None
        return outcome.saving.result()

    def refused(self, line: str, by: str = "ana") -> str:
        outcome = self.say(line, by)
        assert outcome.refusal and outcome.saving is None and outcome.line == line
        return outcome.refusal

    @property
    def incident(self) -> Incident:
        found = self.desk.incident
        assert found is not None
        return found


def playbooks() -> Mapping[str, Playbook]:
    return {"gluster-split-brain": load(BOOK, "gluster-split-brain.md")}


@pytest.fixture(params=["memory", "store"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from make_bench(request.param, tmp_path)


def make_bench(kind: str, tmp_path: Path) -> Iterator[Bench]:
    clock, fold, ids = Clock(), Fold(), iter(range(0x1000, 0xFFFF))
    memory = Memory(clock) if kind == "memory" else None
    store = None if memory is not None else Store.open(tmp_path / "journal", letter="m", clock=clock)
    desks: dict[str, Desk] = {}

    def desk(name: str) -> Desk:
        if name not in desks:
            handles = memory or store
            assert handles is not None
            desks[name] = Desk(
                Settings(),
                memory if memory is not None else StoreAppender(store),  # type: ignore[arg-type]
                handles,
                fold,
                author=Author(name, proven=name == "ana"),
                clock=clock,
                new_id=lambda: f"{next(ids):08x}",
                seen=lambda: Seen("X gv0 bricks 2/3", 3),
                playbooks=playbooks,
                purge=(lambda ref, who, why: store.purge(ref, author=who, reason=why)) if store else None,
            )
        for other in desks.values():
            other.settle()
        return desks[name]

    yield Bench(desk("ana"), clock, memory, desk)
    if store is not None:
        store.close()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Bench]:
    """A bench whose journal cannot be written for now; only the appender in memory can wait."""
    yield from make_bench("memory", tmp_path)
