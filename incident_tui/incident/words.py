"""The word and the sentence of an entry on the timeline and in the report. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from sys import intern
from typing import Any, Final

from incident_tui.incident.entry import Entry, Kind
from incident_tui.incident.numbers import count
from incident_tui.incident.said import one_line

_WORDS: Final = {
    Kind.DECLARE: "DECLARED",
    Kind.ROLE: "COMMAND",
    Kind.FOLLOWUP: "TODO",
    Kind.COMMAND: "RAN",
    Kind.HANDOFF: "HANDOFF",
    Kind.ENGAGEMENT: "VENDOR",
    Kind.CRITERION: "EXIT WHEN",
    Kind.PRESENCE: "HERE",
    Kind.LEASE: "WATCH",
    Kind.ARCHIVE: "ARCHIVED",
}
_RULES: Final = (
    ("oom", "OOM"),
    ("down", "DOWN"),
    ("split", "SPLIT"),
    ("no-answer", "SILENT"),
    ("unreachable", "SILENT"),
)


_STATUSES: Final = {"resolved": "OK", "acknowledged": "ACKED", "storm": "ALERTS"}
"""Of an alert; one that fires, or only tells something, is an ALERT."""
_SORTS: Final = {"well": "went well", "badly": "went badly", "luck": "luck"}


def word(entry: Entry) -> str:
    """In capitals. An observation says OK when it is well again, else what kind of trouble, else its level."""
    data = entry.data
    if entry.kind is Kind.OBSERVATION:
        level = str(data.get("level", ""))
        if level == "ok":
            return "OK"
        rule = str(data.get("finding", ""))
        return next((name for part, name in _RULES if part in rule), intern(level.upper()) or "OBSERVED")
    if entry.kind is Kind.ALERT and str(data.get("status")) in _STATUSES:
        return _STATUSES[str(data["status"])]
    if entry.kind is Kind.ROLE and data.get("role", "commander") != "commander":
        return "ROLE"
    if entry.kind is Kind.HYPOTHESIS and data.get("state") in ("confirmed", "eliminated"):
        return intern(str(data["state"]).upper())
    return _WORDS.get(entry.kind) or intern(entry.kind.value.upper())


def sentence(entry: Entry, said: str, target: str | None = None) -> str:
    """What the timeline shows after the word. `said` is the effective text, `target` the text of the entry that
    `entry.ref` names, None when there is none or it is not here."""
    if entry.purged:
        return f"[in archive {entry.archive}]" if entry.archive else "[purged]"
    data = entry.data
    about = target if target is not None else ("an entry that is not here" if entry.ref else "")
    match entry.kind:
        case Kind.DECLARE:
            severity = data.get("severity")
            head = f"SEV{severity} " if severity else ""
            return f"{'DRILL ' if data.get('drill') else ''}{head}{said or data.get('title', '')}"
        case Kind.SEVERITY:
            was = f" (was SEV{data['was']})" if data.get("was") else ""
            return _colon(f"SEV{data.get('level', '?')}{was}", said)
        case Kind.STATUS:
            return _colon(str(data.get("status", "?")), said)
        case Kind.MILESTONE:
            name = str(data.get("name", "?"))
            return _colon(f"{name} unknown" if data.get("unknown") else name, said)
        case Kind.ROLE:
            return _colon(_role(data, entry.author.name), said)
        case Kind.TASK:
            return _task(entry, said, about)
        case Kind.UPDATE:
            return _update(data, said)
        case Kind.FOLLOWUP if data.get("step") == "done":
            return _colon(f"done: {about}", said)
        case Kind.FOLLOWUP if data.get("step") == "changed":
            return _colon(f"{about}{_follow_up(data)}", said)
        case Kind.FOLLOWUP:
            return f"{said}{_follow_up(data)}"
        case Kind.HYPOTHESIS if data.get("state") in ("confirmed", "eliminated"):
            return _colon(about, said)
        case Kind.LESSON:
            return _colon(
                {"well": "went well", "badly": "went badly", "luck": "luck"}.get(data.get("sort", ""), ""), said
            )
        case Kind.HOLD:
            target_ = str(data.get("target", "?"))
            if data.get("step") == "release":
                return _colon(f"{target_} released", said)
            return _colon(f"{target_} {data.get('minutes', '?')}m", said)
        case Kind.CAN:
            return _can(data, entry.author.name)
        case Kind.CRITERION if data.get("step"):
            return _colon(f"{data['step']}: {about}", said)
        case Kind.ENGAGEMENT:
            return _engagement(data, said, about)
        case Kind.HANDOFF if data.get("step"):
            how = "accepted by" if data["step"] == "accepted" else "offered to"
            return _colon(f"{how} {data.get('who', '?')}", said)
        case Kind.COMMAND if data.get("step"):
            return _command(data, said, about)
        case Kind.ALERT if data.get("status") == "resolved":
            return f"over: {said}"
        case Kind.LINK:
            other = str(data.get("other", "?"))
            links = {"duplicate": f"duplicate of {other}", "none": f"no longer linked to {other}"}
            return _colon(links.get(str(data.get("how")), f"related to {other}"), said)
        case Kind.PLAYBOOK:
            number = f" {data['number']}" if "number" in data else ""
            step = data.get("step", "?")
            return _colon(f"{data.get('name', '?')}: {'step' + number + ' ' if number else ''}{step}", said)
        case Kind.ARCHIVE:
            how = "back from" if data.get("step") == "back" else "in"
            return f"{count(data.get('entries'))} entries are {how} archive {data.get('file', '?')}"
        case Kind.PRESENCE:
            return _colon(f"{entry.author.name} {data.get('step', '')}".strip(), said)
        case Kind.AMEND | Kind.STRIKE | Kind.PIN | Kind.PURGE:
            return _colon(about, said or str(data.get("text", "")))
        case _:
            return said


def _colon(head: str, text: str) -> str:
    return f"{head}: {text}" if head and text else head or text


def _role(data: dict[str, Any], author: str) -> str:
    who, role, step = data.get("who", "?"), data.get("role", "commander"), data.get("step", "?")
    by = "" if str(who).casefold() == author.casefold() else f" (by voice, {author})"
    if role == "review":
        return f"{who} owns the review"
    if role != "commander":
        return f"{role}: {who}" if step != "release" else f"{role} released"
    match step:
        case "offer":
            return f"offered to {who}"
        case "take":
            return f"taken by {who}{by}"
        case "claim":
            return f"claimed by {who}{by}"
        case _:
            return f"{who} {step}"


def _task(entry: Entry, said: str, about: str) -> str:
    data = entry.data
    who = data.get("who", "?")
    voice = " by voice" if data.get("voice") else ""
    match data.get("step"):
        case "assigned":
            return f"{who} {data.get('minutes', '?')}m: {said}"
        case "overdue":
            return _colon(f"{who} overdue: {about}", said if said != about else "")
        case step:
            return _colon(f"{who} {step}{voice}: {about}", said)


def _follow_up(data: dict[str, Any]) -> str:
    """Owner, priority, due date and sort, of those that are said."""
    marks = (("owner", "@{}"), ("priority", "{}"), ("due", "due {}"), ("sort", "#{}"))
    return "".join(f" {form.format(data[name])}" for name, form in marks if data.get(name))


def _can(data: dict[str, Any], author: str) -> str:
    who = str(data.get("who") or author)
    voice = "" if who.casefold() == author.casefold() else f"{who}: "
    return voice + "; ".join(f"{name} {data[name]}" for name in ("conditions", "actions", "needs") if data.get(name))


def _engagement(data: dict[str, Any], said: str, about: str) -> str:
    minutes = f", back within {data['minutes']}m" if data.get("minutes") else ""
    if data.get("step"):
        return _colon(f"{data.get('vendor', '?')} {data['step']}{minutes}", said or about)
    ticket = f" {data['ticket']}" if data.get("ticket") else ""
    return _colon(f"{data.get('vendor', '?')}{ticket}{minutes}", said)


def _command(data: dict[str, Any], said: str, about: str) -> str:
    host = str(data.get("host", "?"))
    match data.get("step"):
        case "outcome":
            shown = _held(data, ", as expected", ", NOT as expected")
            return _colon(
                f"{host} {ended(data)}{shown}", said if "\n" not in said else f"{said.count(chr(10)) + 1} lines"
            )
        case "check":
            result = _held(data, "held", "DID NOT HOLD") or data.get("problem") or "could not be verified"
            return _colon(f"{host} {result}", str(data.get("expected") or about))
        case _:
            expected = f" (expects: {data['expected']})" if data.get("expected") else ""
            return f"{host}# {one_line(str(data.get('command') or said))}{expected}"


def _held(data: dict[str, Any], so: str, not_so: str) -> str:
    held = data.get("held")
    return so if held is True else not_so if held is False else ""


def ended(data: dict[str, Any]) -> str:
    """How a command ended, from the data of its outcome: "exit 0 after 3.2s", "KILL, stopped from here after 5s"."""
    status = f"exit {data['exit']}" if data.get("exit") is not None else str(data.get("signal") or "")
    parts = [part for part in (status, str(data.get("problem") or "")) if part]
    seconds = f" after {data['seconds']:g}s" if isinstance(data.get("seconds"), int | float) else ""
    return f"{', '.join(parts) or 'no exit'}{seconds}"


def _update(data: dict[str, Any], said: str) -> str:
    audience = str(data.get("audience", ""))
    promised = time_of(data.get("next"))
    by = f"next {promised:%H:%MZ}" if promised else ""
    match data.get("step"):
        case "promised":
            return _colon(f"{audience}, {by}" if by else audience, said)
        case "elsewhere":
            return _colon(f"{audience} on {data.get('where', '?')}".strip(), said)
        case _:
            return _colon(f"{audience}, {by}" if by else audience, said)


def time_of(value: object) -> datetime | None:
    """The aware UTC time of an ISO text in `Entry.data`; None when it is absent, damaged or without a zone."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else None
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
