"""What this person typed and the journal does not have: kept on disk, and found again by the next screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from incident_tui.desk.outcome import Saving
from incident_tui.journal.errors import JournalError
from incident_tui.journal.line_file import forget_file, left_files
from incident_tui.journal.prompt import Line, LineKeeper, forget_line, load_lines
from incident_tui.journal.store import Store

_BETWEEN: Final = "\x1e"
"""Between kept pieces: lines entered and not saved, then the draft. It cannot be typed."""


class Sent:
    """A line on its way to the journal."""

    def __init__(self, at: datetime, line: str, saving: Saving) -> None:
        self.at = at
        self.line = line
        self.saving = saving

    @property
    def failed(self) -> bool:
        """Whether it cannot be stored. Waits until that is known."""
        try:
            self.saving.result()
        except JournalError:
            return True
        return False


def saved_by(store: Store, after: int, text: str, name: str, at: datetime) -> bool:
    """Whether one of the entries after `after` is of `name`, says just this, and was recorded about then."""
    try:
        recent = store.read(after)
    except JournalError:
        return False
    return any(
        one.text == text and one.author.name == name and abs(one.recorded_at - at) < timedelta(minutes=2)
        for one in recent
    )


class Kept:
    """Of one screen; `name` is whose."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._keeper = LineKeeper(directory, name)
        self._lines: list[Line] = []
        self._files: list[Line] = []

    def save(self, entered: Sequence[str], draft: str) -> bool:
        """Keep these lines and the draft instead of what was kept. False when that is not on disk."""
        if not draft and not entered:
            return self._keeper.save("")
        return self._keeper.save(_BETWEEN.join([*entered, draft]))

    def left_behind(self, was_saved: Callable[[str, datetime], bool]) -> list[str]:
        """What earlier screens and editors left, oldest first, each text once. `was_saved`: a line that was entered and
        kept at that time is in the journal after all."""
        self._lines = load_lines(self._directory, self._name)
        self._files = left_files(self._directory, self._name)
        found: list[str] = []
        for kept in reversed(self._lines):
            *entered, draft = kept.text.split(_BETWEEN)
            found += [line for line in entered if line.strip() and not was_saved(line, kept.at)]
            if draft.strip():
                found.append(draft)
        found += [one.text for one in reversed(self._files) if one.text.strip()]
        return list(dict.fromkeys(found))

    def forget_left(self) -> None:
        """What `left_behind` found is in this screen's keeping now."""
        for line in self._lines:
            forget_line(line)
        for file in self._files:
            forget_file(file)

    def close(self, *, keep: bool) -> None:
        self._keeper.close(keep=keep)
