"""One message as all that was told of it so far gives it, and what the journal should say of it. Pure.

What comes is merged, never replayed: any order and any repetition of the same things ends in the same entries.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from datetime import datetime
from typing import Any, Final

import msgspec

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.text import sanitise
from incident_tui.watch.inbound.said import TEXT, Rules, Said, reaction_name

SOURCE: Final = "chat"
"""`Entry.source` of what comes from chat."""
_TAG: Final = re.compile(r"\s*(?:DEMO |DRILL )*\[(INC-\d{8}-[0-9a-z]{4}) [a-z]\d+\]")
"""How each of our own messages begins (`chat.compose`)."""
_INCIDENT: Final = re.compile(r"\bINC-\d{8}-[0-9a-z]{4}\b")


class Written(msgspec.Struct):
    """What the journal has of a message."""

    ref: Ref
    edited: datetime | None = None
    """The version that its last amendment from chat gave."""
    struck: bool = False


class Message(msgspec.Struct):
    """A message, and what is known of it."""

    key: str
    original: Said | None = None
    edit: Said | None = None
    """The newest version."""
    deleted: Said | None = None
    reacted: bool = False

    def merge(self, said: Said, rules: Rules) -> None:
        wanted = reaction_name(rules.reaction)
        self.reacted = self.reacted or any(reaction_name(one) == wanted for one in said.reactions)
        if said.deleted:
            if self.deleted is None or said.at < self.deleted.at:
                self.deleted = said
        elif said.text is not None and said.edited is not None:
            if self.edit is None or self.edit.edited is None or said.edited > self.edit.edited:
                self.edit = said
        elif said.text is not None and self.original is None:
            self.original = said

    @property
    def size(self) -> int:
        return sum(len(one.text) for one in (self.original, self.edit) if one is not None and one.text is not None)


def key_of(said: Said) -> str:
    """The journal's idempotency key of a message: not made from its text, which may be purged."""
    name = "\0".join((said.source, said.room, said.id))
    return f"chat:{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def bounded(said: Said) -> Said:
    """With no more than is kept of anything foreign."""
    return msgspec.structs.replace(
        said,
        room=said.room[:255],
        id=said.id[:255],
        author_id=said.author_id[:255],
        author_name=said.author_name[:255],
        thread=said.thread[:255],
        text=None if said.text is None else said.text[: TEXT * 2],
        reactions=said.reactions[:20],
    )


def echoed(said: Said, rules: Rules) -> str | None:
    """Of a message that we sent ourselves: the incident it is tagged with, "" when it has no tag. None: it is not ours.

    A known person who quotes us is no echo.
    """
    match = _TAG.match(said.text or "")
    if said.author_id in rules.own:
        return match.group(1) if match else ""
    return match.group(1) if match and said.author_id not in rules.people else None


def incident_named(thread: str) -> str:
    """The incident whose id stands in the name of a thread, a topic for example; "" when none does."""
    match = _INCIDENT.search(thread)
    return match.group() if match else ""


def stripped(text: str, rules: Rules) -> str | None:
    """The text after the prefix; None when it does not begin with it."""
    prefix = rules.prefix.strip()
    head, rest = text.lstrip()[: len(prefix)], text.lstrip()[len(prefix) :]
    if not prefix or head.casefold() != prefix.casefold() or (rest and rest[0].isalnum() and prefix[-1].isalnum()):
        return None
    return rest.lstrip(" :\t").strip() or None


def taken(message: Message, rules: Rules, in_thread: bool) -> bool:
    """Whether the rules make an entry of it."""
    if message.original is None:
        return False
    if "all" in rules.take or ("reaction" in rules.take and message.reacted) or ("thread" in rules.take and in_thread):
        return True
    versions = (message.original, message.edit)
    return "prefix" in rules.take and any(
        stripped(one.text, rules) is not None for one in versions if one is not None and one.text is not None
    )


def text_of(said: Said, rules: Rules) -> str:
    text = said.text or ""
    without = stripped(text, rules) if "prefix" in rules.take else None
    return sanitise(text if without is None else without, lines=True, limit=TEXT).strip()


def author_of(said: Said, rules: Rules) -> Author:
    """The person the configuration ties to the platform's id, else the platform's name, as claimed."""
    person = rules.people.get(said.author_id, "")
    name = person or "-".join(sanitise(said.author_name or said.author_id, limit=40).split()) or "somebody"
    account = sanitise(f"{said.source}:{said.author_id}", limit=120)
    return Author(name=name, account=account, proven=bool(person))


def entry_draft(said: Said, rules: Rules, incident: str, now: datetime) -> Draft:
    """The CHAT entry of a message, with the platform's author and time, which never lies in our future."""
    data: dict[str, Any] = {"from": said.source, "room": sanitise(said.room, limit=255)}
    data |= {"remote": sanitise(said.id, limit=255), "by": sanitise(said.author_id, limit=255)}
    if said.thread:
        data["thread"] = sanitise(said.thread, limit=255)
    return Draft(
        kind=Kind.CHAT,
        text=text_of(said, rules),
        at=min(said.at, now),
        author=author_of(said, rules),
        incident=incident,
        source=SOURCE,
        data=data,
    )


def corrections(
    message: Message, written: Written, entry: Entry, rules: Rules, now: datetime
) -> list[tuple[Draft, str]]:
    """What the journal still lacks of it, with keys: an amendment with the newest version, a strike."""
    drafts: list[tuple[Draft, str]] = []
    edit, gone = message.edit, message.deleted
    if entry.purged:
        return []  # its text was destroyed; no later version may bring it back
    if edit is not None and edit.edited is not None and (written.edited is None or edit.edited > written.edited):
        text = text_of(edit, rules)
        if text:
            draft = _correcting(Kind.AMEND, edit, {"text": text}, min(edit.edited, now), entry, rules)
            drafts.append((draft, f"{message.key}:{edit.edited.isoformat()}"))
    if gone is not None and not written.struck:
        draft = _correcting(Kind.STRIKE, gone, {"step": "strike"}, min(gone.at, now), entry, rules)
        drafts.append((draft, f"{message.key}:gone"))
    return drafts


def _correcting(kind: Kind, said: Said, data: dict[str, Any], at: datetime, entry: Entry, rules: Rules) -> Draft:
    author = author_of(said, rules) if said.author_id else entry.author
    return Draft(
        kind=kind, text="", at=at, author=author, incident=entry.incident, source=SOURCE, data=data, ref=entry.id
    )


class Memory:
    """The latest messages, for what comes later about them. Bounded by number and by characters."""

    def __init__(self, messages: int = 4_000, characters: int = 4_000_000) -> None:
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._most, self._most_characters = messages, characters
        self._characters = 0

    def __len__(self) -> int:
        return len(self._messages)

    def merge(self, key: str, said: Said, rules: Rules) -> Message:
        message = self._messages.pop(key, None) or Message(key)
        self._characters -= message.size
        message.merge(said, rules)
        self._characters += message.size
        self._messages[key] = message
        while len(self._messages) > self._most or (
            self._characters > self._most_characters and len(self._messages) > 1
        ):
            _, old = self._messages.popitem(last=False)
            self._characters -= old.size
        return message
