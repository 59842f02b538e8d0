"""Search finds what entries say now, in any incident; its index is a cache that holds nothing after a purge."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.filter import Filter, matcher, read_filter
from incident_tui.incident.state import Fold
from incident_tui.journal import search_index
from incident_tui.journal.search import Search, search
from incident_tui.journal.store import Store

START = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)


def say(store: Store, text: str, kind: Kind = Kind.NOTE, minutes: int = 0, by: str = "ana", **fields: Any) -> Entry:
    draft = Draft(kind=kind, text=text, at=START + timedelta(minutes=minutes), author=Author(by), **fields)
    return store.append([draft], key=f"{store.head().seq}")[0]


def found(store: Store, typed: str, **more: Any) -> list[str]:
    wanted = read_filter(typed)
    assert isinstance(wanted, Filter)
    return [row.said for row in search(store, Search(wanted=wanted, **more)).rows]


def test_words_begin_so_in_any_case_and_in_every_incident(store: Store) -> None:
    say(store, "restarted Glusterd on web3", Kind.ACTION, incident="I")
    say(store, "glusterfs-server 3.4 is old", incident="J", by="bob")
    say(store, "nothing of that", incident="J")
    assert found(store, "gluster") == ["glusterfs-server 3.4 is old", "restarted Glusterd on web3"]
    assert found(store, "GLUSTER web3") == ["restarted Glusterd on web3"]
    assert found(store, "gluster by:bob") == ["glusterfs-server 3.4 is old"]
    assert found(store, "gluster kind:action") == ["restarted Glusterd on web3"]
    assert found(store, "gluster", incident="J") == ["glusterfs-server 3.4 is old"]
    assert found(store, "luster") == []


def test_fields_are_found_too_and_a_host_by_its_whole_name(store: Store) -> None:
    data = {"finding": "gluster.brick-down", "level": "crit", "subject": "gv0/web3:/b/gv0", "host": "web3"}
    say(store, "brick down", Kind.OBSERVATION, by="watch", data=data)
    say(store, "web30 is another machine")
    assert found(store, "host:web3") == ["brick down"]
    assert found(store, "kind:crit gv0") == ["brick down"]
    assert found(store, "kind:machine") == ["brick down"]


def test_what_was_amended_says_the_new_and_not_the_old(store: Store) -> None:
    first = say(store, "restarted web1")
    say(store, "", Kind.AMEND, 5, data={"text": "restarted web2"}, ref=first.id)
    assert found(store, "web1") == []
    assert found(store, "web2") == ["restarted web2"]
    last = say(store, "", Kind.AMEND, 6, data={"text": "restarted web4"}, ref=first.id)
    assert (found(store, "web2"), found(store, "web4 kind:note by:ana")) == ([], ["restarted web4"])
    say(store, "", Kind.STRIKE, 7, data={"step": "strike"}, ref=last.id)
    assert (found(store, "web2"), found(store, "web4")) == (["restarted web2"], [])


def test_a_struck_entry_only_when_asked(store: Store) -> None:
    entry = say(store, "restarted web1")
    strike = say(store, "", Kind.STRIKE, data={"step": "strike"}, ref=entry.id)
    assert found(store, "web1") == []
    assert found(store, "web1", struck=True) == ["restarted web1"]
    say(store, "", Kind.STRIKE, data={"step": "restore"}, ref=entry.id)
    assert found(store, "web1") == ["restarted web1"] and strike.kind is Kind.STRIKE


def test_times_are_when_it_happened_as_amended(store: Store) -> None:
    entry = say(store, "early", minutes=0)
    say(store, "late", minutes=30)
    ten = START + timedelta(minutes=10)
    assert (found(store, "", since=ten), found(store, "", until=ten)) == (["late"], ["early"])
    moved = (START + timedelta(minutes=20)).isoformat()
    say(store, "", Kind.AMEND, 40, data={"at": moved}, ref=entry.id)
    assert (found(store, "early", since=ten), found(store, "early", until=ten)) == (["early"], [])
    say(store, "", Kind.AMEND, 41, data={"text": "earlier"}, ref=entry.id)
    assert (found(store, "earl", since=ten), found(store, "earl", until=ten)) == (["earlier"], [])


def test_a_purged_text_is_in_no_index_from_then_on(store: Store, place: Path) -> None:
    entry = say(store, "the password is hunter2, gluster")
    say(store, "gluster well")
    assert len(found(store, "hunter2")) == 1
    assert b"hunter2" in b"".join(file.read_bytes() for file in place.glob("search.db*"))
    store.purge(entry.id, author=Author("ana"), reason="a password")
    assert found(store, "hunter2") == [] and found(store, "gluster") == ["gluster well"]
    assert not [file for file in place.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]


def test_an_index_from_before_a_purge_is_not_believed(store: Store, place: Path) -> None:
    entry = say(store, "the password is hunter2")
    found(store, "hunter2")
    kept = {file: file.read_bytes() for file in place.glob("search.db*")}
    store.purge(entry.id, author=Author("ana"), reason="a password")
    for file, raw in kept.items():
        file.write_bytes(raw)
    assert found(store, "hunter2") == []
    assert not [file for file in place.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]


def test_a_purge_while_the_index_is_made_leaves_none(
    store: Store, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = say(store, "the password is hunter2")
    add = search_index._add

    def purged_meanwhile(*args: Any) -> None:
        add(*args)
        monkeypatch.setattr(search_index, "_add", add)
        with Store.open(place) as other:
            other.purge(entry.id, author=Author("ana"), reason="a password")

    monkeypatch.setattr(search_index, "_add", purged_meanwhile)
    assert found(store, "hunter2") == []
    assert not [file for file in place.rglob("*") if file.is_file() and b"hunter2" in file.read_bytes()]


@pytest.mark.parametrize("raw", [b"", b"not a database at all" * 99])
def test_a_damaged_index_is_made_anew(store: Store, raw: bytes) -> None:
    say(store, "gluster")
    assert found(store, "gluster") == ["gluster"]
    Path(f"{store.place.search}-wal").unlink(missing_ok=True)
    Path(store.place.search).write_bytes(raw)
    assert found(store, "gluster") == ["gluster"]


def test_the_index_of_another_journal_is_not_believed(store: Store, tmp_path: Path) -> None:
    say(store, "gluster here")
    found(store, "gluster")
    with Store.open(tmp_path / "other") as other:
        say(other, "gluster there")
        for file in Path(store.place.directory).glob("search.db*"):
            (tmp_path / "other" / file.name).write_bytes(file.read_bytes())
        assert found(other, "gluster") == ["gluster there"]


def test_where_no_index_can_be_kept_it_is_found_all_the_same(store: Store) -> None:
    say(store, "gluster")
    Path(store.place.search).mkdir()
    (Path(store.place.search) / "x").touch()
    assert found(store, "gluster") == ["gluster"]


def test_more_than_are_wanted(store: Store) -> None:
    for number in range(5):
        say(store, f"line {number}")
    wanted = Search(wanted=Filter(words=("line",)))
    some = search(store, wanted, 3)
    assert [row.said for row in some.rows] == ["line 4", "line 3", "line 2"] and some.more
    assert not search(store, wanted, 5).more


@pytest.mark.parametrize("typed", ['"', 'a"b OR c', "text:", "NEAR(a b)", "*", "a*b", "^x", "é", "-", "\\", "'; DROP"])
def test_whatever_is_typed_is_only_words(store: Store, typed: str) -> None:
    say(store, f"x {typed} y")
    wanted = Filter(words=tuple(typed.split()))
    assert len(search(store, Search(wanted=wanted)).rows) == 1


_TEXTS = ("gluster down", "gluster up", "web1 down", "")
_DATA: dict[Kind, list[dict[str, Any]]] = {
    Kind.NOTE: [{}],
    Kind.ACTION: [{}],
    Kind.HOLD: [{"target": "web1", "step": "hold", "minutes": 3}],
    Kind.AMEND: [{"text": "web1 up"}, {"text": "gluster"}, {"at": "2026-11-23T03:14:00+00:00"}],
    Kind.STRIKE: [{"step": "strike"}, {"step": "restore"}],
    Kind.PIN: [{"step": "pin"}],
}


def _targets(kind: Kind, drafts: list[Draft]) -> list[Ref]:
    """Earlier entries that the desk lets an entry of this kind refer to: an amendment is never of a correction."""
    hidden = (Kind.AMEND, Kind.STRIKE, Kind.PIN)
    return [Ref("", n) for n, one in enumerate(drafts, 1) if kind is not Kind.AMEND or one.kind not in hidden]


@st.composite
def journals(draw: st.DrawFn) -> list[Draft]:
    drafts: list[Draft] = []
    for _ in range(1, draw(st.integers(1, 10)) + 1):
        kind = draw(st.sampled_from(sorted(_DATA)))
        drafts.append(
            Draft(
                kind=kind,
                text=draw(st.sampled_from(_TEXTS)),
                at=START + timedelta(minutes=draw(st.integers(0, 9))),
                author=Author(draw(st.sampled_from(["ana", "bob"]))),
                incident=draw(st.sampled_from(["I", ""])),
                data=draw(st.sampled_from(_DATA[kind])),
                ref=draw(st.none() | st.sampled_from(_targets(kind, drafts))) if _targets(kind, drafts) else None,
            )
        )
    return drafts


@settings(max_examples=150)
@given(journals(), st.data())
def test_it_finds_what_a_fold_over_everything_says(drafts: list[Draft], data: st.DataObject) -> None:
    wanted = Filter(
        kinds=data.draw(st.sampled_from([(), ("action",), ("hold", "note")])),
        by=data.draw(st.sampled_from([(), ("bob",)])),
        words=data.draw(st.sampled_from([(), ("glus",), ("web1",), ("down", "web")])),
    )
    since = data.draw(st.sampled_from([None, START + timedelta(minutes=4)]))
    with tempfile.TemporaryDirectory() as directory, Store.open(directory) as store:
        fold = Fold()
        for number, draft in enumerate(drafts):
            ref = Ref(store.journal, draft.ref.seq) if draft.ref else None
            fields = {name: getattr(draft, name) for name in draft.__struct_fields__} | {"ref": ref}
            for entry in store.append([Draft(**fields)], key=str(number)):
                fold.apply(entry)
            if data.draw(st.booleans()):
                search(store, Search(wanted=wanted))  # the index grows with it
        made = search(store, Search(wanted=wanted, since=since))
        assert {row.ref for row in made.rows} == {ref for ref in _brute(fold, store, wanted, since)}
        assert all(row == fold.row(row.ref) for row in made.rows)


def _brute(fold: Fold, store: Store, wanted: Filter, since: datetime | None) -> list[Ref]:
    fits: Callable[..., bool] = matcher(Filter(kinds=wanted.kinds, by=wanted.by))
    out = []
    for entry in store.read():
        row = fold.row(entry.id)
        hidden = entry.kind in (Kind.AMEND, Kind.STRIKE, Kind.PIN) and entry.ref is not None
        if row is None or row.struck or hidden or not fits(row) or (since is not None and row.at < since):
            continue
        strings = [value for name, value in entry.data.items() if isinstance(value, str) and name != "step"]
        tokens = re.findall(r"\w+", " ".join([row.said, *strings]).lower())
        if all(any(token.startswith(word) for token in tokens) for word in wanted.words):
            out.append(entry.id)
    return out
