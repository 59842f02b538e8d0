"""`/inc` lines in chat: the same grammar as the prompt, for those who are allowed, without what acts on machines.

A line of chat never runs a command on a host, plays a playbook, destroys a text or changes what a screen shows.
"""

from __future__ import annotations

import re
from typing import Final

from incident_tui.desk.desk import Desk
from incident_tui.desk.outcome import Outcome
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.verbs import VERBS
from incident_tui.incident.views import Incident
from incident_tui.text import sanitise

_INC: Final = re.compile(r"\s*[/!]inc(?:\s+|$)(.*)", re.DOTALL | re.IGNORECASE)
_FORMS: Final = {"note": "", "action": "! ", "result": "= ", "hypothesis": "? ", "decision": "d: ", "todo": "todo: "}
"""Words for the prompt's marks."""
_CARRIED_OUT: Final = (
    *(m.Write, m.Declare, m.SetSeverity, m.SetStatus, m.Milestone, m.Role, m.NextUpdate, m.Update, m.Sent),
    *(m.Assign, m.Ack, m.Done, m.Pass, m.ChangeFollowUp, m.Can, m.Criterion, m.Meet, m.Engage, m.Answered),
    *(m.LinkTo, m.Judge, m.Hold, m.Release, m.StandDown, m.Pin),
)
HELP: Final = (
    "/inc note|action|result|decision|hypothesis|todo TEXT, or a verb of the prompt without its slash: "
    "/inc sev 2 why, /inc status mitigating, /inc update public +20m TEXT, /inc ack. /inc now tells where it stands."
)
NOT_ALLOWED: Final = "Your user id is not among those whose /inc lines are carried out (allow in the configuration)."


def line_of(text: str) -> str | None:
    """What follows `/inc` or `!inc`, on one line; None when the text is no such line."""
    match = _INC.match(text)
    return None if match is None else sanitise(match.group(1)).strip()


def as_typed(line: str) -> str:
    """The line as the prompt takes it: "sev 2 why" is "/sev 2 why", "action text" is "! text"."""
    first, _, rest = line.removeprefix("/").partition(" ")
    word = first.casefold()
    if word in _FORMS and rest.strip() and not (word == "todo" and re.match(r"[a-z]\d+\b", rest.strip())):
        return _FORMS[word] + rest.strip()
    return f"/{word} {rest}".strip() if word in VERBS else line


def carry_out(desk: Desk, line: str, key: str) -> tuple[str, Outcome | None]:
    """Carries out what follows `/inc`. Returns a sentence for who wrote it, and what is being saved, if anything."""
    if line.casefold() in ("", "help"):
        return HELP, None
    if line.casefold() == "now":
        return situation(desk.incident), None
    typed = as_typed(line)
    parsed: Parsed = desk.meaning(typed)
    if isinstance(parsed, m.Refused):
        return parsed.sentence, None
    if not isinstance(parsed, _CARRIED_OUT) or (isinstance(parsed, m.Write) and parsed.kind is Kind.EVIDENCE):
        word = typed.split(" ", 1)[0]
        return f"{word} cannot be said from chat: say it on the screen.", None
    if isinstance(parsed, m.Write) and parsed.hint:
        return f"Not saved: there is {parsed.hint}. {HELP}", None
    outcome = desk.carry_out(typed, key=key)
    if outcome.question is not None:
        return f"Not saved, as it asks first: {outcome.question.sentence} Say it on the screen.", None
    if outcome.refusal:
        return outcome.refusal, None
    return outcome.notice, outcome if outcome.saving is not None else None


def situation(incident: Incident | None) -> str:
    """One line: what is in force."""
    if incident is None:
        return "No incident is open."
    severity = f"SEV{incident.severity} " if incident.severity is not None else ""
    due = min(incident.next_update.values(), default=None)
    promised = f", next update {due:%H:%MZ}" if due is not None else ""
    commander = f"commander {incident.commander}" if incident.commander else "no commander"
    drill = "DRILL " if incident.drill else ""
    return f"{drill}{incident.id} {severity}{incident.title}: {incident.status or 'declared'}, {commander}{promised}."
