"""Runs of playbooks of an incident, collected from its entries in the order of writing. Pure; `progress` calls it.

On one bastion an append's key decides who has a step (`desk.playing`). Across bastions that have not heard of each
other the order of writing does: whoever has a step, or has settled it, keeps it; what another said of it elsewhere
without knowing that stays in the timeline and changes nothing (`work.Contested`). Two who start the same playbook so
share the run that was started first.
"""

from __future__ import annotations

import msgspec

from incident_tui.incident import work as w
from incident_tui.incident.said import Line, number, same

_replace = msgspec.structs.replace


class Played:
    """Collects while the lines pass."""

    def __init__(self) -> None:
        self.runs: dict[str, w.Run] = {}
        self.contested: list[w.Contested] = []
        self._same: dict[str, str] = {}
        """Runs that go on in another, which was started first."""
        self._ended: set[str] = set()
        """Runs that somebody ended, whatever steps were left."""

    def take(self, line: Line) -> None:
        entry, data = line.entry, line.entry.data
        key, step = str(data.get("run", "")), str(data.get("step", ""))
        if not key:
            return  # purged: of which run it was nobody knows any more
        if step == "started" and key not in self.runs and key not in self._same:
            self._start_once(key, line)
        key = self._same.get(key, key)
        count = number(data.get("steps"), 0)
        run = self.runs.get(key)
        if run is None:
            host = str(data.get("host", ""))
            run = w.Run(key, str(data.get("name", "")), line.at, entry.author, entry.id, count=count, host=host)
        elif step == "started" and not run.count:
            run = _replace(run, count=count)
        variables = data.get("variables")
        if isinstance(variables, dict):
            said_ = {str(name): str(value) for name, value in variables.items()}
            # What a second start proposes does not undo what was set meanwhile.
            both = {**said_, **run.variables} if step == "started" else {**run.variables, **said_}
            run = _replace(run, variables=both)
        if step == "finished":
            run = _replace(run, finished_at=line.at)
            self._ended.add(key)
        elif step in w.STEP_STATES:
            run = self._step(run, line)
        if key not in self._ended:
            run = _replace(run, finished_at=max(one.at for one in run.steps) if run.settled else None)
        self.runs[key] = run

    def _start_once(self, key: str, line: Line) -> None:
        """The same playbook was started on another bastion and is not finished: both go on in that run."""
        name = str(line.entry.data.get("name", ""))
        for run in self.runs.values():
            if run.name == name and run.finished_at is None and run.ref.journal != line.entry.journal:
                self._same[key] = run.run
                first = w.RunStep(0, "started", run.at, run.by, "", run.ref)
                self._second(f"playbook {name}", first, line)
                return

    def _step(self, run: w.Run, line: Line) -> w.Run:
        entry, data = line.entry, line.entry.data
        step = str(data.get("step", ""))
        said = w.RunStep(number(data.get("number"), 0), step, line.at, entry.author, line.text, entry.id)
        standing = run.step(said.number)
        if standing is not None and _unknown(standing, said):
            self._second(f"step {said.number} of {run.name}", standing, line)
            return run
        others = [one for one in run.steps if one.number != said.number]
        return _replace(run, steps=tuple(sorted([*others, said], key=lambda one: one.number)))

    def _second(self, what: str, first: w.RunStep, line: Line) -> None:
        by, step = line.entry.author.name, str(line.entry.data.get("step", ""))
        if not same(first.by.name, by):
            self.contested.append(
                w.Contested(
                    *(what, first.ref, first.by.name, first.step, first.at), *(line.entry.id, by, step, line.at)
                )
            )

    def ran(self, remote: w.Remote) -> w.Remote:
        """The command with the run that its step is in now."""
        run = self._same.get(remote.run, remote.run)
        return remote if run == remote.run else _replace(remote, run=run)


def _unknown(standing: w.RunStep, said: w.RunStep) -> bool:
    """Whether this could only be said by somebody, on another bastion, who did not know what stands."""
    if standing.ref.journal == said.ref.journal or same(standing.by.name, said.by.name):
        return False
    return said.step != "released" and standing.step not in ("released", "failed")
