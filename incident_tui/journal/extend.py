"""Adding what a copy of this journal has and it lacks. Whoever calls has checked that both are the same until then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from incident_tui.journal.purge import ERASE

if TYPE_CHECKING:
    from incident_tui.journal.store import Store

Row = tuple[int, bytes, bytes, bytes, bytes]
"""Number, commitment, link, salt and body, as stored."""


def extend(
    store: Store,
    last: int,
    rows: Iterable[Row],
    keys: Iterable[tuple[str, int, int]],
    tombstones: Iterable[tuple[int, int, bytes]],
    epoch: int,
) -> list[int]:
    """Inside the transaction that the caller holds. `rows` and `keys` are those above `last`, `tombstones` all of them.

    What was purged, or put into an archive file, in the copy leaves here, too: returns the numbers of entries whose
    text was here, for `purge.clean` after the commit. The epoch of the lease only moves on: who held it here must not
    hold it again.
    """
    db = store.connection
    db.executemany("INSERT INTO entries(seq, commitment, link, salt, body) VALUES (?, ?, ?, ?, ?)", rows)
    db.executemany("INSERT OR IGNORE INTO keys(key, seq, count) VALUES (?, ?, ?)", keys)
    db.execute("UPDATE meta SET value = max(value + 0, ?) WHERE key = 'epoch'", (epoch,))
    here = dict(db.execute("SELECT seq, by_seq FROM tombstones").fetchall())
    new = [one for one in tombstones if one[1] > here.get(one[0], -1)]  # a later order is about what was put away
    db.executemany("INSERT OR REPLACE INTO tombstones(seq, by_seq, kept) VALUES (?, ?, ?)", new)
    erased = [seq for seq, _, _ in new if seq <= last and seq not in here]
    db.executemany(ERASE, [(seq,) for seq in erased])
    return erased
