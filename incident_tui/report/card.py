"""The break-glass card: what is needed when the bastion, the chat or this program is not there. Plain text, one page.

Lines typed below its last rule are imported later with their times (`desk.importing`). For the chat it
comes without the form for paper, without what looks like a secret, and in pieces that every platform takes whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from incident_tui import text
from incident_tui.incident.roster import local_time
from incident_tui.report.brief import COLUMNS, brief, cut
from incident_tui.report.export import file_name
from incident_tui.report.standing import Standing

RULE: Final = "=" * 30 + " WRITE BELOW THIS LINE " + "=" * 27
CHAT_PIECE: Final = 1_500
"""Characters of a piece for the chat: with its tag, and with what escaping adds, below Discord's 2,000, the smallest
limit of the platforms."""
_HELP: Final = (
    "One line for each thing, its time (UTC) first: 14:05 ! restarted glusterd web3",
    "! action   = result   ? hypothesis   d: decision   - else a note",
)


def card(standing: Standing) -> str:
    """The text, ending with a newline and room to write. Lines are at most 80 columns, but for commands: those are
    whole."""
    form = "\n".join([cut("THE LOG, while this program is out of reach"), *_HELP, RULE])
    return f"{_known(standing)}\n\n{form}\n\n\n"


def for_chat(standing: Standing) -> list[str]:
    """The card without its form, in pieces of whole lines."""
    pieces = [""]
    for line in text.redact(_known(standing))[0].splitlines(keepends=True):
        for begin in range(0, len(line), CHAT_PIECE):  # a command may be longer than a piece
            part = line[begin : begin + CHAT_PIECE]
            if len(pieces[-1]) + len(part) > CHAT_PIECE:
                pieces.append("")
            pieces[-1] += part
    return [piece.strip("\n") for piece in pieces]


def _known(standing: Standing) -> str:
    sections = [
        [f"BREAK-GLASS CARD {standing.incident.id}, as of {standing.now:%Y-%m-%d %H:%MZ}"],
        list(_people(standing)),
        list(_listed("MEET, in this order", standing.command.rally)),
        list(_listed("LOG IN, REPAIR", standing.command.recovery, whole=True)),
        ["LAST KNOWN STATE", *brief(standing)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section)


def leave(directory: Path, standing: Standing) -> Path:
    """Write the card to DIRECTORY/cards/INCIDENT.txt and return the path. One into which somebody has written stays as
    it is. Raises OSError."""
    folder = directory / "cards"
    folder.mkdir(mode=0o2770, exist_ok=True)
    path = folder / file_name(standing.incident.id, "txt")
    try:
        _, _, below = path.read_text(encoding="utf-8", errors="replace").partition(RULE)
    except FileNotFoundError:
        below = ""
    if below.strip():
        return path
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(card(standing), encoding="utf-8")
    scratch.chmod(0o660)
    scratch.replace(path)
    return path


def _people(standing: Standing) -> Iterator[str]:
    yield "CALL"
    on_duty = dict(standing.contacts())
    yield from (cut(f"  {who}: {contact}") for who, contact in on_duty.items())
    for person in standing.people:
        if not any(who.startswith(f"{person.name} (") for who in on_duty):
            where = f"{person.organisation}, " if person.organisation else ""
            contact = person.contact or "no contact said"
            yield cut(f"  {person.name} ({where}{local_time(person, standing.now)}): {contact}")


def _listed(head: str, lines: Sequence[str], *, whole: bool = False) -> Iterator[str]:
    if lines:
        yield head
    for number, line in enumerate(lines, start=1):
        said = f"  {number}. {text.sanitise(line)}"
        yield said if whole else cut(said, COLUMNS)
