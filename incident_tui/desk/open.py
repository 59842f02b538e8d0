"""A desk on an opened store, for the command line: each line is committed before the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incident_tui.desk.desk import Desk, Saved
from incident_tui.desk.outcome import DeskSettings
from incident_tui.incident.entry import Author, Draft, Entry
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

    def __init__(self, store: Store, saved: list[Entry] | None = None) -> None:
        self._store = store
        self._saved = saved

    def submit(self, drafts: Sequence[Draft], key: str) -> Saved:
        try:
            entries = self._store.append(drafts, key=key)
        except JournalError as error:
            return Saved([], error)
        if self._saved is not None:
            self._saved.extend(entries)
        return Saved(entries)


def desk_on_store(
    store: Store,
    settings: DeskSettings,
    author: Author,
    clock: Callable[[], datetime],
    fold: Callable[[], Fold],
    *,
    source: str = "cli",
    playbooks: Callable[[], Mapping[str, Playbook]] = dict,
    saved: list[Entry] | None = None,
) -> Desk:
    """A desk whose lines are saved when `carry_out` returns. `fold` makes one over the whole journal, if need be.
    `saved` gets every entry that this desk has saved."""
    desk = Desk(
        settings,
        StoreAppender(store, saved),
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


def read_playbooks(*directories: Path) -> tuple[dict[str, Playbook], list[str]]:
    """The playbooks in these directories by name (file stem), and one sentence for each that cannot be used. One in a
    later directory takes the place of its namesake, also when it is broken: somebody did not want the other one."""
    from incident_tui.incident.playbook import PlaybookError, load  # only who opens a playbook pays

    found: dict[str, Playbook] = {}
    broken: list[str] = []
    for path, problem in playbook_files(*directories):
        found.pop(path.stem, None)
        if problem:
            broken.append(problem)
            continue
        try:
            found[path.stem] = load(path.read_text(encoding="utf-8"), str(path))
        except PlaybookError as error:
            broken.append(error.sentence)
        except OSError as error:
            broken.append(f"{path}: cannot be read ({error.strerror}).")
        except UnicodeDecodeError as error:
            broken.append(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start}).")
    return dict(sorted(found.items())), broken


def playbook_files(*directories: Path) -> Iterator[tuple[Path, str]]:
    """Each file, and "", or a directory that cannot be listed and the sentence why."""
    for directory in directories:
        try:
            names = sorted(os.listdir(directory))
        except OSError as error:
            yield directory, f"{directory}: cannot be read ({error.strerror}); see [playbooks] directory."
            continue
        for name in names:
            if name.endswith(".md") and name.lower() != "readme.md" and not name.startswith("."):
                yield directory / name, ""
