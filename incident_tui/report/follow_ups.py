"""What is left to do after all incidents: whose, how old, what is overdue; for a table, GitHub or GitLab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from incident_tui import text
from incident_tui.incident.entry import Ref
from incident_tui.incident.views import Incident
from incident_tui.report.as_csv import as_csv
from incident_tui.report.escape import Redact


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A follow-up. Its text is as typed, but for what looks like a secret."""

    handle: str
    incident: str
    title: str
    drill: bool
    text: str
    owner: str
    priority: str
    sort: str
    at: datetime
    age_days: int
    due: date | None
    overdue: bool
    done_at: datetime | None
    done: str


HEAD: Final = tuple(field.name for field in msgspec.structs.fields(Item))


def own(incidents: Iterable[Incident]) -> list[Incident]:
    """Those that are no duplicate of another: what was merged is seen in the other."""
    found = list(incidents)
    gone = {name for one in found for name in one.absorbed}
    return [one for one in found if one.id not in gone]


def follow_ups(
    incidents: Iterable[Incident], handle: Callable[[Ref], str], now: datetime, redact: Redact = text.redact
) -> list[Item]:
    """All of them: open before done, then overdue, due first, then the oldest. `redact`: the team's, in [report]."""
    items = [
        Item(
            handle=handle(one.ref),
            incident=incident.id,
            title=redact(incident.title)[0],
            drill=incident.drill,
            text=redact(one.text)[0],
            owner=one.owner,
            priority=one.priority,
            sort=one.sort,
            at=one.at,
            age_days=max((now - one.at).days, 0),
            due=one.due,
            overdue=one.done_at is None and one.due is not None and one.due < now.date(),
            done_at=one.done_at,
            done=redact(one.done_text)[0],
        )
        for incident in own(incidents)
        for one in incident.follow_ups
    ]
    return sorted(items, key=lambda one: (one.done_at is not None, one.due or date.max, one.at, one.handle))


def lines(items: Sequence[Item]) -> list[str]:
    """A line each, for a terminal."""
    return [
        f"{one.handle:>5} {_state(one):<20} {one.age_days:>4} d  {one.owner or 'NOBODY':<10} {one.priority or '-':<3}"
        f" {text.sanitise(one.text, limit=160)} ({one.incident}{', DRILL' if one.drill else ''})"
        for one in items
    ]


def _state(one: Item) -> str:
    if one.done_at is not None:
        return f"done {one.done_at:%Y-%m-%d}"
    if one.due is None:
        return "no due date"
    return f"{'OVERDUE' if one.overdue else 'due'} {one.due:%Y-%m-%d}"


def to_csv(items: Sequence[Item]) -> str:
    return as_csv(HEAD, ([_plain(getattr(one, name)) for name in HEAD] for one in items))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value).lower() if isinstance(value, bool) else value


def to_issues(items: Sequence[Item], kind: str) -> str:
    """One issue each, its title and its description in Markdown, with a rule between them; `kind` is github or gitlab.

    What people typed stands behind a word of ours, so that no line of it is a quick action of GitLab; names are not
    mentioned. The due date is a quick action, which GitLab carries out when the issue is made.
    """
    return "\n---\n\n".join(_issue(one, kind) for one in items)


def _issue(one: Item, kind: str) -> str:
    said = " ".join(text.sanitise(one.text).split())
    out = [f"Title: {said[:200]}", "", f"What: {text.markdown(said)}", ""]
    out += [
        f"- Of incident {text.markdown(one.incident)}, {text.markdown(one.title)}{' (DRILL)' if one.drill else ''}",
        f"- Follow-up {one.handle}, since {one.at:%Y-%m-%d}",
        f"- Owner: {text.markdown(one.owner or 'nobody yet')}",
        f"- Priority: {text.markdown(one.priority or 'not said')}",
        f"- Kind: {text.markdown(one.sort or 'not said')}",
        f"- Due: {one.due or 'not said'}",
    ]
    if kind == "gitlab" and one.due is not None:
        out += ["", f"/due {one.due}"]
    return "\n".join([*out, ""])
