"""The entry point: runs the screen until it is left, and says afterwards what was not saved."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from incident_tui.incident.entry import Author
from incident_tui.journal.errors import JournalError
from incident_tui.journal.presence import Presence
from incident_tui.journal.signing import Signing
from incident_tui.journal.writer import Unsaved
from incident_tui.ui.clocks import commands
from incident_tui.ui.session import Session
from incident_tui.ui.view import Parts

if TYPE_CHECKING:
    from incident_tui.ui.app import IncidentApp
    from incident_tui.ui.linear.screen import LinearScreen

_ENVIRONMENT = {
    "TEXTUAL_ANIMATIONS": "none",
    "TEXTUAL_SMOOTH_SCROLL": "0",
    "TEXTUAL_COLOR_SYSTEM": "standard",
    "TEXTUAL_DISABLE_KITTY_KEY": "1",
    "TEXTUAL_THEME": "ansi-dark",
}
"""Textual reads these while it is imported."""


def run(
    *,
    settings: Parts,
    directory: Path,
    author: Author,
    start_watch: Callable[[], None],
    ask: Callable[[str, str], None],
    presence: Presence,
    demo: bool,
    playbooks: Sequence[Path],
    letter: str = "a",
    confined: bool = False,
    signing: Signing | None = None,
) -> int:
    """The screen on the journal in `directory`. Returns the exit status: 0 left, 1 something was not saved or the
    journal cannot be opened, 128 + signal when ended by one. Raises what crashed it, with the terminal restored and the
    draft kept. `start_watch` is called when nobody watches, at most every few seconds; `ask` as `watch.asks.ask`."""
    colours = not os.environ.get("NO_COLOR")
    os.environ.update(_ENVIRONMENT)
    for name in ("COLUMNS", "LINES"):  # a shell may have exported them for another window; the terminal knows better
        os.environ.pop(name, None)
    try:
        session = Session(
            settings=settings,
            directory=directory,
            author=author,
            presence=presence,
            demo=demo,
            playbooks=playbooks,
            letter=letter,
            confined=confined,
        )
    except JournalError as error:
        print(f"incident-tui: {error.sentence}", file=sys.stderr)
        return 1
    if signing is not None:
        session.writer.on_saved, session.beside = signing.note, lambda: signing.problem
    app: IncidentApp | LinearScreen
    if settings.screen.linear is True:
        from incident_tui.ui.linear.screen import LinearScreen

        app = LinearScreen(session, start_watch=start_watch, ask=ask)
    else:
        from incident_tui.ui.app import IncidentApp

        app = IncidentApp(session, start_watch=start_watch, ask=ask, colours=colours)
    status: int | None = None
    try:
        status = app.run(mouse=settings.screen.mouse)
    finally:
        presence.needed = commands(session.incident, author.name)
        unsaved = session.close(*app.talk.unsent())
        _report(unsaved, "" if signing is None else signing.close())
    if app.crash is not None:
        raise app.crash
    return 1 if unsaved else status or 0


def _report(unsaved: list[Unsaved], unsigned: str) -> None:
    """What could not be saved, in full: the screen is gone, and this may be the only copy besides the kept line."""
    try:
        for one in unsaved:
            for draft in one.drafts:
                print(f"NOT SAVED ({one.problem}): {draft.text}", file=sys.stderr)
        if unsigned:
            print(f"incident-tui: {unsigned} (all is saved; incident-tui sign)", file=sys.stderr)
        if unsaved:
            print("The next screen of this journal offers these lines again.", file=sys.stderr)
    except OSError:
        return  # the terminal is gone; the kept line is not
