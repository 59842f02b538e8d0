"""What every command needs: the configuration, the journal's directory, who is acting, and the clock."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from incident_tui.cli.options import Call, UsageError
from incident_tui.text import sanitise

if TYPE_CHECKING:
    from pathlib import Path

    from incident_tui.config import Settings
    from incident_tui.desk.desk import Desk
    from incident_tui.essentials import Essentials
    from incident_tui.incident.entry import Author, Entry
    from incident_tui.incident.playbook import Playbook
    from incident_tui.incident.state import Fold
    from incident_tui.journal.store import Store

DEMO_MARK = "DEMO"
"""A file of this name in a journal's directory marks everything shown or exported from it."""


class Failure(Exception):
    """A command cannot go on: one sentence for people, and the exit status (1 a problem, 2 wrong use)."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class Context:
    """The surroundings of one command. Everything is made when first asked for."""

    def __init__(self, call: Call, key: str = "") -> None:
        self.call = call
        self.key = key
        """Fingerprint of the SSH key that joined by `join`; the screen is then confined to itself."""
        self.saved: list[Entry] = []
        """What this command has saved and nobody has signed yet."""

    def clock(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def _config_file(self) -> str | None:
        from incident_tui.essentials import ConfigError, locate

        try:
            return locate(self.call.options.get("config"), os.environ, os.getcwd(), os.path.expanduser("~"))
        except ConfigError as error:
            raise Failure(error.sentence, 2) from error
        except OSError as error:
            raise Failure(f"the current directory cannot be used ({error.strerror}); cd somewhere else", 2) from error

    @property
    def config_path(self) -> Path | None:
        from pathlib import Path

        return None if self._config_file is None else Path(self._config_file)

    @cached_property
    def essentials(self) -> Essentials:
        """The settings that every command needs, whatever is wrong with the others."""
        from incident_tui.essentials import ConfigError, Essentials, load

        try:
            return Essentials() if self._config_file is None else load(self._config_file)
        except ConfigError as error:
            raise Failure(error.sentence, 2) from error

    @cached_property
    def settings(self) -> Settings:
        """All settings, all of them checked."""
        from incident_tui.config import ConfigError, Settings, load

        if self.config_path is None:
            return Settings()
        try:
            return load(self.config_path)
        except ConfigError as error:
            raise Failure(error.sentence, 2) from error

    @cached_property
    def place(self) -> str:
        """Where the journal is: --journal, then [journal] directory, then the user's data directory."""
        given = self.call.options.get("journal") or self.essentials.journal.directory
        return os.path.abspath(os.path.expanduser(given)) if given else data_directory()

    @property
    def directory(self) -> Path:
        """`place`, for those who have paid for pathlib."""
        from pathlib import Path

        return Path(self.place)

    @property
    def demo(self) -> bool:
        return os.path.exists(f"{self.place}/{DEMO_MARK}")

    @cached_property
    def author(self) -> Author:
        """Who acts: --as, then $INCIDENT_TUI_AS, then the person whose account this is, then the account's name."""
        from incident_tui.desk.identity import IdentityError, author

        claimed = self.call.options.get("as") or os.environ.get("INCIDENT_TUI_AS", "")
        try:
            return author(claimed, self.essentials.people, os.environ, key=self.key)
        except IdentityError as error:
            raise UsageError(error.sentence) from error

    def store(self, *, create: bool = True) -> Store:
        from incident_tui.journal.errors import JournalError
        from incident_tui.journal.store import Store

        try:
            return Store.open(self.place, letter=self.essentials.journal.letter, create=create)
        except JournalError as error:
            raise Failure(error.sentence) from error

    def fold(self, store: Store) -> Fold:
        """The fold over all entries, this journal's and others'. What it found is kept: the next `log` needs none."""
        from incident_tui.incident.state import Fold
        from incident_tui.journal.errors import JournalError
        from incident_tui.journal.in_force import remember

        fold = Fold()
        try:
            entries, here = store.read_all()
            for entry in entries:
                fold.apply(entry)
        except JournalError as error:
            raise Failure(error.sentence) from error
        if store.others_problem:
            print(f"incident-tui: without the copies of other journals: {store.others_problem}", file=sys.stderr)
        remember(store, here, fold)
        return fold

    def desk(self, store: Store, source: str = "cli") -> Desk:
        from incident_tui.desk.open import desk_on_store

        return desk_on_store(
            store,
            self.essentials,
            self.author,
            self.clock,
            lambda: self.fold(store),
            source=source,
            playbooks=lambda: self.playbooks()[0],
            saved=self.saved,
        )

    def sign_saved(self) -> None:
        """Have what was saved signed, where that is configured: after it is said to be saved, and never instead."""
        if self.saved and self.essentials.journal.sign != "off":
            from incident_tui.cli.signing import sign_saved

            sign_saved(self)
        self.saved.clear()

    def playbooks(self) -> tuple[dict[str, Playbook], list[str]]:
        """The team's own and those that come with the program, by name, and a sentence for each that is broken."""
        from incident_tui.desk.open import read_playbooks

        return read_playbooks(*self.playbook_directories)

    @property
    def playbook_directories(self) -> tuple[Path, ...]:
        """A later one's files take the place of an earlier one's."""
        from pathlib import Path

        from incident_tui.shipped import shipped

        own = self.essentials.playbooks.directory
        return (shipped("playbooks"), Path(own)) if own else (shipped("playbooks"),)

    def unexpected(self, error: Exception) -> str:
        """Writes the traceback to the log file and says where that is."""
        import traceback

        path = log_path()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("a", encoding="utf-8") as log:
                log.write(f"{self.clock():%Y-%m-%dT%H:%M:%SZ} pid {os.getpid()} {sys.argv[1:2]}\n")
                log.write("".join(traceback.format_exception(error)))
            where = f"the details are in {path}"
        except OSError as failed:
            where = f"and the log file {path} could not be written ({failed.strerror})"
        reason = sanitise(str(error), limit=160) or type(error).__name__
        return f"this should not have happened ({reason}); {where}"


def data_directory() -> str:
    """The user's own data directory as platformdirs gives it, whose import costs 6 ms with pathlib."""
    if sys.platform == "linux":
        base = os.environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
        return os.path.join(base, "incident-tui")
    from platformdirs import user_data_dir

    return user_data_dir("incident-tui")


def log_path() -> Path:
    """The log file of this user's commands."""
    from platformdirs import user_state_path

    return user_state_path("incident-tui") / "incident-tui.log"
