"""Whether a command may be run on a host: allowed, allowed once it is confirmed by the host's name, or refused. Pure.

A pattern of `[commands]` is split into words as a shell does. Each fits one word of the command, `*` and `?` as in file
names; but a word that begins with `-` only fits a pattern that does. `...` fits any words, also none.
What the host's shell would act on itself (pipes, redirections, variables, globs, several commands) fits no pattern:
nobody can say from the outside what it does. Unknown is changing.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from incident_tui.incident.entry import Entry, Kind, Ref
from incident_tui.incident.said import same
from incident_tui.incident.settings import COMMAND_MODES, READS, Commands
from incident_tui.incident.views import Incident
from incident_tui.incident.work import Hold, Remote

ANY: Final = "..."
_SHELL: Final = re.compile(r"[;&|<>`$()\\{}*?\[\]#!~\x00-\x1f\x7f]")
_VERIFY: Final = re.compile(
    r"(?i)^(?P<expected>.*?)[\s,;.]*\bverify after (?P<minutes>\d{1,4}) ?m(?:in(?:ute)?s?)?\s*:\s*(?P<command>\S.*)$"
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about one command on one host."""

    refusal: str = ""
    """Why it may not be run; empty when it may."""
    changes: bool = True
    warnings: tuple[str, ...] = ()
    """Why somebody might not want it now: a hold of somebody else, another peer that is down or healing."""
    holds: tuple[Ref, ...] = ()
    """The holds that were known, and so are in `warnings`."""
    reminder: str = ""
    """A quiet word to a commander."""

    @property
    def confirm(self) -> bool:
        """The host's name must be typed before it runs."""
        return not self.refusal and (self.changes or bool(self.warnings))


class Expected(msgspec.Struct, frozen=True):
    """What should be seen afterwards. `command`, when there is one, reads after `minutes` whether it is so."""

    text: str
    minutes: int = 0
    command: str = ""


def expected(said: str) -> Expected:
    """ "docker answers; verify after 2 minutes: docker ps" -> its parts."""
    found = _VERIFY.match(said.strip())
    if found is None:
        return Expected(said.strip())
    return Expected(found["expected"].strip(), int(found["minutes"]), found["command"].strip())


def is_pattern(pattern: str) -> bool:
    """Whether it can be split into words, and has some."""
    try:
        return bool(shlex.split(pattern))
    except ValueError:
        return False


def reads(command: str, settings: Commands) -> bool:
    """Whether the command is known to change nothing."""
    words = _words(command)
    if words[:2] == ["sudo", "-n"]:
        words = words[2:]
    elif words[:1] == ["sudo"]:
        words = words[1:]
    if not words or _fits_one(words, settings.changes):
        return False
    return _fits_one(words, (*READS, *settings.read))


def counts_as_change(command: str, settings: Commands) -> bool:
    """Whether a line of it is one that `[commands] changes` names."""
    return any(_fits_one(_words(line), settings.changes) for line in command.split("\n"))


def mode(author: str, incident: Incident | None, settings: Commands) -> str:
    """The mode for this person: of the roles that they hold and that have one of their own, what allows most."""
    held = [] if incident is None else [role for role, one in incident.roles.items() if same(one.who, author)]
    if incident is not None and same(incident.commander, author):
        held.append("commander")
    own = [settings.roles[role] for role in held if role in settings.roles]
    return max(own, key=COMMAND_MODES.index, default=settings.mode)


def judge(
    command: str,
    host: str,
    *,
    author: str,
    incident: Incident | None,
    settings: Commands,
    now: datetime,
    at_risk: Sequence[str] = (),
    present: Iterable[str] = (),
    declared: str = "",
) -> Verdict:
    """`at_risk` says why a change on this host would be dangerous for the cluster; `present` is who is here.
    `declared`: the risk by the playbook it comes from, read or change. Such a command may have several lines. Where
    only what is known to read may be run, a playbook's word is not enough."""
    if not command.strip():
        return Verdict(refusal="There is no command.")
    if any(not (one.isprintable() or one == "\t" or (declared and one == "\n")) for one in command):
        return Verdict(refusal="A command is one line without control characters.")
    changes = declared == "change" or not reads(command, settings)
    allowed = mode(author, incident, settings)
    if allowed == "off":
        return Verdict(refusal="Commands on hosts are switched off: [commands] mode in config.toml.", changes=changes)
    if allowed == "read-only" and changes:
        sentence = "Only commands that read may be run, and this is none of those known (see [commands] read)."
        return Verdict(refusal=sentence)
    if declared == "read":
        changes = counts_as_change(command, settings)
    holds = [] if incident is None else [one for one in incident.holds if _holds(one, host, command, author, now)]
    warnings = [held(one) for one in holds] + (list(at_risk) if changes else [])
    others = {one.casefold() for one in present} - {author.casefold()}
    commands = incident is not None and same(incident.commander, author)
    return Verdict(
        changes=changes,
        warnings=tuple(warnings),
        holds=tuple(one.ref for one in holds),
        reminder="You command: others are here who could run this." if commands and others else "",
    )


def held(hold: Hold) -> str:
    why = f": {hold.why}" if hold.why else ""
    return f"{hold.target} is held by {hold.by.name} until {hold.until:%H:%MZ}{why}"


def held_before(intent: Entry, incident: Incident | None, known: Sequence[Ref], now: datetime) -> Hold | None:
    """The hold of somebody else that the journal has before this intent, and that its author was not warned of.

    The rule for a hold and a command at the same moment: what stands earlier in the journal wins, and whoever came
    later is told.
    """
    host, command = str(intent.data.get("host", "")), str(intent.data.get("command", ""))
    for one in incident.holds if incident is not None else ():
        first = one.ref.journal != intent.journal or one.ref.seq < intent.seq
        if first and one.ref not in known and _holds(one, host, command, intent.author.name, now):
            return one
    return None


def running_before(hold: Entry, incident: Incident | None) -> tuple[Remote, ...]:
    """The other side of that rule: commands of others on the target that the journal has before this hold, and of
    which no end is known."""
    if hold.kind is not Kind.HOLD or hold.data.get("step") != "hold" or incident is None:
        return ()
    target, name = str(hold.data.get("target", "")), hold.author.name
    return tuple(
        one
        for one in incident.remotes
        if one.ended_at is None
        and not same(one.by.name, name)
        and _about(target, one.host, one.command)
        and (one.ref.journal != hold.journal or one.ref.seq < hold.seq)
    )


def _holds(hold: Hold, host: str, command: str, author: str, now: datetime) -> bool:
    return hold.active(now) and not same(hold.by.name, author) and _about(hold.target, host, command)


def _about(target: str, host: str, command: str) -> bool:
    """Whether what is held is this host, or a container that the command names."""
    return same(target, host) or any(same(target, word) for word in re.split(r"[\s'\"]+", command))


def _words(command: str) -> list[str]:
    """As the host's shell would split it; nothing where that shell would do more than split."""
    if _SHELL.search(re.sub(r"'[^']*'", "", command)):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _fits_one(words: Sequence[str], patterns: Iterable[str]) -> bool:
    return any(_fits(words, shlex.split(pattern)) for pattern in patterns)


def _fits(words: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == ANY:
        return any(_fits(words[at:], pattern[1:]) for at in range(len(words) + 1))
    if not words or words[0].startswith("-") != pattern[0].startswith("-"):
        return False
    return fnmatchcase(words[0], pattern[0]) and _fits(words[1:], pattern[1:])
