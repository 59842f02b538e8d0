"""The one table of keys, each with its verb twin; the footer and help. Verbs are `incident.verbs`."""

from __future__ import annotations

from typing import Final

import msgspec

from incident_tui.incident.prefixes import PREFIXES
from incident_tui.incident.verbs import VERBS
from incident_tui.ui.lines import Line, Look, Piece, cells, fit, wrap

DRAFTS: Final = ("/filter", "/find")
"""Lines that only look for something and for which a draft is put by."""
LOOKS: Final = (
    "/filter",
    "/find",
    "/search",
    "/state",
    "/go",
    "/zoom",
    "/redraw",
    "/help",
    "/logs",
    "/performance",
    "/changes",
)
"""Lines that stay out of the history: Up brings back what was logged, and a key repeats these."""


class Command(msgspec.Struct, frozen=True):
    """One key. `action` names what the app does; `verb` is the typed twin, empty where the key only moves about."""

    key: str
    action: str
    label: str
    """The key as people write it."""
    help: str
    verb: str = ""
    also: tuple[str, ...] = ()
    """Other keys that do the same; `label` names them."""


COMMANDS: Final = (
    Command("enter", "enter", "Enter", "save the line; in a pane: open the chosen row"),
    Command("tab", "tab", "Tab", "complete the word; with an empty prompt: next pane"),
    Command("shift+tab", "pane_back", "Shift+Tab", "the pane before, also with text in the prompt"),
    Command("escape", "back", "Esc", "back to the prompt; the line stays"),
    Command("up", "up", "Up", "older line when the prompt is empty; else scroll back; in a pane: row above"),
    Command("down", "down", "Down", "newer line, scroll on, or row below"),
    Command("pageup", "page_up", "PgUp", "a page back in the timeline or in what is open"),
    Command("pagedown", "page_down", "PgDn", "a page on; at the end it follows again"),
    Command("ctrl+home", "to_start", "Ctrl+Home", "to the first entry", "go"),
    Command("ctrl+end", "to_end", "Ctrl+End", "to the last entry, follow, and fold runs again", "go"),
    Command("f1", "help", "F1", "keys and verbs", "help"),
    Command("f2", "state", "F2", "the state of the incident on one page; again closes it", "state"),
    Command("f5", "read", "F5", "a fresh reading of all hosts now", "read"),
    Command("f6", "logs", "F6", "the end of the chosen container's log", "logs"),
    Command(
        "f7", "performance", "F7", "top, memory, disks, containers of the chosen row, kept as evidence", "performance"
    ),
    Command("f8", "changes", "F8", "what changed in 24 h, on the chosen host or on all; Enter logs a row", "changes"),
    Command("f9", "resend", "F9", "send again what a chat did not take: of the open or chosen entry, or all", "resend"),
    Command("ctrl+f", "filter", "Ctrl+F", "show only entries that fit; Esc shows all again", "filter"),
    Command("ctrl+r", "older", "Ctrl+R F3", "find a text further back; again: the next one back", "find", ("f3",)),
    Command("ctrl+n", "newer", "Ctrl+N", "the next match on (also Shift+F3)", "", ("shift+f3",)),
    Command("ctrl+g", "unread", "Ctrl+G", "to the first entry that came while you were away", "go"),
    Command("ctrl+o", "zoom", "Ctrl+O F4", "one pane takes the whole width; again gives it back", "zoom", ("f4",)),
    Command("ctrl+y", "yank", "Ctrl+Y", "copy what is chosen or open to the clipboard and a file", "yank"),
    Command("ctrl+l", "repaint", "Ctrl+L", "draw the screen anew", "redraw"),
    Command("ctrl+e", "edit", "Ctrl+E", "write the line in $EDITOR; several lines come back as a paste", "edit"),
    Command("ctrl+z", "suspend", "Ctrl+Z", "to the shell; fg comes back and says what happened", "suspend"),
    Command("ctrl+c", "leave", "Ctrl+C", "twice: leave; watching goes on", "quit"),
)
"""Printable keys are always text in the prompt; these are all the others besides those that edit the line."""

FOOTER: Final = {
    "prompt": (
        ("Enter", "saves"),
        ("Tab", "panes"),
        ("PgUp", "back"),
        ("F1", "help"),
        ("Ctrl+F", "filter"),
        ("F3", "find"),
        ("F4", "zoom"),
        ("Ctrl+C", "twice leaves"),
    ),
    "line": (
        ("Enter", "saves"),
        ("Tab", "words"),  # as long as "panes": the first key of a line costs a slow line five bytes more
        ("PgUp", "back"),
        ("F1", "help"),
        ("Ctrl+F", "filter"),
        ("F3", "find"),
        ("F4", "zoom"),
        ("Ctrl+C", "twice leaves"),
    ),
    "status": (
        ("Enter", "opens"),
        ("Up Down", "choose"),
        ("Esc", "prompt"),
        ("F6", "log"),
        ("F7", "measure"),
        ("F8", "changes"),
        ("F4", "zoom"),
    ),
    "timeline": (
        ("Enter", "opens"),
        ("Up Down", "choose"),
        ("Esc", "prompt"),
        ("Ctrl+Y", "copies"),
        ("Ctrl+End", "newest"),
        ("F4", "zoom"),
    ),
    "row": (
        ("Esc", "closes"),
        ("PgUp PgDn", "scroll"),
        ("F6", "log"),
        ("F7", "measure"),
        ("F8", "changes"),
        ("Ctrl+Y", "copies"),
    ),
    "choices": (("Enter", "takes"), ("Up Down", "choose"), ("Esc", "closes"), ("Ctrl+Y", "copies")),
    "host": (
        ("Enter", "runs it there"),
        ("Ctrl+C", "stops it"),
        ("Esc", "leaves"),
        ("Up Down", "older"),
        ("PgUp PgDn", "scroll"),
    ),
    "sheet": (("Esc", "closes"), ("PgUp PgDn", "scroll"), ("Enter", "saves"), ("Ctrl+Y", "copies"), ("F4", "zoom")),
}
"""Where one is -> keys of that moment. `line` is the prompt with text in it, `host` the prompt of a host; `sheet` is
whenever something is open over the timeline, and the left pane is not active; `row` when it is about a row of that
pane, `choices` while its own rows are chosen among."""

_FIRST: Final = (
    "Type what happens, Enter saves it. What may stand in front:",
    "! action   = result   ? hypothesis   d: decision   todo: …",
    "-10m  @14:05   it happened earlier",
    "/declare TITLE   /sev 2 why   /ic take   /next 20m public",
    "/update public +20m TEXT   /assign bob 5m TEXT   /undo",
    "Tab panes: arrows choose, Enter opens, Esc comes back",
    "PgUp back   Ctrl+F filter   F3 find   F4 zoom   F5 read",
    "/help assign tells of one verb; PgDn: all keys and verbs",
)
"""The first page of help: what one needs when just woken, at 60 columns."""

BY_KEY: Final = {key: command for command in COMMANDS for key in (command.key, *command.also)}
EDIT_HELP: Final = (
    ("Left Right Home", "move in the line; Ctrl+Left, Ctrl+Right by words"),
    ("Ctrl+A End", "beginning and end of the line"),
    ("Ctrl+W Ctrl+U", "delete the word, or all, before the cursor; Ctrl+K after it"),
)


def footer(place: str, width: int, look: Look) -> Line:
    """The keys worth knowing at a place of FOOTER, as many as fit."""
    pieces: list[Piece] = []
    used = 0
    for label, words in FOOTER[place]:
        gap = "   " if pieces else " "
        used += len(gap) + cells(label) + 1 + cells(words)
        if used > width:
            break
        pieces += [(gap, ""), (label, "strong"), (f" {words}", "")]
    return fit(pieces, width, look)


def verb_hint(line: str) -> tuple[str, str]:
    """The form and help of the verb that is being typed, or the verbs that it may become and nothing; empty for other
    text."""
    words = line.lstrip().split(" ")
    if words and len(words) > 1 and words[0][:1] in "@-" and words[0][1:2].isdigit():
        words = words[1:]
    first = words[0] if words else ""
    if not first.startswith("/"):
        return "", ""
    name = first[1:].lower()
    verb = VERBS.get(name)
    if verb is not None:
        return verb.form, verb.help
    if len(words) > 1:
        return "", ""
    fitting = [f"/{known}" for known in VERBS if known.startswith(name)]
    return "  ".join(fitting), ""


def help_lines(verb: str, width: int, look: Look) -> list[Line]:
    """All keys, prefixes and verbs, or one verb with its example."""
    if verb in VERBS:
        one = VERBS[verb]
        lines = [("strong", one.form), ("", one.help), ("", ""), ("", "For example:"), ("strong", f"  {one.example}")]
        if one.timed:
            lines += [("", ""), ("", "A time may stand in front: -10m, or @14:05 (UTC).")]
        return [
            fit([(f" {part}", style)], width, look)
            for style, text in lines
            for part in wrap(look.text(text), width - 2, width - 2)
        ]
    out: list[Line] = [fit([(f" {look.text(line)}", "")], width, look) for line in _FIRST]
    out += _section("PREFIXES", [(form, meaning) for form, _, meaning in PREFIXES], width, look)
    out += _section("KEYS", [(one.label, _twin(one)) for one in COMMANDS] + list(EDIT_HELP), width, look)
    out += _section("VERBS", [(one.form, one.help) for one in VERBS.values()], width, look)
    out += _section(
        "SYMBOLS", [("+ ! X ?", "well, warning, critical, unknown: could not ask, or too old")], width, look
    )
    return out


def _twin(command: Command) -> str:
    return f"{command.help} (/{command.verb})" if command.verb else command.help


def _section(title: str, rows: list[tuple[str, str]], width: int, look: Look) -> list[Line]:
    lines: list[Line] = [fit([], width), fit([(f" {title}", "strong")], width)]
    column = 28 if width >= 76 else 20
    for form, words in rows:
        form = look.text(form)
        parts = wrap(look.text(words), width - column - 1, width - column - 1)
        if cells(form) > column - 2:  # a long form stands on a line of its own
            lines += [fit([(f" {part}", "mark")], width) for part in wrap(form, width - 2, width - 2)]
            form = ""
        lines.append(fit([(f" {form:<{column - 1}}", "mark"), (parts[0], "")], width, look))
        lines += [fit([(" " * column, ""), (part, "")], width, look) for part in parts[1:]]
    return lines
