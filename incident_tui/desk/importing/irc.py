"""Logs of irssi, weechat and znc, as each writes them when nobody changed its format.

Sources: irssi's `theme.c` and `log_day_changed` (`--- Day changed Mon Nov 23 2026`), weechat's logger plug-in
(`2026-11-23 14:05:02<TAB>nick<TAB>text`, the prefixes `-->`, `<--`, `--`, ` *`), znc's `modules/log.cpp`
(`[14:05:02] <nick> text`, a file a day named by its date).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, time
from typing import Final

import msgspec

from incident_tui.desk.importing.found import Face, Said, Transcript
from incident_tui.desk.importing.plain import offset
from incident_tui.text import TEXT_LIMIT, sanitise

NOTICES: Final = "joins, parts and notices"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_IRSSI_DAY: Final = re.compile(
    r"--- (?:Log opened|Log closed|Day changed) \w{3} (\w{3}) +(\d{1,2}) (?:[\d:]+ )?(\d{4})"
)
_IRSSI: Final = re.compile(
    r"(?P<clock>\d\d:\d\d(?::\d\d)?) "
    r"(?:<[ @+%&~!]?(?P<nick>[^>\s]+)> ?|(?P<does> ?\* )|(?P<notice>-!-))(?P<text>.*)"
)
_WEECHAT: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[ T](?P<clock>\d\d:\d\d:\d\d)(?:\.\d+)?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"\t(?P<nick>[^\t]*)\t(?P<text>.*)"
)
_ZNC: Final = re.compile(
    r"\[(?:(?P<day>\d{4}-\d\d-\d\d)[ T])?(?P<clock>\d\d:\d\d:\d\d)\] "
    r"(?:<(?P<nick>[^>\s]+)> ?|(?P<does>\* )|(?P<notice>\*\*\* )|-(?P<from>[^\s-]+)- )(?P<text>.*)"
)
_NAMED_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?=\D*$)")
_SYSTEM: Final = frozenset({"-->", "<--", "--", "=!=", "", "ℹ"})
_COLOURS: Final = re.compile("\x03(?:\\d{1,2}(?:,\\d{1,2})?)?|\x04[0-9a-fA-F]{0,6}|[\x02\x0f\x11\x16\x1d\x1e\x1f]")


def read(text: str, name: str = "") -> Transcript | None:
    """The log, or None when the text is none. `name` is the file's: znc has the day nowhere else."""
    lines = text.split("\n")
    sample = [line for line in lines[:400] if line.strip()]
    for form, reader in (("weechat", _weechat), ("znc", _znc), ("irssi", _irssi)):
        fits = sum(reader(line, None) is not None or _IRSSI_DAY.match(line) is not None for line in sample)
        if sample and fits * 10 >= len(sample) * 8 and any(reader(line, None) for line in sample):
            return _gather(form, reader, lines, name)
    return None


class _Row(msgspec.Struct, frozen=True):
    """A line; without `nick` it is no message."""

    at: Face
    nick: str
    text: str


_Reader = Callable[[str, date | None], _Row | None]


def _gather(form: str, reader: _Reader, lines: Sequence[str], name: str) -> Transcript:
    said: list[Said] = []
    skipped: Counter[str] = Counter()
    day = _named_day(name) if form == "znc" else None
    for number, line in enumerate(lines, start=1):
        changed = _IRSSI_DAY.match(line)
        if changed and form == "irssi":
            day = _irssi_day(changed) or day
            continue
        row = reader(line, day)
        if row is None:
            if line.strip():
                skipped["lines that are no log"] += 1
            continue
        if not row.nick or not row.text.strip():
            skipped[NOTICES] += 1
            continue
        if row.at.day is not None and form != "weechat":
            day = None  # said once: the next lines follow from it, also over midnight
        said.append(Said(line=number, text=row.text, at=row.at, by=row.nick, account=row.nick))
    room = next(iter(re.findall(r"#[\w.-]+?(?=[._]\d{4}|\.log|\.weechatlog|$)", name)), "")
    return Transcript(form=form, said=tuple(said), room=room, skipped=dict(skipped))


def _weechat(line: str, day: date | None) -> _Row | None:
    match = _WEECHAT.fullmatch(line.rstrip("\r"))
    if match is None:
        return None
    nick, text = match["nick"].strip(), match["text"]
    if nick == "*":
        nick, _, text = text.partition(" ")
    return _row(match["day"], match["clock"], None, "" if nick in _SYSTEM else nick, text, match["zone"])


def _znc(line: str, day: date | None) -> _Row | None:
    match = _ZNC.fullmatch(line.rstrip("\r"))
    if match is None:
        return None
    nick, text = match["nick"] or "", match["text"]
    if match["does"]:
        nick, _, text = text.partition(" ")
    return _row(match["day"], match["clock"], day, nick, text)


def _irssi(line: str, day: date | None) -> _Row | None:
    match = _IRSSI.fullmatch(line.rstrip("\r"))
    if match is None:
        return None
    nick, text = match["nick"] or "", match["text"]
    if match["does"]:
        nick, _, text = text.strip().partition(" ")
    return _row("", match["clock"], day, nick, text)


def _row(said: str | None, clock: str, day: date | None, nick: str, text: str, zone: str | None = None) -> _Row | None:
    try:
        at = Face(time.fromisoformat(clock), date.fromisoformat(said) if said else day, offset(zone))
    except ValueError:
        return None
    who = sanitise(_COLOURS.sub("", nick).lstrip("@+%&~!"), limit=40)
    return _Row(at, who, sanitise(_COLOURS.sub("", text), limit=TEXT_LIMIT).strip())


def _irssi_day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[3]), _MONTHS.index(match[1].casefold()) + 1, int(match[2]))
    except ValueError:
        return None


def _named_day(name: str) -> date | None:
    match = _NAMED_DAY.search(name)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
