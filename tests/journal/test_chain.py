from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.journal import chain
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]


def test_the_published_format(store: Store, draft: MakeDraft) -> None:
    """Written out once more, so that it cannot change unnoticed."""
    store.append([draft("one"), draft("two")], key="k")
    previous = bytes(32)
    rows = store.connection.execute("SELECT seq, commitment, link, salt, body FROM entries ORDER BY seq").fetchall()
    for seq, commitment, link, salt, body in rows:
        assert len(salt) == 16
        assert commitment == hashlib.sha256(salt + body).digest()
        previous = hashlib.sha256(previous + store.journal.encode() + seq.to_bytes(8, "big") + commitment).digest()
        assert link == previous
    assert rows[0][4].startswith(
        b'{"journal":"'
        + store.journal.encode()
        + b'","seq":1,"kind":"note","at":"2026-11-23T03:10:00Z","recorded_at":"'
    )
    assert store.head() == Head(store.journal, 2, previous.hex())


def test_the_promise_is_in_the_verdict(store: Store) -> None:
    verdict = store.verify()
    assert verdict.ok and verdict.entries == 0
    assert verdict.promise == (
        "It detects damage and naive edits; truncation or rewriting only against a head recorded elsewhere, "
        "so each update, handoff and export carries the head."
    )


@pytest.fixture
def five(store: Store, draft: MakeDraft) -> Store:
    for number in range(1, 6):
        store.append([draft(f"text {number}")], key=f"k{number}")
    return store


@pytest.mark.parametrize(
    ("edit", "seq", "words"),
    [
        (
            "UPDATE entries SET body = replace(CAST(body AS TEXT), 'text 3', 'text 9') WHERE seq = 3",
            3,
            "not stored as bytes",
        ),
        (
            "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'text 3', 'T') AS BLOB) WHERE seq = 3",
            3,
            "altered",
        ),
        ("UPDATE entries SET body = zeroblob(length(body)), salt = zeroblob(16) WHERE seq = 3", 3, "without an order"),
        ("UPDATE entries SET salt = randomblob(16) WHERE seq = 3", 3, "altered"),
        ("UPDATE entries SET commitment = randomblob(32) WHERE seq = 3", 3, "does not fit"),
        ("UPDATE entries SET link = randomblob(32) WHERE seq = 3", 3, "does not fit"),
        ("DELETE FROM entries WHERE seq = 3", 3, "entry 3 is missing"),
        ("DELETE FROM entries WHERE seq IN (2, 3)", 2, "entries 2 to 3 are missing"),
        ("DELETE FROM entries WHERE seq = 5", 5, "stored once and are missing"),
        ("INSERT INTO tombstones VALUES (3, 4, x'7b7d')", 3, "its text is still there"),
    ],
)
def test_naive_edits_are_named(five: Store, edit: str, seq: int, words: str) -> None:
    assert five.verify().ok
    five.connection.execute(edit)
    verdict = five.verify()
    assert any(problem.seq == seq and words in problem.sentence for problem in verdict.problems), verdict.problems


def test_swapped_entries_are_named(five: Store) -> None:
    five.connection.executescript(
        "UPDATE entries SET seq = 99 WHERE seq = 2; UPDATE entries SET seq = 2 WHERE seq = 3;"
        "UPDATE entries SET seq = 3 WHERE seq = 99;"
    )
    assert {problem.seq for problem in five.verify().problems} >= {2, 3}


def test_a_careful_cut_shows_only_against_a_recorded_head(five: Store) -> None:
    head = five.head()
    assert five.verify([head]).heads_checked == 1 and five.verify([head]).ok
    five.connection.executescript("DELETE FROM entries WHERE seq > 3; DELETE FROM keys WHERE seq > 3;")
    assert five.verify().ok
    assert [problem.sentence for problem in five.verify([head]).problems] == [
        "the journal ends at entry 3, but a head of entry 5 was recorded: it was cut."
    ]


def test_rewriting_shows_only_against_a_recorded_head(five: Store, draft: MakeDraft) -> None:
    head = five.head()
    short = Head(head.journal, head.seq, head.hash[:16])
    five.connection.executescript("DELETE FROM entries WHERE seq > 3; DELETE FROM keys WHERE seq > 3;")
    five.append([draft("text 4"), draft("another story")], key="rewritten")
    assert five.verify().ok
    for recorded in (head, short, Head.parse(str(head).upper())):
        assert ["rewritten" in problem.sentence for problem in five.verify([recorded]).problems] == [True]


def test_heads_that_prove_nothing_are_said(five: Store) -> None:
    assert "another journal" in five.verify([Head("f" * 16, 1, "0" * 64)]).problems[0].sentence
    assert "proves nothing" in five.verify([Head(five.journal, 1, "0")]).problems[0].sentence
    assert five.verify([Head(five.journal, 0, "0" * 64)]).ok


@given(st.text())
def test_what_is_no_head_is_one_sentence(text: str) -> None:
    try:
        head = Head.parse(text)
    except ValueError as error:
        assert "not a journal head" in str(error)
    else:
        assert Head.parse(str(head)) == head


@settings(max_examples=40)
@given(st.data())
def test_any_changed_bit_is_found(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(max_size=40), min_size=1, max_size=6))
    with tempfile.TemporaryDirectory() as directory, Store.open(directory) as store:
        for number, text in enumerate(texts):
            store.append(
                [Draft(kind=Kind.NOTE, text=text, at=datetime.now(UTC), author=Author("ana"))], key=str(number)
            )
        seq = data.draw(st.integers(1, len(texts)))
        column = data.draw(st.sampled_from(["commitment", "link", "salt", "body"]))
        value = bytearray(store.connection.execute(f"SELECT {column} FROM entries WHERE seq = ?", (seq,)).fetchone()[0])
        bit = data.draw(st.integers(0, len(value) * 8 - 1))
        value[bit // 8] ^= 1 << bit % 8
        store.connection.execute(f"UPDATE entries SET {column} = ? WHERE seq = ?", (bytes(value), seq))
        assert seq in {problem.seq for problem in store.verify().problems}


SECRET = "hunter2-hunter2-hunter2"


def _everything(store: Store) -> bytes:
    """All bytes of the journal's directory, read by another process: closing the file here would drop our locks."""
    import subprocess

    return subprocess.run(["tar", "-cf", "-", "-C", store.place.directory, "."], capture_output=True, check=True).stdout


@pytest.mark.parametrize("size", [10, 900, 3_000, 30_000, 300_000])
def test_purge_leaves_no_byte_of_the_secret(store: Store, draft: MakeDraft, size: int) -> None:
    filler = "the disk of web2 is full " * (size // 25)
    for number in range(30):
        store.append([draft(f"{number} {filler}")], key=f"before {number}")
    entry = store.append([draft(f"{filler}{SECRET}", data={"pasted": SECRET}, incident="i1")], key="secret")[0]
    for number in range(30):
        store.append([draft(f"{number} {filler}")], key=f"after {number}")
    salt = store.connection.execute("SELECT salt FROM entries WHERE seq = ?", (entry.seq,)).fetchone()[0]
    head = store.head()
    assert SECRET.encode() in _everything(store)

    order = store.purge(entry.id, author=Author("bob"), reason="a password")

    left = _everything(store)
    assert SECRET.encode() not in left and salt not in left
    kept = store.get(entry.id)
    assert kept is not None and kept.purged
    assert (kept.kind, kept.at, kept.recorded_at, kept.author) == (
        entry.kind,
        entry.at,
        entry.recorded_at,
        entry.author,
    )
    assert (kept.incident, kept.text, kept.data, kept.seen) == ("i1", "", {}, None)
    assert (order.kind, order.ref, order.author.name, order.text) == (Kind.PURGE, entry.id, "bob", "a password")
    verdict = store.verify([head, store.head()])
    assert verdict.ok, verdict.problems
    assert verdict.purged == (entry.seq,)
    assert store.purge(entry.id, author=Author("bob"), reason="again") == order
    assert store.append([draft("x")], key="secret") == [kept]


def test_purging_many_leaves_none(store: Store, draft: MakeDraft) -> None:
    entries = [store.append([draft(f"{SECRET} {n} " + "x" * (n * 37 % 5000))], key=str(n))[0] for n in range(120)]
    for entry in reversed(entries):
        store.purge(entry.id, author=Author("bob"), reason="all")
    assert SECRET.encode() not in _everything(store)
    verdict = store.verify()
    assert verdict.ok and len(verdict.purged) == 120


def test_a_purge_order_may_itself_be_purged(store: Store, draft: MakeDraft) -> None:
    entry = store.append([draft("x")], key="k")[0]
    order = store.purge(entry.id, author=Author("bob"), reason=SECRET)
    store.purge(order.id, author=Author("ana"), reason="he repeated it")
    assert SECRET.encode() not in _everything(store)
    verdict = store.verify()
    assert verdict.ok, verdict.problems
    assert verdict.purged == (1, 2)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            "UPDATE tombstones SET kept = CAST(replace(CAST(kept AS TEXT), 'ana', 'eve') AS BLOB)",
            "does not fit what is left",
        ),
        ("DELETE FROM tombstones", "without an order"),
        ("UPDATE tombstones SET by_seq = 1", "does not fit"),
    ],
)
def test_tombstones_are_covered_by_the_chain(store: Store, draft: MakeDraft, edit: str, words: str) -> None:
    entry = store.append([draft("x")], key="k")[0]
    store.purge(entry.id, author=Author("bob"), reason="why")
    store.connection.execute(edit)
    assert any(words in problem.sentence for problem in store.verify().problems)


def test_a_reader_that_keeps_the_log_alive_is_said(store: Store, draft: MakeDraft) -> None:
    entry = store.append([draft(SECRET)], key="k")[0]
    with Store.open(store.place.directory) as reader:
        reader.connection.execute("BEGIN")
        reader.connection.execute("SELECT * FROM entries").fetchone()
        with pytest.raises(JournalError, match="another process is reading") as caught:
            store.purge(entry.id, author=Author("bob"), reason="why")
        assert caught.value.transient
        reader.connection.execute("ROLLBACK")
    order = store.purge(entry.id, author=Author("bob"), reason="why")
    assert order.seq == 2
    assert SECRET.encode() not in _everything(store)


def test_purging_what_is_not_there(store: Store) -> None:
    with pytest.raises(JournalError, match="no entry a7"):
        store.purge(Ref(store.journal, 7), author=Author("bob"), reason="why")


def test_entries_of_the_future_with_more_fields_still_verify(store: Store, draft: MakeDraft) -> None:
    """Fields are only ever added: an older program reads and verifies what a newer one stored."""
    store.append([draft("x")], key="k")
    body = store.connection.execute("SELECT body FROM entries").fetchone()[0][:-1] + b',"mood":"calm"}'
    salt = bytes(range(16))
    committed = chain.commitment(salt, body)
    link = chain.link(chain.GENESIS, store.journal, 1, committed)
    store.connection.execute("UPDATE entries SET commitment=?, link=?, salt=?, body=?", (committed, link, salt, body))
    assert store.verify().ok
    assert isinstance(store.read()[0], Entry)
