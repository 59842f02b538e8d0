"""What a file says, before it is entries. Structures only."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import msgspec


class ImportProblem(Exception):
    """The file cannot be imported; `sentence` says what, where and how to mend it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Face(msgspec.Struct, frozen=True):
    """A time as it stands in a file. `day` None: that of the line before, or the next. `offset` None: no zone stands
    there, so it is in the zone that the importer names."""

    clock: time
    day: date | None = None
    offset: timedelta | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody wrote. Its text is sanitised; `at` is aware, or a face, or None where no time stands."""

    line: int
    """Of the file, from 1; of JSON the number of the message."""
    text: str
    at: datetime | Face | None = None
    by: str = ""
    """Who wrote it; empty: whoever imports it."""
    account: str = ""
    """The platform's id of who wrote it, or empty."""
    remote: str = ""
    """The platform's id of the message, or empty."""
    thread: str = ""


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read. `form` is lines, card, slack, mattermost, irssi, weechat or znc."""

    form: str
    said: tuple[Said, ...]
    room: str = ""
    skipped: dict[str, int] = {}
    """What of it is no message, with how many of each."""
    made: datetime | None = None
    """When the card was made into which the lines were written."""

    @property
    def chat(self) -> bool:
        """Whether others said it in a chat: then nothing in it is a verb."""
        return self.form not in ("lines", "card")


class Timed(msgspec.Struct, frozen=True):
    """What was said, with its time. `doubt` is empty or says what is unsure about the time."""

    said: Said
    at: datetime | None
    doubt: str = ""
