"""Playbooks: Markdown with TOML front matter between lines of `+++`. Pure: text in, `Playbook` out.

    +++
    title = "Gluster brick down"
    owner = "ana"
    when = ["gluster.brick-down"]      # rule ids of findings that suggest it
    [variables]
    volume = "the volume, e.g. gv0"    # `{{volume}}` in the text
    +++
    Words before the first step: precondition, what not to do.

    - [ ] A step: its text is this paragraph.

      More words, and fenced blocks: its commands (`playbook_block`).

A step is a checklist item at the left margin or a numbered heading (`## 1. Look first`). What follows it, to the next
step or heading, belongs to it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from incident_tui.incident.playbook_block import VARIABLE, Block, Unreadable, block
from incident_tui.text import sanitise

LIMIT: Final = 200_000
FRONT_LIMIT: Final = 10_000
"""Characters of the front matter: more makes the TOML reader slow."""
_ITEM: Final = re.compile(r"[-*+] \[[ xX]\] +(\S.*)")
_NUMBERED: Final = re.compile(r"#{2,4} +(?:[Ss]tep +)?[0-9]{1,3}[.):] +(\S.*)")
_HEADING: Final = re.compile(r"#{1,6} +(\S.*)")
_FENCE: Final = re.compile(r" {0,8}(`{3,}(?!`)|~{3,}(?!~))([^`]*)")
_KEYS: Final = frozenset({"title", "owner", "when", "variables"})


class PlaybookError(Exception):
    """A file that is no playbook: `sentence` names file and line and says how to mend it."""

    def __init__(self, file: str, line: int, sentence: str) -> None:
        super().__init__(f"{file}:{line}: {sentence}")
        self.file = file
        self.line = line
        self.sentence = f"{file}:{line}: {sentence}"


class Step(msgspec.Struct, frozen=True):
    """`number` counts from 1. `body` are the words under it, without the fenced blocks."""

    number: int
    text: str
    line: int
    section: str = ""
    """The heading it stands under."""
    body: str = ""
    blocks: tuple[Block, ...] = ()

    @property
    def title(self) -> str:
        """The first sentence of its text."""
        return re.split(r"(?<=[.?!])\s", self.text, maxsplit=1)[0]

    @property
    def variables(self) -> tuple[str, ...]:
        """Those that its blocks need, in order."""
        return tuple(dict.fromkeys(name for one in self.blocks for name in one.variables))


class Playbook(msgspec.Struct, frozen=True):
    """`name` is the file's stem. `intro` are the words before the first step, `outro` those under headings that hold
    no step (rollback, sources), as Markdown."""

    name: str
    path: str
    title: str
    owner: str
    when: tuple[str, ...]
    variables: dict[str, str]
    intro: str
    steps: tuple[Step, ...]
    outro: str = ""


def load(text: str, path: str) -> Playbook:
    """Reads one file. Raises PlaybookError."""
    if len(text) > LIMIT:
        raise PlaybookError(path, 1, f"longer than {LIMIT} characters; split it.")
    lines = sanitise(text, lines=True, limit=LIMIT).split("\n")
    end = _front_end(lines, path)
    front_text = "\n".join(lines[1:end])
    if len(front_text) > FRONT_LIMIT:
        raise PlaybookError(path, 1, f"the front matter is longer than {FRONT_LIMIT} characters.")
    front = _front(front_text, path)
    reader = _Reader(path)
    for number, line in enumerate(lines[end + 1 :], start=end + 2):
        reader.take(line, number)
    steps = reader.finish()
    if not steps:
        raise PlaybookError(path, end + 1, "it has no step; write steps as `- [ ] do this`.")
    _check_variables(lines, front["variables"], path, end)
    stem = path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".md")
    return Playbook(
        name=stem,
        path=path,
        title=front["title"],
        owner=front["owner"],
        when=front["when"],
        variables=front["variables"],
        intro="\n".join(reader.intro).strip(),
        steps=tuple(steps),
        outro="\n".join(reader.outro).strip(),
    )


def _front_end(lines: list[str], path: str) -> int:
    if not lines or lines[0].strip() != "+++":
        raise PlaybookError(path, 1, "the first line must be +++, then title, owner and when, then +++ again.")
    for index, line in enumerate(lines[1:], start=1):
        if line.strip() == "+++":
            return index
    raise PlaybookError(path, 1, "the front matter is not closed; add a line with +++ after it.")


def _front(text: str, path: str) -> dict[str, Any]:
    import tomli  # only who opens a playbook pays

    try:
        raw = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # of numbers too long and lists too deep it says no more than that
        where = re.search(r"line (\d{1,6})", str(error))
        line = int(where[1]) + 1 if where else 2
        raise PlaybookError(path, line, f"the front matter is not TOML: {error}.") from None

    def line_of(key: str) -> int:
        found = re.search(rf"^[ \t]*\[?{re.escape(key)}\b", text, re.M)
        return text.count("\n", 0, found.start()) + 2 if found else 2

    for key in raw:
        if key not in _KEYS:
            raise PlaybookError(path, line_of(key), f"unknown key {key!r}; known are {', '.join(sorted(_KEYS))}.")
    for key in ("title", "owner"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            raise PlaybookError(path, line_of(key), f'{key} is missing: write {key} = "…".')
    when = raw.get("when", [])
    if not isinstance(when, list) or not all(isinstance(rule, str) for rule in when):
        raise PlaybookError(path, line_of("when"), 'when is a list of rule ids, e.g. ["gluster.brick-down"].')
    variables = raw.get("variables", {})
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise PlaybookError(path, line_of("variables"), 'variables are lines such as volume = "the volume".')
    return {
        "title": raw["title"].strip(),
        "owner": raw["owner"].strip(),
        "when": tuple(when),
        "variables": {str(key): value for key, value in variables.items()},
    }


def _check_variables(lines: list[str], variables: dict[str, str], path: str, end: int) -> None:
    for number, line in enumerate(lines[end + 1 :], start=end + 2):
        for name in VARIABLE.findall(line):
            if name not in variables:
                raise PlaybookError(path, number, f"{{{{{name}}}}} is not declared; add it under [variables].")


class _Reader:
    """Line by line. A fence hides everything until it is closed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.intro: list[str] = []
        self.outro: list[str] = []
        self.steps: list[Step] = []
        self.body: list[str] = []
        self.blocks: list[Block] = []
        self.fence = ""
        self.fence_line = 0
        self.info = ""
        self.block: list[str] = []
        self.text: list[str] = []
        self.section = ""
        self.in_step = False
        self.open_text = False

    def take(self, line: str, number: int) -> None:
        fence = _FENCE.fullmatch(line)
        if self.fence:
            if fence and fence[1].startswith(self.fence) and not fence[2].strip():
                self._close_block(line)
            else:
                self.block.append(line)
            return
        if fence:
            self.open_text = False
            self.fence, self.fence_line, self.info, self.block = fence[1], number, fence[2].strip(), []
            if not self.in_step:
                self._words().append(line)
            return
        step = _ITEM.fullmatch(line) or _NUMBERED.fullmatch(line)
        heading = _HEADING.fullmatch(line)
        if step:
            self._end_step()
            self._drop_heading()
            self.steps.append(Step(len(self.steps) + 1, "", number, self.section))
            self.text = [step[1].strip()]
            self.in_step = True
            self.open_text = True  # lines right below still belong to the step's text, as in Markdown
        elif heading:
            self._end_step()
            self.section = heading[1].strip()
            self._words().append(line)
        elif self.in_step and self.open_text and line.strip():
            self.text.append(line.strip())
        else:
            self.open_text = False
            (self.body if self.in_step else self._words()).append(line)

    def _drop_heading(self) -> None:
        """A heading right above a step is its section, not words of its own."""
        words = self._words()
        while words and not words[-1].strip():
            words.pop()
        if words and _HEADING.fullmatch(words[-1]):
            words.pop()

    def _words(self) -> list[str]:
        return self.outro if self.steps else self.intro

    def _close_block(self, line: str) -> None:
        if self.in_step:
            indent = min((len(one) - len(one.lstrip()) for one in self.block if one.strip()), default=0)
            text = "\n".join(one[indent:] for one in self.block).strip("\n")
            try:
                self.blocks.append(block(self.info, text, self.fence_line))
            except Unreadable as error:
                raise PlaybookError(self.path, self.fence_line + error.line, error.sentence) from None
        else:
            self._words().extend([*self.block, line])
        self.fence = ""

    def _end_step(self) -> None:
        if self.in_step:
            body = "\n".join(line.strip() for line in self.body).strip()
            done = {"text": " ".join(self.text), "body": body, "blocks": tuple(self.blocks)}
            self.steps[-1] = msgspec.structs.replace(self.steps[-1], **done)
        self.body, self.blocks, self.in_step = [], [], False

    def finish(self) -> list[Step]:
        if self.fence:
            raise PlaybookError(self.path, self.fence_line, f"this {self.fence} block is never closed.")
        self._end_step()
        return self.steps
