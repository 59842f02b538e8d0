"""The fenced blocks of a playbook's steps: commands with what the info string says of them. Pure.

    ```sh target=any risk=change limit=2m expect="Status: Started" only="CentOS 6"
    gluster volume start {{volume}} force
    ```

Only `sh` is a command; any other block is text to read or to copy. Attributes, all optional:

    target=   host (default: the host in question) | role:NAME (each host of that role) | each (each host in question) |
              any (one host, whichever: commands that lock the whole cluster) | local (where this screen runs)
    risk=     change (default) | read
    limit=    60s (default), 5m: after that the command is given up
    expect=   what its output, or of a change the step's verify block, must hold; blanks count as one
    only=     where this form of it belongs, e.g. "CentOS 6"
    verify    this block shows whether the step worked; it only reads
    rollback  this block undoes the step

A variable stands bare, as `{{volume}}`: it is quoted for the shell when it is put in. Where quoting would not hold
(inside quotes or backticks, after `$` or a backslash, in a here-document, with eval) the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from incident_tui.text import shell

LIMIT_SECONDS: Final = 60
LONGEST_SECONDS: Final = 3600
ATTRIBUTES: Final = ("target", "risk", "limit", "expect", "only")
PARTS: Final = ("verify", "rollback")
VARIABLE: Final = re.compile(r"\{\{ *([A-Za-z_][\w-]{0,60}) *\}\}")
_TOKEN: Final = re.compile(r'([A-Za-z_]+)(?:=(?:"([^"]*)"|([^\s"]+)))?(?:\s+|\Z)')
_TARGET: Final = re.compile(r"host|each|any|local|role:[\w.-]{1,40}")
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,3})([sm])")


class Unreadable(Exception):
    """`line` counts from 0: the fence's own line, then the block's."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is as written, with its variables; `line` is the fence's, counted from 1."""

    text: str
    line: int
    language: str = ""
    target: str = "host"
    changes: bool = True
    """risk=change. Of a block that is no command: nothing."""
    seconds: int = LIMIT_SECONDS
    expect: str = ""
    only: str = ""
    part: Literal["", "verify", "rollback"] = ""

    @property
    def is_command(self) -> bool:
        return self.language == "sh"

    @property
    def runs_on_hosts(self) -> bool:
        """Whether it is to be run at a host's prompt, and not here, nor to take back what was done."""
        return self.is_command and self.target != "local" and self.part != "rollback"

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(VARIABLE.findall(f"{self.text}\n{self.expect}")))

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with these variables put in: of a command each as one shell word. Others stay as they are.

        Raises ValueError on a value that no shell can carry.
        """

        def put(found: re.Match[str]) -> str:
            value = values.get(found[1])
            if value is None:
                return found[0]
            return shell(value) if self.is_command else value

        return VARIABLE.sub(put, self.text)

    def expected(self, values: Mapping[str, str]) -> str:
        """What is expected, with the variables put in as they are: it is compared, never run."""
        return VARIABLE.sub(lambda found: values.get(found[1], found[0]), self.expect)

    def held(self, output: str, status: int | None, values: Mapping[str, str]) -> bool:
        """Whether a verify block's output and exit status show that the step worked."""
        return status == 0 and " ".join(self.expected(values).split()) in " ".join(output.split())


def block(info: str, text: str, line: int) -> Block:
    """A block from its info string and text. Raises Unreadable."""
    language, _, rest = info.strip().partition(" ")
    rest = rest.strip()
    if language != "sh":
        if rest:
            raise Unreadable(0, f"{language or 'this block'} is no command, so it has no attributes; begin with sh.")
        return Block(text=text, line=line, language=language, changes=False)
    said = _attributes(rest)
    part: Literal["", "verify", "rollback"] = "verify" if "verify" in said else "rollback" if "rollback" in said else ""
    risk = said.get("risk", "read" if part == "verify" else "change")
    if "verify" in said and "rollback" in said:
        raise Unreadable(0, "a block is either verify or rollback.")
    if risk not in ("read", "change"):
        raise Unreadable(0, f"risk is read or change, not {risk!r}.")
    if part == "verify" and risk != "read":
        raise Unreadable(0, "a verify block only reads: leave risk=change out.")
    target = said.get("target", "host")
    if not _TARGET.fullmatch(target):
        raise Unreadable(0, f"target is host, role:NAME, each, any or local, not {target!r}.")
    _bare(text)
    return Block(
        text=text,
        line=line,
        language=language,
        target=target,
        changes=risk == "change",
        seconds=_seconds(said["limit"]) if "limit" in said else LIMIT_SECONDS,
        expect=said.get("expect", ""),
        only=said.get("only", ""),
        part=part,
    )


def _attributes(rest: str) -> dict[str, str]:
    said: dict[str, str] = {}
    at = 0
    while at < len(rest):
        token = _TOKEN.match(rest, at)
        if token is None:
            raise Unreadable(0, f'{rest[at : at + 20]!r} is no attribute; write name=value or name="a value".')
        name, value = token[1], token[2] if token[2] is not None else token[3]
        known = ATTRIBUTES if value is not None else PARTS
        if name not in known:
            raise Unreadable(
                0,
                f"unknown attribute {name[:20]!r}; known are {', '.join(f'{one}=' for one in ATTRIBUTES)} "
                f"{' and '.join(PARTS)}.",
            )
        if name in said:
            raise Unreadable(0, f"{name} is said twice.")
        said[name] = value or ""
        at = token.end()
    return said


def _seconds(value: str) -> int:
    found = _LENGTH.fullmatch(value)
    seconds = int(found[1]) * (60 if found[2] == "m" else 1) if found else 0
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise Unreadable(0, f"limit is a time such as 60s or 5m, at most 60m, not {value[:20]!r}.")
    return seconds


def _bare(text: str) -> None:
    """Every variable stands where a quoted word stays one word. Errs on the side of refusing."""
    if not VARIABLE.search(text):
        return
    for number, line in enumerate(text.split("\n"), start=1):
        for mark in ("`", "<<", "eval "):
            if mark in line:
                raise Unreadable(number, f"with a variable in the block, {mark.strip()} is not safe; write it without.")
    quote, line_number, begin = "", 1, 0
    places = {found.start() for found in VARIABLE.finditer(text)}
    while begin < len(text):
        one = text[begin]
        if begin in places and (quote or (begin and text[begin - 1] in "\\$")):
            where = "inside quotes" if quote else f"after {text[begin - 1]}"
            raise Unreadable(line_number, f"a variable {where} cannot be quoted safely; let it stand bare.")
        if one == "\n":
            line_number += 1
        elif one == "\\" and quote != "'":
            begin += 2 if text[begin + 1 : begin + 2] not in ("\n", "{") else 1
            continue
        elif quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        elif one == "#" and (not begin or text[begin - 1].isspace()):
            end = text.find("\n", begin)
            begin = len(text) if end < 0 else end
            continue
        begin += 1
