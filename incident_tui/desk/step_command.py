"""The commands of the playbook's step that somebody has begun: to be offered at a host's prompt, never run unasked.

What a playbook says of a command goes with it while its text is unchanged: where it runs, whether it changes something,
how long it may take, what shows afterwards that it worked. Playbooks come with the program or from a directory that
config.toml names, so they are believed as the configuration is; their variables are quoted for the shell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from incident_tui.fleet.settings import Host
from incident_tui.incident.playbook_block import Block
from incident_tui.incident.said import same
from incident_tui.incident.work import Remote, Run

if TYPE_CHECKING:
    from incident_tui.incident.playbook import Playbook, Step
    from incident_tui.incident.views import Incident


class StepCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One command of a step, with its variables put in. `verify` shows whether the step worked, `shows` what it prints
    then; `rollback` undoes it. `word` stands for it in a prompt of one line. `host`: where what suggested the playbook
    was seen, empty where nobody told."""

    run: str
    book: str
    number: int
    title: str
    text: str
    word: str
    target: str
    changes: bool
    seconds: int
    only: str = ""
    expect: str = ""
    verify: str = ""
    shows: str = ""
    verify_seconds: int = 0
    elsewhere: bool = False
    """What verifies is asked of another host first: this one may be on its way down."""
    rollback: str = ""
    host: str = ""

    def fits(self, host: Host) -> bool:
        """Whether the playbook means hosts of this kind. A host without roles is whatever is found there."""
        wanted, _, role = self.target.partition(":")
        return wanted != "role" or not host.roles or role in host.roles


def in_hand(incident: Incident | None, books: Mapping[str, Playbook], me: str) -> tuple[StepCommand, ...]:
    """Of the newest run in which this person has a step: the commands of that step that run on hosts. Empty while a
    variable is not set."""
    for run in reversed(incident.runs if incident is not None else ()):
        number, book = run.next_step(me), books.get(run.name)
        said = run.step(number)
        if run.finished_at is None and book is not None and said is not None and said.step == "begun":
            return tuple(_commands(book.steps[number - 1], run))
    return ()


def _commands(step: Step, run: Run) -> Iterator[StepCommand]:
    on_hosts = [one for one in step.blocks if one.runs_on_hosts]
    # A step that only checks has nothing but its verify block.
    found = [one for one in on_hosts if not one.part] or on_hosts
    if not set(step.variables) <= set(run.variables):
        return
    for place, one in enumerate(found, start=1):
        verify, rollback = (_part(step, part, one) for part in ("verify", "rollback"))
        checked = verify is not None and one.changes
        text = one.filled(run.variables)
        word = f"step {step.number}" + (f".{place}" if len(found) > 1 else "")
        yield StepCommand(
            run=run.run,
            book=run.name,
            number=step.number,
            title=step.title,
            text=text,
            word=word if "\n" in text else text,
            target=one.target,
            changes=one.changes,
            seconds=one.seconds,
            only=one.only,
            expect=one.expected(run.variables),
            verify=verify.filled(run.variables) if verify is not None and checked else "",
            shows=(verify if verify is not None and checked else one).expected(run.variables),
            verify_seconds=verify.seconds if verify is not None else 0,
            elsewhere=verify is not None and verify.target == "any" and one.target == "host",
            rollback=rollback.filled(run.variables) if rollback is not None else "",
            host=run.host,
        )


def _part(step: Step, part: str, of: Block) -> Block | None:
    """The step's block of this kind, of several the one for the same systems."""
    found = [one for one in step.blocks if one.part == part and one.target != "local"]
    return next((one for one in found if one.only == of.only), found[0] if found else None)


def hosts_left(one: StepCommand, hosts: Sequence[Host], remotes: Sequence[Remote]) -> list[str]:
    """Names of the hosts that the playbook means and on which this step has not ended well yet, in the configuration's
    order. Of `any` none, once it has on one."""
    done = {remote.host for remote in remotes if remote.run == one.run and remote.number == one.number and well(remote)}
    if one.target == "any" and done:
        return []
    return [host.name for host in hosts if one.fits(host) and not any(same(host.name, name) for name in done)]


def well(remote: Remote) -> bool:
    """What should have been seen afterwards was; where nothing should, it ended well."""
    return remote.held is True if remote.verify else remote.exit == 0 and remote.held is not False


def next_line(one: StepCommand, last: Remote | None, left: Sequence[str]) -> str:
    """What is to be said next of the step, after the last command of it: a line for the prompt, to be read and entered.
    Empty where nobody can tell: before it was checked, or after a look that ended with a status of its own."""
    if last is None or last.ended_at is None or (last.verify and last.held is None):
        return ""
    failed = f"/fail {one.number} on {last.host}: "
    if last.held is False:
        return f"{failed}did not show {one.shows!r}"
    if last.held is None and last.exit is None:
        return failed + (last.problem or "nobody saw how it ended")
    if last.held is None and last.exit != 0:
        return f"{failed}exit {last.exit}" if one.changes else ""
    if left and (one.target == "each" or one.target.startswith("role")):
        return f"/run {left[0]}"
    if last.held is None and not one.changes:
        return f"/tick {one.number} "  # only who reads it knows whether it is done
    return f"/tick {one.number} " + (f"{last.host} shows {one.shows!r}" if last.held else f"{last.host} exit 0")
