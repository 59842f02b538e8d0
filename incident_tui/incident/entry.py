"""The entry: one immutable line of the journal. Its stored form is a published format; see `Entry`.

Corrections are entries that refer to an entry (`ref`); nothing is ever changed in place. Times are aware UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec


class Kind(StrEnum):
    """What an entry is. The value is stored and shown; `DATA` in this module lists the fields of `data`."""

    NOTE = "note"
    ACTION = "action"
    RESULT = "result"
    DECISION = "decision"
    HYPOTHESIS = "hypothesis"
    DECLARE = "declare"
    SEVERITY = "severity"
    STATUS = "status"
    MILESTONE = "milestone"
    ROLE = "role"
    TASK = "task"
    FOLLOWUP = "follow-up"
    LESSON = "lesson"
    CHANGE = "change"
    UPDATE = "update"
    OBSERVATION = "observation"
    ALERT = "alert"
    CHAT = "chat"
    COMMAND = "command"
    ENGAGEMENT = "engagement"
    PLAYBOOK = "playbook"
    HANDOFF = "handoff"
    PRESENCE = "presence"
    HOLD = "hold"
    CAN = "can"
    CRITERION = "exit-criterion"
    LINK = "link"
    EVIDENCE = "evidence"
    PIN = "pin"
    AMEND = "amend"
    STRIKE = "strike"
    PURGE = "purge"
    GAP = "gap"
    LEASE = "lease"
    SIGNATURE = "signature"
    ARCHIVE = "archive"


DATA: Final[dict[Kind, dict[str, str]]] = {
    Kind.DECLARE: {
        "title": "one line",
        "severity": "int, 1 is worst",
        "attach_minutes": "loose entries that happened or were written this far before `at` belong to it (60)",
        "drill": "true for an exercise; absent otherwise",
        "by": "[source, group] of the alert that declared it by rule: nobody commands it yet; absent otherwise",
    },
    Kind.HYPOTHESIS: {"state": "raised | confirmed | eliminated; the last two `ref` the raised one"},
    Kind.SEVERITY: {"level": "int", "was": "int"},
    Kind.STATUS: {"status": "investigating | mitigating | monitoring | resolved | stood down, or the team's word"},
    Kind.MILESTONE: {
        "name": "started | detected | acknowledged | mitigated | recovered | resolved | closed",
        "without": "of closed: how many things were missing that a review needs; absent when none",
        "unknown": "true when the time is known to be unknowable; `at` then means nothing",
    },
    Kind.ROLE: {
        "role": "commander | deputy | operations | communications | scribe | the team's word | review (who owns it)",
        "step": "take | offer | claim | release",
        "who": "name of the person who holds or is offered the role",
        "was": "of a commander's take or claim: who commanded when it was entered; it counts only while they do",
    },
    Kind.TASK: {
        "step": "assigned | acked | passed | done | overdue; all but the first `ref` the assigned one",
        "who": "name; of passed: who has it now",
        "was": "of passed: who had it when it was entered; it counts only while they do",
        "minutes": "int, the time box (assigned, passed)",
        "voice": "true when somebody else logged it on behalf of `who` (acked, done)",
    },
    Kind.FOLLOWUP: {
        "owner": "name or absent",
        "priority": "p0..p9 or absent",
        "due": "ISO date or absent",
        "sort": "prevent | detect | mitigate | process | repair, or absent",
        "step": "absent | done | changed (both with ref; changed carries the fields that are new)",
    },
    Kind.LESSON: {"sort": "well | badly | luck"},
    Kind.UPDATE: {
        "step": "posted | promised | elsewhere",
        "audience": "internal | public | exec",
        "next": "ISO time by which the next update is promised, or absent",
        "where": "for elsewhere: the place",
    },
    Kind.OBSERVATION: {
        "finding": "rule id, e.g. gluster.brick-down",
        "level": "ok | warn | crit | unknown",
        "was": "the level before",
        "subject": "what it is about, e.g. gv0/web3:/b/gv0",
        "host": "the host it was read on, or empty",
        "evidence": "the reading behind it",
        "flaps": "int, changes folded into this one; absent when none",
        "sites": "names of the public sites it touches, configured or inferred; absent when none is known",
        "hold": "of site.*: how many seconds a change had to last to be written",
        "every": "of site.*: how many seconds lay between two checks",
    },
    Kind.EVIDENCE: {
        "since": "ISO time at which the series begin; absent of other evidence, as all that follow",
        "step": "int, seconds a point stands for: the worst that was read in them",
        "series": "list of `of` (host web1), `name` (memory), `unit` (%), `points` (numbers; null: nothing was read)",
    },
    Kind.ALERT: {
        "from": "the source's name in the configuration",
        "key": "the source's own id of what it is about; it comes again when that fires again",
        "episode": "ISO time since when it fires, or the source's own id of this time that it fires",
        "status": "firing | resolved | acknowledged | note | storm (one entry for many alerts of a group)",
        "level": "crit | warn | info, or ok when resolved",
        "severity": "the source's word for it, or absent",
        "title": "one line",
        "group": "what the source, or else its labels, put together",
        "labels": "name -> value, bounded",
        "link": "where the source shows it, or absent",
        "host": "the configured host that a label names, or absent",
        "count": "int, how many alerts it stands for (storm)",
        "firing": "int, how many of them fired (storm)",
        "resolved": "int, how many of them ended (storm)",
        "distinct": "int, how many keys they had (storm)",
        "keys": "some of these keys (storm)",
        "until": "ISO time of the last of them (storm)",
    },
    Kind.CHAT: {
        "from": "the room's or hook's name in the configuration; of an import the form of its file",
        "room": "the platform's id of the room",
        "remote": "the platform's id of the message",
        "thread": "the platform's id of the message that began the thread, or absent",
        "by": "the platform's id of who wrote it; the author is the person the configuration knows by it",
        "card": "a piece of the break-glass card that is sent to the chat; then nothing else",
    },
    Kind.CHANGE: {
        "host": "the host that told it, or absent",
        "what": "as it told it",
        "about": "true: its time is not exact",
    },
    Kind.COMMAND: {
        "step": "intent | outcome | check (the last two with ref)",
        "host": "target",
        "command": "as it was given to the host's shell (intent)",
        "risk": "read | change (intent)",
        "expected": "what should be seen afterwards (intent, check), or absent",
        "verify": "the command that tells whether it is so (intent), or absent",
        "shows": "what that command prints then (intent), or absent",
        "run": "with number: the run of a playbook and the step it is for (intent), or absent",
        "number": "see run",
        "minutes": "int, after how many it is run (intent with verify)",
        "exit": "int, or null when none was had (outcome)",
        "seconds": "how long it ran (outcome)",
        "signal": "the signal that ended it, or absent (outcome)",
        "problem": "why there is no exit status, or why it was stopped, or absent (outcome, check)",
        "bytes": "int, of all output; the text holds a bounded part (outcome)",
        "sha256": "hex, of all output (outcome)",
        "held": "true or false: whether what was expected is so; absent when it could not be asked (check, and outcome "
        "of a command that shows it by itself)",
    },
    Kind.PLAYBOOK: {
        "name": "file stem",
        "run": "id of this run of it",
        "step": "started | begun | released | done | skipped | failed | set | finished",
        "number": "1-based step number (begun to failed)",
        "steps": "how many it has (started)",
        "variables": "name -> value (set; started: those that the board told)",
        "host": "where what suggested it was seen (started)",
    },
    Kind.HOLD: {
        "target": "host or container",
        "step": "hold | release",
        "minutes": "int",
        "was": "who held it, as the author knew; absent: nobody. Another's hold that they did not know of stays",
    },
    Kind.ENGAGEMENT: {
        "vendor": "name",
        "ticket": "text or absent",
        "minutes": "int: they promised to answer, or to be back, within so many; absent: nothing promised",
        "step": "absent | answered | ended | overdue (the last three with ref)",
    },
    Kind.HANDOFF: {
        "who": "name of whom it is for, or who accepted",
        "step": "offered | accepted (with ref)",
        "head": "the journal's head at that moment, as `verify` takes it (offered)",
    },
    Kind.CAN: {
        "who": "whose report it is, when somebody else wrote it down; absent: the author's",
        "conditions": "text or absent",
        "actions": "text or absent",
        "needs": "text or absent",
    },
    Kind.CRITERION: {"step": "absent | met | unmet (the last two with ref)"},
    Kind.LINK: {"other": "id of the other incident", "how": "related | duplicate | none (takes the link back)"},
    Kind.PIN: {"step": "pin | unpin"},
    Kind.AMEND: {"text": "the new text, or absent", "at": "the new time, ISO, or absent"},
    Kind.STRIKE: {"step": "strike | restore"},
    Kind.PURGE: {
        "kind": "the kind of what was destroyed",
        "tombstone": "hex SHA-256 of what the journal kept of it, so that the chain covers that",
        "plain": "of one that was in an archive file: the same of what is kept where it was not",
        "order": "JOURNAL:NUMBER of the order of another bastion that this one follows, or absent",
    },
    Kind.GAP: {
        "what": "silence | watch | update | task | host | age | fatigue | chat | replica",
        "since": "ISO time",
        "replica": "name of the bastion or cluster that was not reached (replica)",
        "from": "ISO time at which it last answered (replica)",
        "until": "ISO time at which it answered again (replica)",
        "came": "int, how many entries came from there then (replica)",
    },
    Kind.LEASE: {
        "epoch": "int",
        "host": "node name",
        "pid": "int",
        "apart": "alone | together: from here on this bastion sends for itself, or does not any more; absent otherwise",
        "first": "of alone: the first number that the others may not have, and that is its own to send",
        "unsent": "of together: for each chat the first number that it has not sent",
    },
    Kind.PRESENCE: {"step": "joined | left"},
    Kind.ARCHIVE: {
        "step": "out | back (with ref)",
        "entries": "the numbers of the incident's entries whose texts left for the file, or came back: 12,14-19",
        "file": "its name, without its directory",
        "sha256": "hex, of the file as it was made (out)",
        "tombstones": "hex SHA-256 of the joined fingerprints of what was kept of each: the chain covers them (out)",
    },
    Kind.SIGNATURE: {
        "entries": "the numbers of the author's entries that it covers: 12,14-19",
        "head": "int, the entry whose head the signed text names (`journal.sign_text`)",
        "key": "the public key, as in a .pub file",
        "sig": "base64 of the signature: its algorithm and its bytes, as RFC 4253 writes them",
    },
}
"""The fields of `Entry.data` a kind may carry, with their meaning. A kind that is not listed carries none."""

MILESTONES: Final = ("started", "detected", "declared", "acknowledged", "mitigated", "recovered", "resolved", "closed")
"""In the order they should happen. `declared` is the time of the `declare` entry."""

MACHINE_KINDS: Final = frozenset({Kind.OBSERVATION, Kind.ALERT, Kind.GAP, Kind.LEASE, Kind.PRESENCE, Kind.SIGNATURE})

ON_CARD: Final = frozenset({Kind.DECLARE, Kind.SEVERITY, Kind.STATUS, Kind.ROLE, Kind.UPDATE})
"""After these the break-glass card is written anew at once."""


class Ref(msgspec.Struct, frozen=True, order=True, array_like=True, gc=False):
    """The identity of an entry everywhere and for ever: which journal, which number."""

    journal: str
    seq: int


class Author(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who wrote an entry. `name` is a claim; the rest is what the system knew."""

    name: str
    uid: int = -1
    account: str = ""
    key: str = ""
    """Fingerprint of the SSH key that logged in, where known."""
    proven: bool = False
    """True when the configuration ties `account` or `key` to `name`. Otherwise the name is printed as claimed."""


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the screen showed when the entry was made; at most 512 bytes encoded."""

    digest: str
    """Worst findings as "X gv0 bricks 2/3; ! web2 mem 93%"."""
    age: int = 0
    """Seconds since the oldest reading among them."""


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry that has no number yet: what a desk or a watch asks the journal to append."""

    kind: Kind
    text: str
    at: datetime
    author: Author
    incident: str = ""
    source: str = ""
    data: dict[str, Any] = {}
    ref: Ref | None = None
    seen: Seen | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A line of the journal.

    Stored as the JSON of this structure with `journal` and `seq` beside it; fields are only ever added, with a
    default. `at` is when it happened, `recorded_at` when we learned it. `incident` is empty for what was recorded
    outside any incident; the fold attaches it by time (`DATA[Kind.DECLARE]`). `source` is tui, cli, watch, chat,
    alert, "import ID, NAME", and of a change that a host told also which.
    """

    journal: str
    seq: int
    kind: Kind
    at: datetime
    recorded_at: datetime
    author: Author
    text: str = ""
    incident: str = ""
    source: str = ""
    data: dict[str, Any] = {}
    ref: Ref | None = None
    seen: Seen | None = None
    purged: bool = False
    """Its text and data were destroyed on request, or are in the file `archive`; number, times and chain remain."""

    @property
    def id(self) -> Ref:
        return Ref(self.journal, self.seq)

    @property
    def archive(self) -> str:
        """The file that has its text, when that was put away; of a purged entry, empty."""
        return str(self.data.get("archive", "")) if self.purged else ""

    @property
    def order(self) -> tuple[datetime, datetime, str, int]:
        """The fold order: when it happened, when it was learned, then identity."""
        return (self.at, self.recorded_at, self.journal, self.seq)


def utc(value: datetime) -> datetime:
    """`value` in UTC. Raises ValueError on a naive time: those are how reports come to lie by an hour."""
    if value.tzinfo is None:
        raise ValueError(f"time without a zone: {value.isoformat()}")
    return value.astimezone(UTC)
