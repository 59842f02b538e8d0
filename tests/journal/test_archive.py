"""A whole journal as a document: identical elsewhere, harmless twice, refused when altered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft
from incident_tui.journal import archive
from incident_tui.journal.chain import Head
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store

MakeDraft = Callable[..., Draft]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
TABLES = ("entries", "tombstones", "keys", "meta")


@pytest.fixture
def five(store: Store, draft: MakeDraft) -> Store:
    for text in ("one", "the password is hunter2", 'é \u2028 \U0001f6d1 "quoted" \\ </script>', "four"):
        store.append([draft(text)], key=f"k{len(text)}")
    store.purge(store.read()[1].id, author=Author("ana"), reason="a password")
    return store


def document(store: Store) -> str:
    return "".join(archive.write(store, NOW))


def elsewhere(tmp_path: Path, name: str = "elsewhere") -> Store:
    return Store.open(tmp_path / name)


def tables(store: Store) -> list[Any]:
    return [sorted(store.connection.execute(f"SELECT * FROM {table}").fetchall()) for table in TABLES]


def test_it_is_identical_elsewhere_also_what_was_purged_and_may_come_twice(five: Store, tmp_path: Path) -> None:
    text = document(five)
    assert "hunter2" not in text and text.startswith(archive.START)
    with elsewhere(tmp_path) as other:
        assert archive.restore(other, archive.read(text)) == 5
    with elsewhere(tmp_path) as other:
        assert tables(other) == tables(five) and other.head() == five.head()
        assert other.verify([five.head()]).ok and other.verify().purged == (2,)
        assert archive.restore(other, archive.read(text)) == 0
        assert tables(other) == tables(five)
        assert document(other) == text


def test_a_later_document_adds_what_is_new_and_purges_what_was_purged(
    five: Store, draft: MakeDraft, tmp_path: Path
) -> None:
    before = document(five)
    with elsewhere(tmp_path) as other:
        archive.restore(other, archive.read(before))
    five.append([draft("five")], key="later")
    five.purge(five.read()[3].id, author=Author("ana"), reason="another")
    with elsewhere(tmp_path) as other:
        assert archive.restore(other, archive.read(document(five))) == 2
        assert tables(other) == tables(five) and other.verify([five.head()]).purged == (2, 4)
        assert b'"four"' not in Path(other.path).read_bytes() + Path(other.path + "-wal").read_bytes()
        assert archive.restore(other, archive.read(before)) == 0, "an older one brings nothing back"
        assert tables(other) == tables(five)


def test_another_journal_and_one_that_went_another_way_are_refused(
    five: Store, draft: MakeDraft, tmp_path: Path
) -> None:
    text = document(five)
    with elsewhere(tmp_path) as other:
        archive.restore(other, archive.read(text))
    five.append([draft("here")], key="here")
    with elsewhere(tmp_path) as other:
        other.append([draft("there")], key="there")
        kept = tables(other)
        with pytest.raises(JournalError, match="entry a6 is another one here"):
            archive.restore(other, archive.read(document(five)))
        assert tables(other) == kept
    with elsewhere(tmp_path, "third") as third:
        third.append([draft("mine")], key="mine")
        with pytest.raises(JournalError, match="holds another journal"):
            archive.restore(third, archive.read(text))


def changed(five: Store, change: Callable[[Any], Any]) -> str:
    told = json.loads(document(five))
    change(told)
    return json.dumps(told)


def body(told: Any, number: int, text: str) -> None:
    told["entries"][number - 1]["body"] = told["entries"][number - 1]["body"].replace("four", text)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda told: body(told, 4, "five"), "entry 4 was altered"),
        (lambda told: told["entries"].pop(2), "entry 3 is missing"),
        (lambda told: told["entries"].pop(), "entry 2 was purged, but the order"),
        (lambda told: told["entries"][3].update(link="00" * 32), "entry 4 does not fit"),
        (lambda told: told["entries"][3].update(salt="x"), "entry 4 cannot be read"),
        (lambda told: told["entries"][3].update(length=9), "entry 4 is purged in one place and not"),
        (lambda told: told["tombstones"].clear(), "entry 2 is purged in one place and not"),
        (lambda told: told["tombstones"][0].update(kept="{}"), "entry 2"),
        (lambda told: told.update(journal="0" * 16), "another journal"),
        (lambda told: told.update(letter="Z"), "letter"),
        (lambda told: told.pop("keys"), "cut or altered"),
        (lambda told: told.update(format="incident-tui journal 2"), "of the format"),
    ],
)
def test_what_was_altered_is_refused_and_named(five: Store, change: Any, part: str) -> None:
    with pytest.raises(JournalError, match=part):
        archive.read(changed(five, change))


def test_a_head_recorded_elsewhere_must_be_in_it(five: Store, store: Store) -> None:
    text = document(five)
    assert archive.read(text, (five.head(),)).head == str(five.head())
    with pytest.raises(JournalError, match="rewritten"):
        archive.read(text, (Head(five.journal, 3, "ab" * 32),))


def test_another_program_may_have_laid_it_out_anew(five: Store) -> None:
    assert archive.read(json.dumps(json.loads(document(five)), indent=2, ensure_ascii=True)).journal == five.journal


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(0, 255))
@example(855, 32)  # the name of a purged entry's length
def test_one_byte_changed_anywhere_is_refused_or_means_the_same(five: Store, where: int, byte: int) -> None:
    text = bytearray(document(five).encode())
    text[where % len(text)] = byte
    try:
        read = archive.read(bytes(text))
    except JournalError:
        return
    clean = archive.read(document(five))
    # How long a destroyed text was is all that the chain does not cover.
    assert [row.stored()[:3] for row in read.entries] == [row.stored()[:3] for row in clean.entries]
    assert [row.stored()[3:] for row in read.entries if not row.length] == [
        row.stored()[3:] for row in clean.entries if not row.length
    ]
    assert read.tombstones == clean.tombstones and read.journal == clean.journal
