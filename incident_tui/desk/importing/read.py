"""A file, an archive or a folder -> a transcript. What it is is told by what is in it, never by its name alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from incident_tui.desk.importing import exports, irc, plain
from incident_tui.desk.importing.found import ImportProblem, Transcript
from incident_tui.report.card import RULE
from incident_tui.text import decode, sanitise

MOST: Final = 512 * 1024 * 1024
"""Bytes of one file; an archive that unpacks to more is refused before it is unpacked."""


def read(path: str, raw: bytes | None = None, room: str = "") -> Transcript:
    """The transcript at `path`, or in `raw` (standard input). Raises ImportProblem; OSError when it cannot be read."""
    place = Path(path)
    if raw is None and place.is_dir():
        found = sorted(one for one in place.rglob("*.json") if one.is_file())
        files = {str(one.relative_to(place)): one for one in found}
        return _slack_tree(list(files), lambda name: _bounded(files[name]), room)
    if raw is None and zipfile.is_zipfile(place):
        return _archive(place, room)
    if raw is not None:
        return of_text(decode(raw), "", room)
    users: dict[str, str] = {}
    for beside in (place.parent / "users.json", place.parent.parent / "users.json"):  # of an unpacked export of Slack
        if place.suffix == ".json" and not users and beside.is_file():
            users = exports.slack_users(_json(decode(_bounded(beside))))
    return of_text(decode(_bounded(place)), place.name, room or (place.parent.name if users else ""), users)


def of_text(text: str, name: str = "", room: str = "", users: Mapping[str, str] | None = None) -> Transcript:
    """The transcript of one file; `users` are names by Slack's ids. Raises ImportProblem."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    start = text.lstrip()[:1]
    if start in ("{", "["):
        told = _json(text)
        if exports.is_slack(told):
            return exports.slack(told, users or {}, room)
        if isinstance(told, dict) and "posts" in told:
            return exports.mattermost(exports.mattermost_posts(told), room)
        if told is None and start == "{":
            return _mattermost_rooms(exports.mattermost_lines(text), room)
        if isinstance(told, dict) and told.get("type") in ("post", "direct_post", "version"):
            return _mattermost_rooms(exports.mattermost_lines(text), room)
        if told is not None:
            raise ImportProblem("it is JSON, but no export of Slack or Mattermost, and no journal of incident-tui.")
    if RULE in text:
        return plain.read(text)
    return irc.read(text, name) or plain.read(text)


def _archive(path: Path, room: str) -> Transcript:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {one.filename: one for one in archive.infolist() if one.filename.endswith((".json", ".jsonl"))}
            if sum(one.file_size for one in inside.values()) > MOST:
                raise ImportProblem(
                    f"it unpacks to more than {MOST >> 20} MB. Unpack it, and import one room's folder."
                )
            lines = [name for name in inside if name.endswith(".jsonl")]
            if len(lines) == 1:
                return _mattermost_rooms(exports.mattermost_lines(decode(archive.read(lines[0]))), room)
            return _slack_tree(list(inside), lambda name: archive.read(inside[name]), room)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ImportProblem(f"the archive is damaged ({sanitise(str(error), limit=100)}).") from error


def _slack_tree(names: list[str], get: Callable[[str], bytes], room: str) -> Transcript:
    """The days of one channel. `users.json` stands beside the channels, or above the folder of one."""
    days: dict[str, list[str]] = {}
    users: dict[str, str] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        if file == "users.json":
            users = exports.slack_users(_json(decode(get(name))))
        elif file[:2].isdigit():
            days.setdefault(folder.rpartition("/")[2], []).append(name)
    chosen = _choose(list(days), room)
    messages: list[Any] = []
    for name in sorted(days[chosen]):
        told = _json(decode(get(name)))
        if not isinstance(told, list):
            raise ImportProblem(f"{sanitise(name, limit=120)} in it is no list of messages; the export is damaged.")
        messages += told
    return exports.slack(messages, users, chosen or room)


def _mattermost_rooms(rooms: dict[str, list[dict[str, Any]]], room: str) -> Transcript:
    chosen = _choose(list(rooms), room)
    return exports.mattermost(rooms[chosen], chosen)


def _choose(rooms: Iterable[str], wanted: str) -> str:
    known = sorted(rooms)
    if not known:
        raise ImportProblem("there is no message in it.")
    found = [one for one in known if one.casefold() == wanted.casefold().lstrip("#")] if wanted else known
    if len(found) == 1:
        return found[0]
    listed = ", ".join(sanitise(one, limit=60) for one in known[:12]) + (" …" if len(known) > 12 else "")
    asked = f"there is no room {sanitise(wanted, limit=60)!r} in it" if wanted else f"it has {len(known)} rooms"
    raise ImportProblem(f"{asked}. Name one with --room: {listed}.")


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > MOST:
        raise ImportProblem(f"it has more than {MOST >> 20} MB. Cut it into parts.")
    return path.read_bytes()
