"""Which entries are signed by whom, and which signatures do not fit. Whether a signature fits is asked of a function,
because that takes a library that nothing else here needs.

A signature that fits says: whoever had that key said, at that head, that these entries are theirs. It says nothing of
what came after its head, and nobody is missed who never signed. What the chain itself says is `journal.verify`'s.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from incident_tui.incident.entry import MACHINE_KINDS, Author, Kind
from incident_tui.incident.numbers import MOST, packed, said, unpacked
from incident_tui.incident.ssh_key import NoKey, fingerprint, split
from incident_tui.journal.chain import GENESIS, Head
from incident_tui.journal.sign import WRITTEN
from incident_tui.journal.sign_text import claim, to_sign

if TYPE_CHECKING:
    from incident_tui.incident.settings import Person
    from incident_tui.journal.store import Store

Fits = Callable[[bytes, bytes, bytes], bool]
"""Whether a signature is this key's: (public key, what was signed, signature). False for whatever cannot be read."""

Row = tuple[int, bytes, bytes, bytes]
"""Number, commitment, link, and the body, or of a purged entry what was kept of it."""

_BATCH: Final = 5_000
_LINKS: Final = "SELECT e.seq, e.commitment, e.link, coalesce(t.kept, e.body) FROM entries e"
_ROWS: Final = f"{_LINKS} LEFT JOIN tombstones t ON t.seq = e.seq WHERE e.seq > ? ORDER BY e.seq LIMIT ?"

_IS_SIGNATURE: Final = 'instr(body, CAST(\'"kind":"signature"\' AS BLOB))'


class _Brief(msgspec.Struct, gc=False):
    """What of an entry is needed here. `data` is decoded of signatures alone."""

    kind: str
    author: Author
    source: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")
    purged: bool = False


_brief = msgspec.json.Decoder(_Brief)


class Signer(msgspec.Struct, frozen=True, order=True):
    """Whose signature it is. `known`: the key is one of this person's in [[people]]."""

    name: str
    key: str
    """The fingerprint, as `ssh-keygen -l` prints it."""
    known: bool


class Wrong(msgspec.Struct, frozen=True):
    """A signature, by its number, that does not fit."""

    seq: int
    sentence: str


class Signed(msgspec.Struct, frozen=True):
    """What the signatures of one journal say. Numbers are in ascending order."""

    by: dict[Signer, tuple[int, ...]]
    """Who signed which entries; one that two keys signed stands twice."""
    unsigned: tuple[int, ...]
    """Entries that people wrote and nobody signed with a key that is known."""
    wrong: tuple[Wrong, ...]
    signatures: int

    def sentences(self, letter: str) -> list[str]:
        """A line for each fact, the worst first; none where nothing was ever signed."""
        lines = [f"WRONG: {letter}{one.seq}: {one.sentence}" for one in self.wrong]
        for signer, seqs in sorted(self.by.items(), key=lambda one: (not one[0].known, one[0])):
            if signer.known:
                lines.append(f"signed by {signer.name} ({signer.key}): {said(seqs, letter)}")
            else:
                lines.append(
                    f"signed as {signer.name} by a key that {signer.name} does not have in [[people]] ({signer.key}): "
                    + said(seqs, letter)
                )
        if self.unsigned and self.signatures:
            lines.append(f"not signed: {said(self.unsigned, letter)}")
        return lines

    def fields(self) -> dict[str, object]:
        """The fields of `verify --json`."""
        return {
            "signed": [
                {"by": one.name, "key": one.key, "known": one.known, "entries": packed(seqs), "count": len(seqs)}
                for one, seqs in sorted(self.by.items())
            ],
            "unsigned": packed(self.unsigned),
            "wrong": [{"seq": one.seq, "sentence": one.sentence} for one in self.wrong],
        }


NOTHING: Final = Signed({}, (), (), 0)


def holders(people: Sequence[Person]) -> dict[str, str]:
    """Fingerprint -> name, of all keys in [[people]] that can be read."""
    found: dict[str, str] = {}
    for person in people:
        for key in person.keys:
            try:
                found[fingerprint(key)] = person.name
            except NoKey:
                continue  # `incident-tui join-keys` and `check` name it
    return found


def rows_of(store: Store, journal: str) -> Iterator[Row]:
    """All rows of the own journal or of a copy, in batches, with no transaction between them. Raises JournalError."""
    last = 0
    while rows := _rows_after(store, journal, last):
        yield from rows
        last = rows[-1][0]


def _rows_after(store: Store, journal: str, last: int) -> list[Row]:
    if journal == store.journal:
        with store.guard:
            return store.connection.execute(_ROWS, (last, _BATCH)).fetchall()
    rows = [] if store.others is None else store.others.rows(journal, last, _BATCH)
    return [(seq, committed, link, body if kept is None else kept) for seq, committed, link, _, body, _, kept in rows]


def signing_journals(store: Store) -> set[str]:
    """The journals here, the own one and copies, that have signatures: whoever never signs pays nothing. Raises
    JournalError."""
    found: set[str] = set()
    with store.guard:
        if store.connection.execute(f"SELECT 1 FROM entries WHERE {_IS_SIGNATURE} LIMIT 1").fetchone():
            found.add(store.journal)
    others = store.others
    if others is not None:
        with others.guard:
            rows = others.connection.execute(f"SELECT DISTINCT journal FROM rows WHERE {_IS_SIGNATURE}").fetchall()
        found.update(journal for (journal,) in rows)
    return found


def check(
    rows: Iterable[Row], journal: str, people: Mapping[str, str], fits: Fits, broken: Iterable[int] = ()
) -> Signed:
    """Check each signature of one journal. `people` are fingerprints with names (`holders`); `broken` are entries that
    do not fit to the chain: they are as good as not signed."""
    commitments: dict[int, bytes] = {}
    links: list[bytes] = [GENESIS]
    authors: dict[int, str] = {}
    written: list[int] = []
    found: list[tuple[int, _Brief]] = []
    for seq, committed, link, body in rows:
        if not isinstance(committed, bytes) or not isinstance(link, bytes):
            continue  # altered by hand: no signature of it fits
        commitments[seq] = committed
        links += [b""] * (seq - len(links)) + [link]
        try:
            entry = _brief.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
            continue  # the chain's business
        if entry.kind == Kind.SIGNATURE:
            if not entry.purged:
                found.append((seq, entry))
            continue
        authors[seq] = entry.author.name
        if entry.kind not in MACHINE_KINDS and entry.source in WRITTEN:
            written.append(seq)
    bad = set(broken)
    by: dict[Signer, set[int]] = {}
    wrong: list[Wrong] = []
    for seq, entry in found:
        one = _Signature(seq, entry)
        problem = one.read() or one.problem(journal, commitments, links, authors, people, fits)
        if problem:
            wrong.append(Wrong(seq, problem))
            continue
        by.setdefault(Signer(one.author, one.print, people.get(one.print) == one.author), set()).update(
            number for number in one.entries if number not in bad
        )
    proven = {seq for signer, seqs in by.items() if signer.known for seq in seqs}
    return Signed(
        {signer: tuple(sorted(seqs)) for signer, seqs in by.items()},
        tuple(seq for seq in written if seq not in proven),
        tuple(wrong),
        len(found),
    )


class _Signature:
    """One SIGNATURE entry, foreign until it is checked."""

    def __init__(self, seq: int, entry: _Brief) -> None:
        self.seq = seq
        self.author = entry.author.name
        self._raw = entry.data
        self.entries: list[int] = []
        self.head = 0
        self.key = self.signature = b""
        self.print = ""

    def read(self) -> str:
        """Empty, or why it cannot be read."""
        try:
            data: dict[str, Any] = msgspec.json.decode(self._raw)
            self.entries = unpacked(data["entries"], MOST)
            self.head = int(data["head"])
            line = str(data["key"])
            self.key, self.print = base64.b64decode(split(line)[1]), fingerprint(line)
            self.signature = base64.b64decode(data["sig"], validate=True)
        except (KeyError, ValueError, TypeError):
            return "this signature cannot be read."
        return ""

    def text(self, journal: str, commitments: Mapping[int, bytes], links: Sequence[bytes]) -> bytes | None:
        """What was signed, made anew; None when something that it names is not here."""
        if not all(one in commitments for one in self.entries) or not 0 < self.head < len(links):
            return None
        head = Head(journal, self.head, links[self.head].hex())
        return claim(self.author, head, ((seq, commitments[seq]) for seq in self.entries))

    def problem(
        self,
        journal: str,
        commitments: Mapping[int, bytes],
        links: Sequence[bytes],
        authors: Mapping[int, str],
        people: Mapping[str, str],
        fits: Fits,
    ) -> str:
        """Empty, or what is wrong."""
        holder = people.get(self.print, "")
        whose = f"the signature of {self.author} ({self.print})"
        if not self.head < self.seq or not self.entries[-1] <= self.head:
            return f"{whose} names entries that came after it."
        message = self.text(journal, commitments, links)
        if message is None:
            return f"{whose} names entries that are not here."
        if not fits(self.key, to_sign(message), self.signature):
            return (
                f"{whose} does not fit: an entry up to number {self.head} was altered after it was signed, or the "
                "signature itself."
            )
        if holder and holder != self.author:
            return f"this is {holder}'s key ({self.print}) under the name of {self.author}."
        foreign = next((seq for seq in self.entries if authors.get(seq) != self.author), None)
        if foreign is not None:
            return f"{whose} claims entry {foreign}, which {authors.get(foreign, 'nobody')} wrote."
        return ""


def exported(rows: Iterable[Row], journal: str, wanted: int) -> tuple[str, bytes, bytes, bytes] | None:
    """Of the SIGNATURE entry `wanted`: its author, the text that was signed, the public key, and the signature. None
    when there is no such entry, or what it names is not here."""
    commitments: dict[int, bytes] = {}
    links: list[bytes] = [GENESIS]
    for seq, committed, link, body in rows:
        if not isinstance(committed, bytes) or not isinstance(link, bytes):
            continue  # altered by hand: no signature of it fits
        commitments[seq] = committed
        links += [b""] * (seq - len(links)) + [link]
        if seq == wanted:
            try:
                one = _Signature(seq, _brief.decode(body))
            except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
                return None
            message = None if one.read() else one.text(journal, commitments, links)
            return None if message is None else (one.author, message, one.key, one.signature)
    return None
