"""A desk on an opened store, for the command line: each line is committed before the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_tui.desk.desk import Desk, Saved
from incident_tui.desk.outcome import DeskSettings
from incident_tui.incident.entry import Author, Draft
from incident_tui.journal.errors import JournalError
from incident_tui.journal.in_force import in_force
from incident_tui.journal.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from incident_tui.incident.playbook import Playbook
    from incident_tui.incident.state import Fold


def new_id() -> str:
    """16 random hexadecimal digits."""
    return os.urandom(8).hex()


class StoreAppender:
    """Appends at once. A failure is raised by the `result` of what it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def submit(self, drafts: Sequence[Draft], key: str) -> Saved:
        try:
            return Saved(self._store.append(drafts, key=key))
        except JournalError as error:
            return Saved([], error)


def desk_on_store(
    store: Store,
    settings: DeskSettings,
    author: Author,
    clock: Callable[[], datetime],
    fold: Callable[[], Fold],
    *,
    source: str = "cli",
    playbooks: Callable[[], Mapping[str, Playbook]] = dict,
) -> Desk:
    """A desk whose lines are saved when `carry_out` returns. `fold` makes one over the whole journal, if need be."""
    desk = Desk(
        settings,
        StoreAppender(store),
        store,
        fold,
        author=author,
        clock=clock,
        new_id=new_id,
        source=source,
        playbooks=playbooks,
        purge=lambda ref, who, reason: store.purge(ref, author=who, reason=reason),
        in_force=lambda: in_force(store, lambda: desk.fold),
    )
    return desk


def read_playbooks(directory: Path) -> tuple[dict[str, Playbook], list[str]]:
    """The playbooks in a directory by name (file stem), and one sentence for each that cannot be used."""
    from incident_tui.incident.playbook import PlaybookError, load  # only who opens a playbook pays

    found: dict[str, Playbook] = {}
    broken: list[str] = []
    try:
        paths = sorted(directory.glob("*.md"))
    except OSError as error:
        return {}, [f"{directory}: cannot be read ({error.strerror})."]
    for path in paths:
        if path.name.lower() == "readme.md":
            continue
        try:
            found[path.stem] = load(path.read_text(encoding="utf-8"), str(path))
        except PlaybookError as error:
            broken.append(error.sentence)
        except (OSError, UnicodeDecodeError) as error:
            broken.append(f"{path}: cannot be read ({error}).")
    return found, broken
