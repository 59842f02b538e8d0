"""A playbook played step by step, by several people at once.

Whoever begins a step has it until it is settled or given back. What is said about a step is saved under a key made of
the run, the step and how often something was said about it so far: of two who say it at the same moment, the journal
stores the first and gives it to the second, who is told. No lock, and a crash leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incident_tui.desk import outcome as o
from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.entry import Draft, Entry, Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.said import same
from incident_tui.incident.work import Run, RunStep
from incident_tui.journal.errors import JournalError

if TYPE_CHECKING:
    from incident_tui.incident.playbook import Playbook
    from incident_tui.incident.views import Incident


class Taken(JournalError):
    """Somebody else said it first; nothing was saved."""


class Claim:
    """A Saving of what only one may say: `result` raises Taken when the journal holds somebody else's."""

    def __init__(self, saving: o.Saving, draft: Draft, told: Callable[[Entry], str]) -> None:
        self._saving = saving
        self._draft = draft
        self._told = told

    def done(self) -> bool:
        return self._saving.done()

    def result(self) -> list[Entry]:
        entries = self._saving.result()
        stored, mine = entries[0], self._draft
        if (stored.author, stored.at, stored.data) != (mine.author, mine.at, mine.data):
            raise Taken(self._told(stored), transient=False)
        return entries

    def add_done_callback(self, call: Callable[[Any], object]) -> None:
        self._saving.add_done_callback(call)


def order(parsed: Parsed, scene: Scene) -> Order:
    """Raises No."""
    match parsed:
        case m.Play(name=name):
            return _play(name, scene)
        case m.Begin(number=number, at=at):
            return _begin(number, at, scene)
        case m.Tick(number=number, text=text, at=at):
            return _settle(number, "done", text, at, scene)
        case m.Skip(number=number, why=why, at=at):
            return _settle(number, "skipped", why, at, scene)
        case m.Fail(number=number, why=why, at=at):
            return _settle(number, "failed", why, at, scene)
        case m.Drop(number=number, why=why, at=at):
            return _drop(number, why, at, scene)
        case m.SetVariable(name=name, value=value, at=at):
            return _set(name, value, at, scene)
        case _:
            raise AssertionError(parsed)


def standing(step: RunStep, scene: Scene) -> str:
    """Who has a step, or settled it: "bob has step 2 since 03:12Z"."""
    return _words(step.number, step.step, step.by.name, step.at, scene)


def _words(number: int, state: str, who: str, at: datetime, scene: Scene) -> str:
    clock = when.clock(at, scene.now)
    mine = same(who, scene.me)
    match state:
        case "begun":
            return f"{'You have' if mine else f'{who} has'} step {number} since {clock}"
        case "released":
            return f"{'You' if mine else who} gave step {number} back at {clock}"
        case _:
            return f"Step {number} was {state} by {'you' if mine else who} at {clock}"


def _play(name: str, scene: Scene) -> Order:
    books = scene.playbooks()
    if not name:
        return Order(effect=o.ListPlaybooks(tuple(sorted(books))))
    found = [one for one in books if same(one, name)] or [one for one in books if name.casefold() in one.casefold()]
    if len(found) != 1:
        which = f"could be {' or '.join(sorted(found)[:4])}" if found else "is no playbook"
        raise No(f"{name!r} {which}. There are: {', '.join(sorted(books)) or 'none'}.")
    chosen = found[0]
    book, incident = books[chosen], scene.incident
    if incident is None:
        return Order(effect=o.OpenPlaybook(chosen), notice="No incident is open: its steps are only shown.")
    for run in reversed(incident.runs):
        if run.name == chosen and run.finished_at is None:
            notice = f"{chosen} goes on where it was. {_next(run, book, run.variables, scene)}"
            return Order(effect=o.OpenPlaybook(chosen, run.run), notice=notice)
    run_id, told = scene.new_id(), scene.proposed(book)
    known = {name: told[name] for name in book.variables if name in told}
    data: dict[str, Any] = {"name": chosen, "run": run_id, "step": "started", "steps": len(book.steps)}
    if known:
        data["variables"] = known
    if "host" in told:
        data["host"] = told["host"]
    draft = scene.draft(Kind.PLAYBOOK, book.title, scene.now, data)
    started = _count(incident, lambda data: data.get("name") == chosen and data.get("step") == "started")
    return Order(
        (draft,),
        effect=o.OpenPlaybook(chosen, run_id),
        notice=f"{_from_the_board(known)}{_asks(book, known) or 'Next: /begin 1.'}",
        key=f"play:{incident.id}:{chosen}:{started}",  # two who start it at once share one run
    )


def _begin(number: int, at: datetime, scene: Scene) -> Order:
    run, book, incident = _open(scene)
    number = number or run.next_step(scene.me, free=True)
    _there(number, run, book)
    said = run.step(number)
    if said is not None and said.step not in ("released", "failed"):
        mine = "gives it back" if same(said.by.name, scene.me) else f"takes it from {said.by.name}"
        raise No(f"{standing(said, scene)}; /drop {number} {mine if said.step == 'begun' else 'opens it again'}.")
    about = book.steps[number - 1].title if book is not None else ""
    missing = _missing(book, number, run.variables) if book is not None else ()
    notice = _yours(number, book)
    if book is not None and missing:
        notice = f"You have step {number}. {_asks(book, run.variables, missing)}"
    return _say(run, number, "begun", about, at, incident, scene, notice)


def _settle(number: int, state: str, text: str, at: datetime, scene: Scene) -> Order:
    run, book, incident = _open(scene)
    number = number or run.next_step(scene.me)
    _there(number, run, book)
    said = run.step(number)
    if said is not None and said.step == "begun" and not same(said.by.name, scene.me):
        raise No(f"{standing(said, scene)}; /drop {number} takes it back first.")
    if said is not None and said.step in ("done", "skipped"):
        raise No(f"{standing(said, scene)}; /drop {number} opens it again.")
    about = book.steps[number - 1].title if book is not None else ""
    after = run.saying(number, state, scene.author, at)
    notice = f"Step {number} {state}: {about}"
    if after.settled:
        notice += f" {run.name} is finished."
    elif state == "failed":
        notice += f" Read its stop condition: then /begin {number} again, /skip {number} why, or /drop ends the run."
    elif book is not None:
        notice += f" {_next(after, book, run.variables, scene)}"
    return _say(run, number, state, text or about, at, incident, scene, notice)


def _drop(number: int, why: str, at: datetime, scene: Scene) -> Order:
    run, book, incident = _open(scene)
    if not number:
        data: dict[str, Any] = {"name": run.name, "run": run.run, "step": "finished"}
        left = [one.number for one in run.steps if one.step == "begun"]
        open_ = f" Begun and not settled: step {', '.join(map(str, left))}." if left else ""
        draft = scene.draft(Kind.PLAYBOOK, why, at, data)
        return Order((draft,), question=f"End {run.name} here?{open_} (yes/no)", notice=f"{run.name} is ended.")
    _there(number, run, book)
    said = run.step(number)
    if said is None or said.step in ("released", "failed"):
        raise No(f"Nobody has step {number}: /begin {number} takes it.")
    mine = said.step == "begun" and same(said.by.name, scene.me)
    question = "" if mine else f"{standing(said, scene)}. Open it again?"
    return _say(run, number, "released", why, at, incident, scene, f"Step {number} is open again.", question)


def _set(name: str, value: str, at: datetime, scene: Scene) -> Order:
    run, book, _ = _open(scene)
    if book is not None and name not in book.variables:
        known = ", ".join(book.variables) or "none"
        raise No(f"{name} is no variable of {run.name}; there are: {known}.")
    if value.startswith("-"):
        raise No(f"{value!r} begins with a dash: a command would take it for an option.")
    data = {"name": run.name, "run": run.run, "step": "set", "variables": {name: value}}
    now = {**run.variables, name: value}
    notice = (_asks(book, now) or _next(run, book, now, scene)) if book is not None else ""
    before = run.variables.get(name)
    if before is not None and before != value:
        notice = f"{name} was {before}. {notice}"
    return Order((scene.draft(Kind.PLAYBOOK, f"{name} = {value}", at, data),), notice=notice)


def _say(
    run: Run,
    number: int,
    state: str,
    text: str,
    at: datetime,
    incident: Incident,
    scene: Scene,
    notice: str,
    question: str = "",
) -> Order:
    turn = _count(incident, lambda data: data.get("run") == run.run and data.get("number") == number)
    data = {"name": run.name, "run": run.run, "step": state, "number": number}

    def told(stored: Entry) -> str:
        return _words(number, str(stored.data.get("step")), stored.author.name, stored.at, scene) + "."

    draft = scene.draft(Kind.PLAYBOOK, text, at, data)
    return Order((draft,), notice=notice, question=question, key=f"step:{run.run}:{number}:{turn}", told=told)


def _count(incident: Incident, fits: Callable[[Mapping[str, Any]], bool]) -> int:
    """Entries of playbooks that fit, struck ones among them: a key is used once. Of purged ones nobody knows."""
    entries = (row.entry for row in incident.rows if row.entry.kind is Kind.PLAYBOOK)
    return sum(entry.purged or fits(entry.data) for entry in entries)


def _open(scene: Scene) -> tuple[Run, Playbook | None, Incident]:
    """The run meant: of the playbook opened here, else the one this person spoke of last, else the last one touched."""
    incident = scene.needed()
    runs = [run for run in incident.runs if run.finished_at is None]
    opened = [run for run in runs if run.name == scene.playing]
    mine = [run for run in runs if any(same(by.name, scene.me) for by in (run.by, *(one.by for one in run.steps)))]
    found = max(opened or mine or runs, key=lambda run: max([run.at, *(one.at for one in run.steps)]), default=None)
    if found is None:
        raise No("No playbook is open: /play NAME opens one.")
    return found, scene.playbooks().get(found.name), incident


def _there(number: int, run: Run, book: Playbook | None) -> None:
    count = len(book.steps) if book is not None else run.count
    if not number:
        raise No(f"Every step of {run.name} is settled, or somebody has it: name one, /tick 2.")
    if count and number > count:
        raise No(f"{run.name} has {count} steps.")


def _yours(number: int, book: Playbook | None) -> str:
    """What whoever has the step does now."""
    step = book.steps[number - 1] if book is not None else None
    first = "/run has its commands; then " if step and any(one.runs_on_hosts for one in step.blocks) else ""
    what = f"{number}: {step.title}" if step is not None else f"{number}"
    ended = "" if what.endswith(("?", "!", ".", ":")) else "."
    return f"You have step {what}{ended} {first}/tick, /fail {number} why, or /drop {number}."


def _missing(book: Playbook, number: int, values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in book.steps[number - 1].variables if name not in values)


def _from_the_board(known: Mapping[str, str]) -> str:
    values = ", ".join(f"{name} = {value}" for name, value in known.items())
    return f"{values} from the board; /set changes it. " if known else ""


def _asks(book: Playbook, values: Mapping[str, str], names: Sequence[str] | None = None) -> str:
    """What is still to be set; empty when nothing is."""
    missing = [name for name in (book.variables if names is None else names) if name not in values]
    asked = "; ".join(f"/set {name} VALUE ({book.variables[name]})" for name in missing)
    return f"Set first: {asked}." if asked else ""


def _next(run: Run, book: Playbook, values: Mapping[str, str], scene: Scene) -> str:
    number = run.next_step(scene.me)
    if not number or number > len(book.steps):
        return "Every step is settled, or somebody has it."
    missing = _missing(book, number, values)
    said = run.step(number)
    if said is not None and said.step == "begun" and not missing:
        return _yours(number, book)
    how = _asks(book, values, missing) or "/begin takes it."
    return f"Next: {number}. {book.steps[number - 1].title} {how}"
