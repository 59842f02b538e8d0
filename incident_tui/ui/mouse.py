"""What the mouse does, where `[screen] mouse` lets us have it: the wheel scrolls the pane under the pointer, a click
chooses, a click on what is chosen opens it. All of it can be done with keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from incident_tui.ui.app import IncidentApp

NOTCH: Final = 3
"""Lines that one notch of the wheel scrolls."""
_TITLE: Final = 1
"""Lines above the first entry of the timeline."""


def wheeled(app: IncidentApp, widget: str, step: int) -> None:
    """One notch over this widget, down or up (-1). The left pane becomes active: only then does it scroll."""
    if widget == "status":
        _activate_status(app)
        app.status.move(step)
    elif widget in ("timeline", "sheet"):
        app.painter.scroll(NOTCH * step)
    app.paint()


def clicked(app: IncidentApp, widget: str, y: int) -> None:
    """The first button on line `y` of this widget."""
    if widget == "status":
        _click_row(app, y)
    elif widget == "timeline":
        _click_entry(app, y - _TITLE)
    elif widget == "sheet":
        app.pane = "sheet"
    elif widget == "prompt":
        app.pane = "prompt"
        app.window.unchoose()
    app.paint()


def _activate_status(app: IncidentApp) -> None:
    if app.pane != "status":
        app.pane, app.status.chosen = "status", ""
        app.window.unchoose()


def _click_row(app: IncidentApp, y: int) -> None:
    key = app.status.key_at(y)
    again = app.pane == "status" and key == app.status.chosen
    _activate_status(app)
    if key and again:
        app.actions.do_enter()
    elif key:
        app.status.choose(key, y)


def _click_entry(app: IncidentApp, line: int) -> None:
    item, chosen = app.window.at(line), app.window.chosen()
    again = app.pane == "timeline" and item is not None and item is chosen
    app.pane = "timeline"
    if again:
        app.actions.do_enter()
    elif item is not None:
        app.window.choose(item)
    elif chosen is None:
        app.window.select(0)
