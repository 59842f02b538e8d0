"""What is wrong with config.toml, as one sentence for people: the file, the key path, the value, and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from incident_tui.text import redact, sanitise


def nearest(word: str, known: Sequence[str]) -> str:
    """ " Did you mean X?" for a word close to a known one, else the known ones."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1, 0.6)
    return f"did you mean {close[0]}?" if close else "known here: " + ", ".join(known)


_AT: Final = r"(?s)^(?P<what>.*?)(?: - at `\$(?P<where>[^`]*)`)?$"
_UNKNOWN: Final = r"(?s)unknown field `(.*)`"


def mistake(message: str, data: Mapping[str, Any], kind: type[msgspec.Struct], path: object) -> str:
    """msgspec's message about `data` read as `kind`, with the value and the nearest known key."""
    match = re.match(_AT, message)
    what, where = (match.group("what"), match.group("where") or "") if match else (message, "")
    key = where.lstrip(".")
    unknown = re.search(_UNKNOWN, what)
    if unknown:
        name = sanitise(unknown.group(1), limit=60)
        full = f"{key}.{name}" if key else name
        return f"{path}: {full}: there is no such key; {nearest(name, _fields_at(kind, where))}"
    value = _value_at(data, where)
    shown = "" if value is _MISSING or isinstance(value, dict | list) else f" = {show(value)}"
    missing = re.search(r"missing required field `(.*)`", what)
    if missing:
        return f"{path}: {key}.{missing.group(1)} is missing; add it"
    wants = re.search(r"Expected `([^`]*)`, got `([^`]*)`", what)
    if wants:
        expected, got = (_WORDS.get(word, word) for word in wants.groups())
        return f"{path}: {key}{shown}: write {expected}, not {got}"
    return f"{path}: {key}{shown}: {sanitise(what, limit=200)}"


_WORDS: Final = {
    "str": 'text in quotes, like "web1"',
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": 'a list, like ["a", "b"]',
    "object": "a table",
}
_MISSING: Final = object()


def _steps(where: str) -> list[str | int]:
    return [
        int(step[1:-1]) if step.startswith("[") else step.lstrip(".")
        for step in re.findall(r"\.[^.\[]+|\[\d+\]", where)
    ]


def _value_at(data: Any, where: str) -> Any:
    for step in _steps(where):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def _fields_at(kind: type[msgspec.Struct], where: str) -> tuple[str, ...]:
    current: Any = kind
    for step in _steps(where):
        if isinstance(step, str):
            found = next(field.type for field in msgspec.structs.fields(current) if field.name == step)
            current = found.__args__[0] if getattr(found, "__args__", None) else found
    return tuple(field.name for field in msgspec.structs.fields(current))


def show(value: object) -> str:
    """A value for a sentence: quoted, harmless, short, and without what looks like a secret."""
    return sanitise(redact(repr(value))[0], limit=80)
