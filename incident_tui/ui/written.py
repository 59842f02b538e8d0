"""The line in $EDITOR. What comes back in one line is in the prompt, not saved yet; in several it is a paste, never a
command. When the editor fails, or the screen ends meanwhile, nothing that was written is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from incident_tui.journal.errors import JournalError
from incident_tui.journal.line_file import LineFile
from incident_tui.text import sanitise
from incident_tui.ui.session import CONFINED

if TYPE_CHECKING:
    from incident_tui.ui.away import Away, Screen

    class Writer(Screen, Protocol):
        """A screen whose line can be written."""

        away: Away

        def open_paste(self, text: str) -> None:
            """Show what is being asked about."""


FALLBACKS: Final = ("nano", "vi")
_PATIENCE: Final = 1.0
"""Seconds that an editor gets to end when the screen is ending."""


class NoEditor(Exception):
    """There is none; the sentence says what to do."""


def editor_command(environ: Mapping[str, str], which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """$VISUAL, $EDITOR, or what there is. Raises NoEditor."""
    for name in ("VISUAL", "EDITOR"):
        value = environ.get(name, "").strip()
        if not value:
            continue
        try:
            command = shlex.split(value)
        except ValueError:
            raise NoEditor(f"${name} cannot be read: its quotes do not match.") from None
        if which(command[0]) is None:
            raise NoEditor(f"${name} names {sanitise(command[0], limit=60)}, which cannot be found.")
        return command
    for fallback in FALLBACKS:
        if which(fallback) is not None:
            return [fallback]
    raise NoEditor("There is no editor here: name one in $EDITOR.")


class Writing:
    """Ctrl+E of one screen."""

    def __init__(self, app: Writer, environ: Mapping[str, str] = os.environ) -> None:
        self.app = app
        self.task: asyncio.Task[None] | None = None
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._then: Callable[[], object] | None = None

    def start(self) -> None:
        """Give the line to the editor. A paste that is being asked about may be edited, too; a question not."""
        if self.app.session.confined:
            self.app.talk.said = (f"There is no editor: {CONFINED}", "warn")
            return
        text = self.app.talk.to_write()
        if text is None:
            self.app.talk.said = ("Answer first, or Esc: the line is in the prompt then.", "warn")
            return
        try:
            command = editor_command(self._environ)
            file = LineFile(self.app.session.directory, self.app.session.author.name, text)
        except NoEditor as none:
            self.app.talk.said = (str(none), "warn")
            return
        except (OSError, JournalError) as error:
            sentence = error.sentence if isinstance(error, JournalError) else error.strerror
            self.app.talk.said = (f"No file for the editor could be made: {sentence}", "crit")
            return
        self.task = asyncio.get_running_loop().create_task(self._edit(command, file, text))

    def end(self, then: Callable[[], object]) -> bool:
        """The screen is ending: `then` is called once the editor has ended and its text is kept. False when there is
        no editor."""
        if self.task is None or self.task.done():
            return False
        self._then = then
        if self._process is not None:
            self._signal(signal.SIGHUP)
            asyncio.get_running_loop().call_later(_PATIENCE, self._signal, signal.SIGKILL)
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _edit(self, command: list[str], file: LineFile, before: str) -> None:
        failure = ""
        after: str | None = None
        self.app.away.give()
        try:
            self._process = await asyncio.create_subprocess_exec(*command, file.path, pass_fds=(file.lock,))
            failure = _failure(await self._process.wait())
            after = file.read()
        except OSError as error:
            failure = f"{sanitise(command[0], limit=60)} cannot be started: {error.strerror}"
        finally:
            self._process = None
        self._came_back(before, after, failure)
        file.close()
        if self._then is not None:
            self._then()
        else:
            self.app.away.take_back()

    def _came_back(self, before: str, after: str | None, failure: str) -> None:
        talk, ending = self.app.talk, self._then is not None
        if after is None or not after.strip() or after == before:
            why = failure or "Nothing was changed." if after is not None or failure else "The file is gone."
            talk.said = (f"{why} The line is as it was.", "warn" if failure else "")
        elif failure and not ending:
            talk.written(after, accepted=False)
            talk.said = (f"{failure} The line is as it was; Ctrl+E opens what was written.", "warn")
        elif talk.written(after) and not ending:
            self.app.open_paste(after)


def _failure(status: int) -> str:
    if status < 0:
        return f"The editor was ended by signal {-status}."
    return f"The editor failed with status {status}." if status else ""
