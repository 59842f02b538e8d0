"""Commands that copy a journal to one file, and bring such a copy back."""

from __future__ import annotations

from incident_tui.cli.context import Context, Failure
from incident_tui.journal.backup import back_up
from incident_tui.journal.backup import restore as bring_back
from incident_tui.journal.errors import JournalError


def backup(context: Context) -> int:
    """`backup DEST`: a copy, checked by the chain. 1 when the copy does not pass."""
    (target,) = context.call.words
    with context.store(create=False) as store:
        try:
            made = back_up(store, target)
        except JournalError as error:
            raise Failure(f"no backup was made: {error.sentence}") from error
        for problem in made.verdict.problems:
            print(f"{store.letter}{problem.seq}: {problem.sentence}")
    if not made.verdict.ok:
        raise Failure(f"THE CHAIN DOES NOT HOLD in the copy, which is kept as {made.path}; run incident-tui verify")
    print(f"{made.path}: {made.verdict.entries} entries; the chain holds")
    print(f"head {made.verdict.head}")
    return 0


def restore(context: Context) -> int:
    """`restore FILE`: the entries of a backup into the journal in use."""
    (source,) = context.call.words
    try:
        done = bring_back(source, context.place, context.clock)
    except JournalError as error:
        raise Failure(error.sentence) from error
    said = f"{done.added} of {done.head.seq} entries restored" if done.added else "nothing to restore: all is there"
    print(f"{done.directory}: {said}")
    print(f"head {done.head}")
    return 0
