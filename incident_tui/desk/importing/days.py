"""Clock faces of a file become times: which day, over midnight, in which zone, through a change of the clocks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from incident_tui.desk.importing.found import Face, ImportProblem, Timed, Transcript

HALF_A_DAY = timedelta(hours=12)
"""A clock that goes back by more has passed midnight; by less, a line was written late."""
CARD_SLACK = timedelta(hours=1)
"""What is written down first on a card may have happened a little before it was made."""
_DAY = timedelta(days=1)


def times(found: Transcript, now: datetime, zone: tzinfo | None, first: date | None) -> list[Timed]:
    """Everything said, with its time in UTC; what has none gets that of the line before it, None before the first.

    `zone` is that of faces without one, `first` the day of the first line. Without any day the last line is the latest
    of its clock face before `now`. Raises ImportProblem when a zone is needed and not named.
    """
    faces = [(index, one.at) for index, one in enumerate(found.said) if isinstance(one.at, Face)]
    if found.form == "card":
        zone = zone or UTC  # a card asks for UTC
    if zone is None and any(face.offset is None for _, face in faces):
        raise ImportProblem(
            "the times in it have no zone. Say which one they are in: --zone UTC, or one such as --zone Europe/Paris."
        )
    days = _days([face for _, face in faces], now, zone or UTC, first, found.made)
    resolved = {index: (face, day) for (index, face), day in zip(faces, days, strict=True)}
    out: list[Timed] = []
    last: datetime | None = None
    for index, said in enumerate(found.said):
        doubt = ""
        if index in resolved:
            face, day = resolved[index]
            last, doubt = _moment(face, day, zone or UTC, last)
        elif isinstance(said.at, datetime):
            last = said.at
        out.append(Timed(said, last, doubt))
    return out


def _days(faces: Sequence[Face], now: datetime, zone: tzinfo, first: date | None, made: datetime | None) -> list[date]:
    if not faces:
        return []
    known = next((index for index, face in enumerate(faces) if face.day), None)
    days: list[date | None] = [None] * len(faces)
    if first is not None:
        days[0] = first
    elif made is not None and not faces[0].day:
        days[0] = _after(faces[0], made - CARD_SLACK, zone)
    elif known is not None:
        days[known] = faces[known].day
    else:
        days[-1] = _latest(faces[-1], now, zone)
    start = next(index for index, day in enumerate(days) if day)
    for index in range(start + 1, len(faces)):
        days[index] = faces[index].day or _next(days[index - 1], faces[index - 1], faces[index])
    for index in range(start - 1, -1, -1):
        following = days[index + 1]
        assert following is not None
        back = _seconds(faces[index]) - _seconds(faces[index + 1]) > HALF_A_DAY.total_seconds()
        days[index] = following - _DAY if back else following
    return [day for day in days if day is not None]


def _next(day: date | None, before: Face, face: Face) -> date:
    assert day is not None
    passed = _seconds(before) - _seconds(face) > HALF_A_DAY.total_seconds()
    return day + _DAY if passed else day


def _seconds(face: Face) -> float:
    return face.clock.hour * 3600 + face.clock.minute * 60 + face.clock.second


def _zone(face: Face, zone: tzinfo) -> tzinfo:
    return zone if face.offset is None else timezone(face.offset)


def _latest(face: Face, now: datetime, zone: tzinfo) -> date:
    where = _zone(face, zone)
    today = now.astimezone(where).date()
    return today if datetime.combine(today, face.clock, where) <= now else today - _DAY


def _after(face: Face, earliest: datetime, zone: tzinfo) -> date:
    where = _zone(face, zone)
    day = earliest.astimezone(where).date()
    return day if datetime.combine(day, face.clock, where) >= earliest else day + _DAY


def _moment(face: Face, day: date, zone: tzinfo, before: datetime | None) -> tuple[datetime, str]:
    """The time, and what is unsure. An hour that comes twice is its first, unless the line before was later."""
    local = datetime.combine(day, face.clock, _zone(face, zone))
    early = local.astimezone(UTC)
    late = local.replace(fold=1).astimezone(UTC)
    if early == late:
        return early, ""
    if early > late:  # clocks went forward: fold 0 counts with the old offset, which shows the hour that was meant
        return early, "the clocks skipped this hour"
    at = late if before is not None and before > early else early
    return at, "the clocks had this hour twice"
