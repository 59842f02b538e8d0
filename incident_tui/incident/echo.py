"""What the prompt says a line means, before Enter: `ACTION 14:10Z`. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, assert_never

from incident_tui.incident import meanings as m
from incident_tui.incident import when
from incident_tui.incident.meanings import Parsed

ASKS: Final = " - asks"
"""At the end of what is asked about before it is saved."""


def echo(parsed: Parsed, now: datetime) -> str:
    """One line; empty only for an empty line. A refusal echoes its sentence."""
    head = _head(parsed, now)
    if isinstance(parsed, m.Timed) and not (isinstance(parsed, m.Milestone) and parsed.unknown):
        at = when.clock(parsed.at, now)
        head = f"{head} {at}, {when.ago(parsed.at, now)}" if parsed.said else f"{head} {at}"
    promised = _promised(parsed)
    if promised and isinstance(parsed, m.Timed):
        head = f"{head}, next by {when.clock(parsed.at + promised, now)}"
    if isinstance(parsed, m.Write) and parsed.hint:
        head = f"{head} ({parsed.hint})"
    return f"{head}{ASKS}" if parsed.question else head


def _head(parsed: Parsed, now: datetime) -> str:
    match parsed:
        case m.Nothing():
            return ""
        case m.Refused(sentence=sentence):
            return sentence
        case m.Write(kind=kind, data=data):
            owner = f" @{data['owner']}" if "owner" in data else ""
            sort = f" {data['sort']}" if "sort" in data else ""
            return f"{kind.value.upper()}{sort}{owner}{' ' + data['priority'] if 'priority' in data else ''}"
        case m.Declare(severity=severity, drill=drill):
            return f"DECLARE{' DRILL' if drill else ''}{f' SEV{severity}' if severity else ''}"
        case m.SetSeverity(level=level):
            return f"SEVERITY SEV{level}"
        case m.SetStatus(status=status):
            return f"STATUS {status}"
        case m.Milestone(name=name, unknown=unknown):
            return f"MILESTONE {name}{' UNKNOWN' if unknown else ''}"
        case m.Role(step=step, who=who, role=role):
            return _words(role.upper(), "" if step == "name" else step, who)
        case m.NextUpdate(audience=audience):
            return f"PROMISE {audience}"
        case m.Update(audiences=audiences):
            return f"UPDATE {', '.join(audiences).upper()}"
        case m.DraftUpdate(audiences=audiences):
            return f"DRAFT UPDATE {', '.join(audiences).upper()}"
        case m.Sent(audience=audience, where=where):
            return f"SENT {audience.upper()} on {where}"
        case m.Assign(who=who, minutes=minutes):
            return f"TASK {who} {minutes}m"
        case m.Ack(handle=handle, who=who, voice=voice):
            return _words("ACK", handle, who, "by voice" if voice else "")
        case m.Done(handle=handle):
            return _words("DONE", handle)
        case m.Pass(handle=handle, who=who, minutes=minutes):
            return _words("PASS", handle, f"to {who}", f"{minutes}m" if minutes else "")
        case m.ChangeFollowUp(handle=handle, data=data):
            return _words("TODO", handle, *(f"{name} {value}" for name, value in data.items()))
        case m.Can(who=who, parts=parts):
            return _words("CAN", who, "/".join(parts))
        case m.Criterion():
            return "EXIT CRITERION"
        case m.Meet(handle=handle):
            return f"MET {handle}"
        case m.Engage(vendor=vendor, ticket=ticket, minutes=minutes):
            return _words("ENGAGE", vendor, ticket and f"ticket {ticket}", f"back within {minutes}m" if minutes else "")
        case m.Answered(handle=handle, ended=ended, minutes=minutes):
            return _words("DISENGAGE" if ended else "ANSWERED", handle, f"back within {minutes}m" if minutes else "")
        case m.Handoff(who=who, accept=accept):
            return "HANDOFF accept" if accept else f"HANDOFF to {who}"
        case m.LinkTo(other=other, how=how):
            return f"{'LINK' if how == 'related' else 'DUPLICATE OF'} {other}"
        case m.Judge(state=state, handle=handle):
            return f"{state.upper()} {handle}"
        case m.Amend(handle=handle, at=moved, text=text):
            return _words(
                "AMEND", handle or "last", "text" if text else "", f"time {when.clock(moved, now)}" if moved else ""
            )
        case m.Strike(handle=handle):
            return _words("STRIKE", handle or "last")
        case m.Pin(handle=handle):
            return _words("PIN", handle or "last")
        case m.Undo(handle=handle):
            return _words("UNDO", handle or "last")
        case m.Purge(handle=handle):
            return f"PURGE {handle}"
        case m.Hold(target=target, minutes=minutes):
            return f"HOLD {target} {minutes}m"
        case m.Release(target=target):
            return f"RELEASE {target}"
        case m.Play(name=name):
            return _words("PLAYBOOK", name)
        case m.Tick(number=number):
            return _words("TICK", str(number) if number else "next")
        case m.Begin(number=number):
            return _words("BEGIN", str(number) if number else "next")
        case m.Skip(number=number):
            return f"SKIP {number}"
        case m.Fail(number=number):
            return f"FAIL {number}"
        case m.Drop(number=number):
            return f"DROP {number}" if number else "END OF PLAYBOOK"
        case m.SetVariable(name=name):
            return _words("SET", name)
        case m.Resend(handle=handle):
            return _words("RESEND", handle or "all that was refused")
        case m.ReadNow(host=host):
            return _words("READ", host or "all")
        case m.StandDown():
            return "STAND DOWN"
        case m.Close(anyway=anyway):
            return "CLOSE anyway" if anyway else "CLOSE"
        case m.Sweep():
            return "SWEEP"
        case m.Export(file=file):
            return _words("EXPORT", file)
        case m.Switch(incident=incident):
            return _words("INCIDENT", incident)
        case m.ShowHelp(verb=verb):
            return _words("HELP", verb)
        case m.OnScreen(verb=verb):
            return verb.upper()
        case m.Quit():
            return "QUIT"
        case _:
            assert_never(parsed)


def _promised(parsed: Parsed) -> timedelta | None:
    match parsed:
        case m.NextUpdate(minutes=minutes) | m.Update(next_minutes=minutes) if minutes:
            return timedelta(minutes=minutes)
        case _:
            return None


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)
