"""The arguments of each verb -> its meaning: the table of parsers, and those of the screen's own verbs. Pure.

Apart from `grammar`, which imports this only when a line is a verb: a plain note needs none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from incident_tui.incident import arguments_command as c
from incident_tui.incident import arguments_work as w
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import Kind
from incident_tui.incident.meanings import Parsed
from incident_tui.incident.tokens import none, short, text, word
from incident_tui.incident.typed import Line, Wrong
from incident_tui.incident.verbs import VERBS


def _help(arguments: str, line: Line) -> Parsed:
    verb = arguments.removeprefix("/").lower()
    if verb and verb not in VERBS:
        raise Wrong(f"there is no verb {short(arguments)}.")
    return m.ShowHelp(verb=verb)


def _alone(make: Callable[[], Parsed]) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        none(arguments)
        return make()

    return parser


def _on_screen(verb: str, *, alone: bool) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        if alone:
            none(arguments)
        return m.OnScreen(verb=verb, argument=arguments)

    return parser


def _go(arguments: str, line: Line) -> Parsed:
    place, rest = word(arguments, "where to go")
    none(rest)
    return m.OnScreen(verb="go", argument=place)


def _writes(kind: Kind, **data: Any) -> Callable[[str, Line], Parsed]:
    def parser(arguments: str, line: Line) -> Parsed:
        return m.Write(kind=kind, text=text(arguments), data=data, **line.timed)

    return parser


PARSERS: Final[dict[str, Callable[[str, Line], Parsed]]] = {
    "declare": c.declare,
    "sev": c.sev,
    "status": c.status,
    "ms": c.milestone,
    "ic": c.ic,
    "role": c.role,
    "next": c.next_update,
    "update": c.update,
    "sent": c.sent,
    "assign": w.assign,
    "ack": w.ack,
    "done": w.done,
    "pass": w.pass_on,
    "todo": w.todo,
    "can": c.can,
    "criterion": c.criterion,
    "met": c.met,
    "engage": w.engage,
    "answered": w.answered,
    "disengage": w.disengage,
    "handoff": c.handoff,
    "link": c.link("related"),
    "merge": c.link("duplicate"),
    "well": _writes(Kind.LESSON, sort="well"),
    "badly": _writes(Kind.LESSON, sort="badly"),
    "luck": _writes(Kind.LESSON, sort="luck"),
    "change": _writes(Kind.CHANGE),
    "confirm": w.confirm,
    "eliminate": w.eliminate,
    "amend": w.amend,
    "strike": w.only_handle(lambda handle: m.Strike(handle=handle)),
    "pin": w.only_handle(lambda handle: m.Pin(handle=handle)),
    "undo": w.only_handle(lambda handle: m.Undo(handle=handle)),
    "purge": w.purge,
    "hold": w.hold,
    "release": w.release,
    "play": w.one_word(lambda name: m.Play(name=name)),
    "tick": w.tick,
    "skip": w.skip,
    "begin": w.begin,
    "fail": w.fail,
    "drop": w.drop,
    "set": w.set_variable,
    "read": w.one_word(lambda host: m.ReadNow(host=host)),
    "run": _on_screen("run", alone=False),
    "logs": _on_screen("logs", alone=False),
    "performance": _on_screen("performance", alone=False),
    "changes": w.one_word(lambda host: m.OnScreen(verb="changes", argument=host)),
    "standdown": lambda arguments, line: m.StandDown(text=arguments, **line.timed),
    "close": c.close,
    "sweep": _alone(m.Sweep),
    "review": c.review,
    "resend": w.only_handle(lambda handle: m.Resend(handle=handle)),
    "export": lambda arguments, line: m.Export(file=arguments),
    "incident": w.one_word(lambda incident: m.Switch(incident=incident)),
    "note": _writes(Kind.NOTE),
    "filter": _on_screen("filter", alone=False),
    "find": _on_screen("find", alone=False),
    "state": _on_screen("state", alone=True),
    "oncall": _on_screen("oncall", alone=True),
    "search": _on_screen("search", alone=False),
    "go": _go,
    "zoom": _on_screen("zoom", alone=False),
    "yank": w.only_handle(lambda handle: m.OnScreen(verb="yank", argument=handle)),
    "edit": _on_screen("edit", alone=True),
    "redraw": _on_screen("redraw", alone=True),
    "suspend": _on_screen("suspend", alone=True),
    "help": _help,
    "quit": _alone(m.Quit),
}
"""Every verb of `verbs.VERBS`."""
