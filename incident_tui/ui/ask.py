"""A question that waits in the hint line, and what it is about."""

from __future__ import annotations

import msgspec


class Ask(msgspec.Struct, frozen=True):
    """A question in the hint line. `line` is what it is about, `draft` what goes back into the prompt after it."""

    sentence: str
    wants: str
    line: str
    draft: str
    token: str = ""
    paste: bool = False
    backfill: bool = False
    """For a paste: the question was about doubtful times."""
    first: str = ""
    """Said before the question when the answer was none."""
    seed: str = ""
    """For what was written in an editor: the line it began with, which goes back into the prompt if it is dropped."""
    written: bool = False
