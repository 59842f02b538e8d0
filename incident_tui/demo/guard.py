"""What a person may run on a machine of the demo. It has no system of its own: what restarts, ends or removes something
there would do so on the computer that the demo runs on. Pure.

No sandbox: it keeps a hand from slipping, and knows programs by their names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from incident_tui.fleet import remote
from incident_tui.text import shell

STAND_INS: Final = frozenset(one.name for one in (Path(__file__).parent / "programs").iterdir())
_READ: Final = (
    "[ awk basename cat cd cut date dirname du echo egrep exit false free getent getfattr grep head hostname id ls "
    "lsblk md5sum nproc pgrep pidof ping printf pwd read readlink seq set sha256sum sleep sort tail test tr true uname "
    "uniq uptime w wc who"
)
READ: Final = frozenset(_READ.split())
"""Programs and words of the shell that change nothing whatever their options are; of awk, only by intent."""
_WORDS: Final = frozenset(["if", "then", "elif", "else", "while", "until", "do", "!"])
"""After these the shell expects a command."""
_ENDS: Final = frozenset(["fi", "done", "for", "in", "esac"])
_INNER: Final = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_NOWHERE: Final = re.compile(r"\d?>&\d|\d?>\s*/dev/null|<\s*/dev/null")
_LIMIT: Final = re.compile(r"\btimeout (?:-s \w+ )?\d+ ")
_CUT: Final = re.compile(r"[;&|()\n{}]+")


def guarded(line: str) -> str:
    """A line that sshd would be given; where a person's command in it may not run here, one that says so."""
    command = remote.command_in(line)
    word = stranger(command) if command else ""
    if not word:
        return line
    why = f"demo: {word} is not run: it would act on your own computer. docker, gluster and what reads are."
    return line.replace(shell(command), shell(f"echo {shell(why)} >&2; exit 126"), 1)


def stranger(command: str) -> str:
    """The first word of a command that may change something and is none of the stand-ins; empty when there is none."""
    bare = re.sub(r"'[^']*'", "_", command)
    while found := _INNER.search(bare):
        if word := stranger(found[1] or found[2] or ""):
            return word
        bare = f"{bare[: found.start()]}_{bare[found.end() :]}"
    bare = _LIMIT.sub("", re.sub(_NOWHERE, " ", re.sub(r'"[^"]*"', "_", bare)))
    if ">" in bare:
        return "what writes a file"
    for part in _CUT.split(bare):
        words = part.split()
        while words and (words[0] in _WORDS or re.match(r"\w+=", words[0])):
            words = words[1:]
        if words and words[0] not in STAND_INS | READ | _ENDS and words[0] != "_":
            return words[0]
    return ""
