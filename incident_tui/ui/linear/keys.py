"""Bytes of a terminal -> keys, by the names that `ui.commands` and `ui.editor` use. Pure; no clock."""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple


class Key(NamedTuple):
    """A key with its name, a printable character (`text`, the name is empty), or a bracketed paste ("paste")."""

    name: str
    text: str = ""


_CONTROL: Final = {"\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\x08": "backspace"}
_SEQUENCES: Final = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end", "Z": "shift+tab", "P": "f1", "Q": "f2",
    "1~": "home", "3~": "delete", "4~": "end", "5~": "pageup", "6~": "pagedown", "7~": "home", "8~": "end",
    "11~": "f1", "12~": "f2", "15~": "f5",
    "1;5C": "ctrl+right", "1;5D": "ctrl+left", "1;5H": "ctrl+home", "1;5F": "ctrl+end",
    "[A": "f1", "[B": "f2", "[E": "f5", "19~": "f8",
}  # fmt: skip
"""What stands behind `ESC [` or `ESC O`."""
_TOKEN: Final = re.compile(
    r"\x1b\[200~(?P<paste>.*?)\x1b\[201~"
    r"|\x1b(?:\[(?!200~)|O)(?P<sequence>\[?[0-9;?]*[A-Za-z~])"
    r"|(?P<cut>\x1b\[200~.*|\x1b(?:\[\[?|O)[0-9;?]*)$"
    r"|(?P<one>.)",
    re.DOTALL,
)


class Keys:
    """Bytes may come in any pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._left = ""

    @property
    def waiting(self) -> bool:
        """A sequence has begun, or Esc was pressed: nobody knows until more comes, or nothing does (`flush`)."""
        return bool(self._left)

    def feed(self, raw: bytes) -> list[Key]:
        text, self._left = self._left + self._decoder.decode(raw), ""
        return self._read(text, final=False)

    def flush(self) -> list[Key]:
        """Nothing more came for a while: Esc was a key. A paste that has begun goes on waiting."""
        if self._left.startswith("\x1b[200~"):
            return []
        text, self._left = self._left, ""
        return self._read(text, final=True)

    def _read(self, text: str, *, final: bool) -> list[Key]:
        found: list[Key] = []
        if text == "\x1b" and not final:
            self._left = text
            return found
        for match in _TOKEN.finditer(text):
            if match["paste"] is not None:
                found.append(Key("paste", match["paste"].replace("\r\n", "\n").replace("\r", "\n")))
            elif match["sequence"] is not None:
                name = _SEQUENCES.get(match["sequence"])
                found += [Key(name)] if name else []
            elif match["cut"] is not None:
                if not final:
                    self._left = match["cut"]
            else:
                found.append(_one(match["one"]))
        return found


def _one(character: str) -> Key:
    if character in _CONTROL:
        return Key(_CONTROL[character])
    if character == "\x1b":
        return Key("escape")
    if character < " ":
        return Key(f"ctrl+{chr(ord(character) + 96)}")
    return Key("", character)
