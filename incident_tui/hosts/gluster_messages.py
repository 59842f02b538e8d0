"""What messages of GlusterFS mean, and trouble that shows before an answer is read (reference: formats, 2.3). Pure."""

from __future__ import annotations

import re

from incident_tui import text
from incident_tui.hosts.errors import Unreadable, garbled
from incident_tui.hosts.readings import GapKind
from incident_tui.hosts.sections import Section

_MESSAGES: tuple[tuple[str, GapKind, str], ...] = (
    (
        r"Another transaction (is|could be) in progress",
        GapKind.BUSY,
        "GlusterFS is busy with another transaction",
    ),
    (r"Locking (failed|Peers Failed)|Unable to acquire lock", GapKind.BUSY, "GlusterFS is busy: its lock is held"),
    (r"Connection failed\. Please check if gluster", GapKind.DOWN, "glusterd does not run"),
    (r"Cannot connect to glusterd|glusterd is not running", GapKind.DOWN, "glusterd does not run"),
    (r"[Rr]equest timed out", GapKind.HUNG, "glusterd gave no answer; a peer may hang"),
    (
        r"ermission denied|must be run as root|Operation not permitted",
        GapKind.DENIED,
        "our account may not use gluster",
    ),
    (r"is not of type (replicate|disperse)", GapKind.ABSENT, "this volume has no copies to heal"),
    (r"unrecognized (word|command|option)|^Usage:", GapKind.ABSENT, "this GlusterFS version cannot say"),
    (r"command not found|gluster: not found", GapKind.ABSENT, "GlusterFS is not installed"),
    (r"Volume \S+ does not exist", GapKind.ABSENT, "there is no such volume"),
    (r"[Qq]uorum (is )?not met|not in quorum", GapKind.FAILED, "GlusterFS refuses: server quorum is not met"),
    (r"Self-heal daemon is not running", GapKind.FAILED, "the self-heal daemon does not run"),
    (
        r"is not started|All the bricks are not running",
        GapKind.FAILED,
        "the volume is not started or no brick runs",
    ),
    (r"(Staging|Commit) failed on", GapKind.FAILED, "a peer refused the command"),
    (r"unsuccessful on bricks that are down", GapKind.FAILED, "a brick is down and cannot be asked"),
)


def known_error(message: str) -> Unreadable | None:
    """What a message of gluster means; None for one nobody knows."""
    for pattern, kind, sentence in _MESSAGES:
        if re.search(pattern, message, re.M):
            return Unreadable(kind, sentence)
    return None


def classify(message: str, what: str) -> Unreadable:
    """What a message of gluster means for the reading `what`; an unknown one is quoted."""
    if (known := known_error(message)) is not None:
        return known
    first = text.sanitise(next((line for line in message.splitlines() if line.strip()), ""), limit=140)
    return Unreadable(GapKind.FAILED, f"{what} failed: {first}" if first else f"{what} gave no answer")


def trouble(section: Section, what: str) -> Unreadable | None:
    """Trouble that shows before the answer is read: killed at its limit, cut, killed."""
    if section.timed_out:
        return Unreadable(GapKind.HUNG, f"{what}: no answer within {section.limit:.0f} s")
    if section.cut:
        return garbled(what)
    return None


LINE_LIMIT = 16 * 1024
"""Characters of one line of text, above what any path or table of GlusterFS needs."""
_BLANKS = re.compile(r"[ \t]{400}")


def plain(body: str, what: str) -> str:
    """A text answer with plain ends of lines. A line that no version prints is damage, and slow to search."""
    body = body.replace("\r\n", "\n")
    if max(map(len, body.split("\n"))) > LINE_LIMIT or _BLANKS.search(body):
        raise garbled(what)
    return body
