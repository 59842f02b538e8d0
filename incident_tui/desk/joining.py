"""Joining by plain ssh: lines of `authorized_keys` that give a person the screen under their name, and nothing else.

`restrict` (OpenSSH 7.2) takes away forwarding, X11 and the user's rc file; `command` runs ours whatever was asked for.
What may be asked for is `asked`; the environment that a client may have sent is left behind in `environment`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from incident_tui.incident.settings import Person
from incident_tui.incident.ssh_key import fingerprint, split
from incident_tui.text import TEXT_LIMIT, sanitise

OPTIONS: Final = "restrict,pty"
OLD_OPTIONS: Final = "no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-user-rc"
"""The same for an sshd that knows no `restrict`: it grants what is not forbidden, so the terminal needs no word."""
SYNC_OPTIONS: Final = "restrict"
OLD_SYNC_OPTIONS: Final = f"{OLD_OPTIONS},no-pty"
"""Of a key of another bastion: no terminal either."""
MAY: Final = "no command (the screen), screen --linear, brief [INCIDENT] [--since last], log TEXT"
_KEPT: Final = frozenset(
    {*("HOME", "USER", "LOGNAME", "PATH", "TERM", "COLORTERM", "LANG", "NO_COLOR", "TZ"), "SSH_CONNECTION", "SSH_TTY"}
)


class Refused(Exception):
    """This login is not for that; the sentence says for what it is."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def line(person: Person, key: str, program: Sequence[str], *, old: bool = False) -> str:
    """The line of `authorized_keys` for one key of a person; `program` is what runs this program, with the options
    that say where configuration and journal are. Raises NoKey for a key that is none, Refused for a path that sshd
    could read otherwise."""
    words = [*program, "join", person.name, "--key", fingerprint(key)]
    return _line(OLD_OPTIONS if old else OPTIONS, words, key, person.name)


def sync_line(key: str, program: Sequence[str], *, old: bool = False) -> str:
    """As `line`, for a key of another bastion: it exchanges entries, whatever it asks for."""
    return _line(OLD_SYNC_OPTIONS if old else SYNC_OPTIONS, [*program, "sync", "--serve"], key, "sync")


def _line(options: str, words: Sequence[str], key: str, comment: str) -> str:
    kind, encoded = split(key)
    command = shlex.join(words)
    if any(one in command for one in '"\\\r\n'):
        raise Refused(
            f"{sanitise(command, limit=120)}: a path with a quote or a backslash cannot stand in a key's line"
        )
    return f'{options},command="{command}" {kind} {encoded} {comment}'


def is_key_of(print_: str, person: Person) -> bool:
    """Whether the configuration ties the key of this fingerprint to the person."""
    return any(fingerprint(key) == print_ for key in person.keys)


def asked(original: str) -> tuple[str, dict[str, str], list[str]]:
    """What the client asked for ($SSH_ORIGINAL_COMMAND): (command, options, words). No shell reads it: after `log ` all
    is text, whatever quotes, semicolons and dollars are in it. Raises Refused for everything else."""
    name, _, rest = original.strip().partition(" ")
    words = rest.split()
    if not name or (name == "screen" and not words):
        return "screen", {}, []
    if name == "screen" and words == ["--linear"]:
        return "screen", {"linear": ""}, []
    if name == "log" and words:
        return "log", {}, [rest.strip()[:TEXT_LIMIT]]
    if name == "brief":
        options: dict[str, str] = {}
        if words[-2:-1] == ["--since"]:
            options["since"] = words[-1]
            words = words[:-2]
        if len(words) <= 1 and not any(one.startswith("-") for one in words):
            return "brief", options, words
    raise Refused(f"{sanitise(original, limit=60)!r} is not for this login: {MAY}")


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the environment counts in such a login: nothing that names a program, a file or a configuration."""
    return {name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")}
