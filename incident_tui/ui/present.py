"""The header and the line of reminders: View -> lines. Pure; no widget, no clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from incident_tui.incident.finding import Level
from incident_tui.incident.said import same
from incident_tui.incident.work import Run, Task
from incident_tui.ui import clocks
from incident_tui.ui.lines import Line, Piece, cells, cut, fit, sides, width_of, wrap
from incident_tui.ui.times import clock, countdown, short, stepped
from incident_tui.ui.view import View
from incident_tui.watch.alerts.rows import MAX_AGE

SAVE_GRACE: Final = timedelta(seconds=1)
"""A save that takes longer is not called saved any more."""
_TITLE_LEAST: Final = 8
_ALARM_LINES: Final = 3
_DUE: Final = (
    ("update due in {} ({})", "update OVERDUE {} ({})"),
    ("update {} {}", "update OVERDUE {} {}"),
    ("due {} {}", "OVERDUE {} {}"),
)
"""Words for a promised update: the longest with which the second line is one line, or the fewest."""


def header(view: View, width: int) -> list[Line]:
    """Two lines or three, then one for each alarm. Always all of it: what does not fit goes to the next line."""
    second = min((_flow(_second(view, due), width) for due in _DUE), key=len)
    lines = [_first(view, width), *second]
    for sentence, style in alarms(view):
        parts = wrap(view.look.text(sentence), width - 1, width - 1)
        if len(parts) > _ALARM_LINES:
            parts[_ALARM_LINES - 1] = cut(" ".join(parts[_ALARM_LINES - 1 :]), width - 2, view.look)
        lines += [fit([(f" {part}", style)], width, view.look) for part in parts[:_ALARM_LINES]]
    return lines


def _first(view: View, width: int) -> Line:
    """Mark, severity, title, status, age, commander; at the right whether lines are saved."""
    incident, look = view.incident, view.look
    saved = [*saved_piece(view), (" ", "")]
    marks: list[Piece] = [(" ", "")]
    if view.demo:
        marks += [("DEMO", "mark"), (" ", "")]
    if incident is None:
        text = view.loading or "no incident: /declare TITLE"
        return sides([*marks, (text, "strong")], saved, width, look)
    if incident.drill:
        marks += [("DRILL", "mark"), (" ", "")]
    level = f"SEV{incident.severity}" if incident.severity is not None else "SEV?"
    marks += [(level, "crit" if incident.severity == 1 else "warn"), (" ", "")]
    age = short(view.now - incident.declared_at) if incident.declared_at is not None else ""
    state = "closed" if not incident.open else look.text(incident.status) or "declared"
    gap, tight = ("  ", False) if width >= 76 else (" ", True)
    if tight:
        saved = [*saved_piece(view, seconds=False), (" ", "")]
    rest: list[Piece] = [(f"{gap}{age}", ""), (f"{gap}{state}", "strong"), _commander(view, gap)]
    room = width - width_of(marks) - width_of(rest) - width_of(saved) - len(gap)
    title = cut(look.text(incident.title or incident.id), max(_TITLE_LEAST, room), look)
    return sides([*marks, (title, "strong"), *rest], [(gap, ""), *saved], width, look)


def _commander(view: View, gap: str) -> Piece:
    incident = view.incident
    if incident is None or not incident.commander:
        return (f"{gap}IC nobody", "warn")
    since = f" {short(view.now - incident.commander_since)}" if incident.commander_since else ""
    away = clocks.gone(view)
    if away is not None:
        return (f"{gap}IC {cut(view.look.text(incident.commander), 12, view.look)} GONE {short(away)}", "crit")
    return (f"{gap}IC {cut(view.look.text(incident.commander), 12, view.look)}{since}", "")


def saved_piece(view: View, *, seconds: bool = True) -> list[Piece]:
    """SAVED with its time, or NOT SAVED. Nothing saved yet in this session is said as such."""
    status = view.writer
    late = any(view.now - one.at > SAVE_GRACE for one in view.pending)
    if status.problem or late:
        count = max(status.waiting, len(view.pending))
        return [(f"NOT SAVED {count}" if count else "NOT SAVED", "crit")]
    if status.saved_at is None:
        return [("nothing unsaved", "")]
    at = clock(status.saved_at)
    return [(f"saved {at if seconds else at[:5]}Z", "ok")]


def _second(view: View, due: tuple[str, str] = _DUE[0]) -> list[list[Piece]]:
    """The groups of the second line, in order."""
    groups: list[list[Piece]] = [[(f"{clock(view.now)}Z", "strong")]]
    groups += [[piece] for piece in _promises(view, due)]
    groups.append([watch_piece(view)])
    groups.append(_present(view))
    states = (
        chat_piece(view),
        bastions_piece(view),
        replica_piece(view),
        copies_piece(view),
        rooms_piece(view),
        alerts_piece(view),
    )
    groups += [[piece] for piece in states if piece is not None]
    if view.other_open:
        groups.append([(f"+{view.other_open} open incident{'s' if view.other_open > 1 else ''}", "warn")])
    return groups


def _promises(view: View, words: tuple[str, str]) -> list[Piece]:
    incident = view.incident
    if incident is None:
        return []
    due = clocks.updates(view)
    if not due:
        return [("no update promised", "warn" if incident.open and incident.stood_down_at is None else "")]
    out: list[Piece] = []
    for at, audience in due:
        left = at - view.now
        if left < timedelta(0):
            out.append((words[1].format(countdown(left), audience), "crit"))
        else:
            out.append((words[0].format(countdown(left), audience), "warn" if left.total_seconds() < 120 else ""))
    return out


def _present(view: View) -> list[Piece]:
    look = view.look
    names = [one.name for one in view.people if one.alive]
    if view.me.name not in names:
        names.insert(0, view.me.name)  # whoever looks at this is here, also when that cannot be written down
    here = [cut(look.text(name), 10, look) for name in names]
    gone = [one for one in view.people if not one.alive]
    words = f"here {' '.join(here[:5])}"
    if len(here) > 5:
        words += f" +{len(here) - 5}"
    out: list[Piece] = [(words, "")]
    for one in gone[:2]:
        out.append((f", {cut(look.text(one.name), 10, look)} gone {short(one.since)}", "warn"))
    if len(gone) > 2:
        out.append((f", {len(gone) - 2} more gone", ""))
    return out


def watch_piece(view: View) -> Piece:
    watch = view.watch
    if watch.age is None:
        return ("? nobody watches", "unknown")
    if not watch.fresh:
        return (f"? watch STALE {short(watch.age)}", "unknown")
    return (f"watch {short(watch.age)}", "")


def chat_piece(view: View) -> Piece | None:
    """One piece for all sinks, the worst first; None when there is no chat."""
    if not view.sinks:
        return None
    if not view.watch.fresh:
        return ("? chat unknown", "unknown")
    rows = [view.chats[name] for name in view.sinks if name in view.chats]
    if len(rows) < len(view.sinks):
        return ("? chat not tried", "unknown")
    down = [row for row in rows if row.problem]
    waiting, maybe, dead = (sum(getattr(row, key) for row in rows) for key in ("waiting", "maybe", "dead"))
    words: list[str] = []
    if down:
        worst_one = min(down, key=lambda row: row.since or view.now)
        name = f"{cut(view.look.text(worst_one.name), 10, view.look)} " if len(rows) > 1 else ""
        since = worst_one.since
        words.append(f"{name}DOWN {short(view.now - since)}" if since is not None else f"{name}DOWN")
    if waiting:
        words.append(f"{waiting} waiting")
    if maybe:
        words.append(f"{maybe} maybe sent")
    if dead:
        words.append(f"{dead} refused")
    if not words:
        return ("chat ok", "")
    return (f"{'X' if down or dead else '!'} chat {', '.join(words)}", "crit" if down or dead else "warn")


def rooms_piece(view: View) -> Piece | None:
    """The room that is not read for longest; None when all are, or nobody watches, which says enough."""
    down = [row for row in view.rooms if row.problem]
    if not view.watch.fresh or not down:
        return None
    longest = min(down, key=lambda row: row.since or view.now)
    age = f" {short(view.now - longest.since)}" if longest.since is not None else ""
    more = f" +{len(down) - 1}" if len(down) > 1 else ""
    return (f"? room {cut(view.look.text(longest.name), 10, view.look)} DOWN{age}{more}", "unknown")


def bastions_piece(view: View) -> Piece | None:
    """Which part of the fleet this watch reads, or that it is alone; None without a cluster, or when nobody watches."""
    row = view.bastions
    if row is None or not view.watch.fresh:
        return None
    if row.state == "alone":
        return (f"? ALONE since {row.since:%H:%M}, reads all {row.hosts}", "unknown")
    if row.state == "joining":
        return ("? joining", "unknown")
    who = "" if row.on_duty else f", chat by {row.duty}" if row.duty else ", chat by nobody yet"
    return (f"reads {row.reads}/{row.hosts}{who}", "" if row.on_duty or row.duty else "unknown")


def replica_piece(view: View) -> Piece | None:
    """The bastion that was not reached for longest; None when entries go to all, or nobody watches."""
    apart = [row for row in view.replicas if row.problem]
    if not view.watch.fresh or not apart:
        return None
    longest = min(apart, key=lambda row: (row.reached, row.reached_at or row.since or view.now))
    at = longest.since if longest.reached else longest.reached_at or longest.since
    since = "" if at is None else f" since {at:%H:%M}" if view.now - at < timedelta(hours=20) else f" since {at:%d %b}"
    more = f" +{len(apart) - 1}" if len(apart) > 1 else ""
    state = "lacks entries" if longest.reached else "not reached"
    return (f"? {cut(view.look.text(longest.name), 12, view.look)} {state}{since}{more}", "unknown")


def copies_piece(view: View) -> Piece | None:
    """The worst of the copies of other bastions' journals: forked, refused, or how many entries are known to exist that
    have not arrived. None when all of each is here."""
    worst = max(view.copies, key=lambda one: (one.forked_at > 0, bool(one.problem), one.behind), default=None)
    if worst is None or not (worst.problem or worst.behind):
        return None
    name = view.letters.get(worst.journal, worst.journal[:6]).rstrip(":")
    more = sum(bool(one.problem or one.behind) for one in view.copies) - 1
    also = f" +{more}" if more else ""
    if worst.forked_at:
        return (f"X {name} FORKED{also}", "crit")
    if worst.problem:
        return (f"X {name} REFUSED{also}", "crit")
    old = view.now - worst.heard_at >= timedelta(hours=20)
    return (f"? {name} behind {worst.behind} since {worst.heard_at:{'%d %b' if old else '%H:%M'}}{also}", "unknown")


def alerts_piece(view: View) -> Piece | None:
    """What fires of all sources, or that it is not known; None when there is no source and nothing fires."""
    row = view.alerts
    if row is None or not (view.watch.fresh and view.now - row.at <= MAX_AGE):
        return ("? alerts unknown", "unknown") if view.alert_sources else None
    silent = [one.name for one in row.sources if one.problem and one.name in view.alert_sources]
    if row.listener or silent:
        return (f"? alerts {silent[0] if silent else 'listener'} DOWN", "unknown")
    if not row.groups:
        return ("no alerts", "") if view.alert_sources else None
    level = row.groups[0].level
    style, symbol = {"crit": ("crit", "X "), "warn": ("warn", "! ")}.get(level, ("", ""))
    return (f"{symbol}{row.firing} alert{'s' if row.firing > 1 else ''} firing", style)


def _flow(groups: Sequence[Sequence[Piece]], width: int) -> list[Line]:
    """Groups from left to right, two columns apart, on as many lines as they need."""
    lines: list[list[Piece]] = [[(" ", "")]]
    for group in groups:
        size = width_of(group)
        used = width_of(lines[-1])
        if used + size + (2 if used > 1 else 0) > width and used > 1:
            lines.append([(" ", "")])
            used = 1
        if used > 1:
            lines[-1].append(("  ", ""))
        lines[-1].extend(group)
    return [fit(line, width) for line in lines]


def alarms(view: View) -> list[tuple[str, str]]:
    """What must not be missed, as sentences with a style."""
    found: list[tuple[str, str]] = []
    status = view.writer
    if status.problem:
        since = f" since {clock(status.since)}Z" if status.since else ""
        # The name of another path belongs to the reason: a phone photo or `incident-tui log` elsewhere still works.
        found.append((f"NOT SAVED{since}, kept and retried: {status.problem}", "crit"))
    incident = view.incident
    if incident is not None and incident.offered is not None:
        offered = incident.offered
        if offered.who.casefold() == view.me.name.casefold():
            found.append((f"{offered.by.name} offers you command: /ic take", "mark"))
    if take := clocks.take_over(view):
        found.append((take, "mark"))
    others = [one for one in view.problems if not status.problem or status.problem not in one]
    found += [(problem, "warn") for problem in others[:2]]
    return found


def notices(view: View, width: int) -> Line:
    """One line of running things: late tasks, timers, holds, offers, suggested playbooks. What is left out is
    counted."""
    pieces = _running(view)
    out: list[Piece] = [(" ", "")]
    for index, (text, style) in enumerate(pieces):
        gap = "   " if index else ""
        more = len(pieces) - index - 1
        reserve = cells(f"   +{more} more") if more else 0
        if width_of(out) + len(gap) + cells(text) + reserve > width and index:
            out.append((f"   +{len(pieces) - index} more", ""))
            break
        out += [(gap, ""), (text, style)]
    return fit(out, width, view.look)


def _running(view: View) -> list[Piece]:
    look, now, incident = view.look, view.now, view.incident
    out: list[Piece] = []
    runs = [run for run in incident.runs if run.finished_at is None] if incident is not None else []
    fitting = [name for name in view.suggested if name not in {run.name for run in runs}]
    played = [_played(run, view) for run in runs]
    suggested = [(f"suggested: /play {look.text(name)}", "strong") for name in fitting[:1]]
    tasks = incident.tasks if incident is not None else ()
    open_tasks = sorted((task for task in tasks if task.done_at is None), key=lambda one: one.due)
    mine = [task for task in open_tasks if same(task.who, view.me.name)]
    out += [(look.text(one.sentence), "warn") for one in view.conflicts]
    out += [_task(task, view) for task in mine]  # on a phone there is room for one thing: what is mine to do
    if not any(task.due < now for task in open_tasks):
        out += [*played, *suggested]
    if incident is not None:
        out += [_task(task, view) for task in open_tasks if task not in mine]
        out += [one for one in played if one not in out]
        out += clocks.running(view)
        out += [one for one in suggested if one not in out]  # behind a task that is over, but before all else
        if incident.offered is not None and incident.offered.who.casefold() != view.me.name.casefold():
            out.append((f"command offered to {look.text(incident.offered.who)}", "warn"))
        for hold in incident.holds:
            if hold.active(now):
                out.append((f"{look.text(hold.target)} held by {look.text(hold.by.name)}", "warn"))
    out += [(f"or /play {look.text(name)}", "") for name in fitting[1:3]]
    if incident is not None and view.loading:
        out.append((view.loading, ""))
    return out


def _task(task: Task, view: View) -> Piece:
    left = task.due - view.now
    over = left < timedelta(0)
    who = cut(view.look.text(task.who), 10, view.look)
    mine = f": {'/done' if task.acked_at else '/ack'}" if same(task.who, view.me.name) else ""
    return (f"task {who} {stepped(left)} {'over' if over else 'left'}{mine}", "warn" if over else "")


def _played(run: Run, view: View) -> Piece:
    """A playbook that is being played: the step one has, or the next one."""
    number = run.next_step(view.me.name)
    said = run.step(number)
    name = view.look.text(run.name)
    if said is not None and said.step == "begun":
        return (f"you have step {number} of {name}", "strong")
    return (f"{name}: step {number} next" if number else f"{name}: nothing left for you", "")


def worst(view: View) -> Level:
    """The worst level on the screen; of nothing read, unknown."""
    return max((one.level for one in view.findings), key=lambda level: level.rank, default=Level.OK)
