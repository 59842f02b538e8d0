"""The outbox as others read it: the command line and the report. They change nothing in it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from incident_tui.incident.entry import Ref
from incident_tui.watch.chat.outbox import TEST

FILE: Final = "outbox.db"
_PATIENCE: Final = 2.0
_WORDS: Final = {
    "sent": "sent to",
    "accepted": "accepted, not confirmed, by",
    "waiting": "not delivered to",
    "sending": "not delivered to",
    "maybe": "maybe sent to",
    "dead": "refused by",
}


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[sqlite3.Connection | None]:
    """None while nothing was ever queued, also while the watch is just making the file. Raises sqlite3.Error when the
    file cannot be read."""
    path = directory / FILE
    if not path.exists():
        yield None
        return
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
    try:
        made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'messages'").fetchone()
        yield db if made else None
    finally:
        db.close()


def delivered(directory: Path) -> dict[Ref, str]:
    """What became of each entry's messages, for the report: "sent to ops 14:06:01Z; refused by team". Empty when that
    cannot be read: a report is never held up by it."""
    found: dict[Ref, list[str]] = {}
    with contextlib.suppress(sqlite3.Error), read_only(directory) as db:
        query = "SELECT journal, seq, state, sink, sent FROM messages WHERE journal<>? ORDER BY sink"
        for journal, seq, state, sink, sent in db.execute(query, (TEST,)) if db is not None else ():
            if state in _WORDS:
                at = f" {datetime.fromtimestamp(sent, UTC):%H:%M:%SZ}" if state in ("sent", "accepted") and sent else ""
                found.setdefault(Ref(journal, seq), []).append(f"{_WORDS[state]} {sink}{at}")
    return {ref: "; ".join(said) for ref, said in found.items()}
