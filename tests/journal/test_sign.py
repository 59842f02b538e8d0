"""Signatures over entries, made by a real ssh-agent: who signed what, and what no longer fits when it was altered."""

from __future__ import annotations

import base64
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from incident_tui.cli.signing import fits
from incident_tui.incident.entry import Author, Draft, Entry, Kind, Ref
from incident_tui.incident.settings import Person
from incident_tui.incident.ssh_key import fingerprint
from incident_tui.incident.state import Fold
from incident_tui.journal import chain
from incident_tui.journal.settings import JournalSettings
from incident_tui.journal.sign import Signs, sign, signs, unsigned
from incident_tui.journal.sign_agent import NotSigned
from incident_tui.journal.sign_verify import Signed, Signer, check, holders, rows_of, signing_journals
from incident_tui.journal.signing import Signing
from incident_tui.journal.store import Store
from tests.agents import SshAgent

StartAgent = Callable[[], SshAgent]
AT = datetime(2026, 11, 28, 3, 10, tzinfo=UTC)
ANA = Author("ana", uid=1000, account="ana")
BEN = Author("ben", uid=1001, account="ben")
ON = JournalSettings(sign="agent")


def write(store: Store, text: str, author: Author = ANA, kind: Kind = Kind.NOTE, source: str = "tui") -> int:
    draft = Draft(kind=kind, text=text, at=AT, author=author, source=source, incident="2026-11-28-x")
    return store.append([draft], key=f"k{store.head().seq}")[0].seq


def by_agent(agent: SshAgent, author: Author, people: Sequence[Person], settings: JournalSettings = ON) -> Signs:
    found = signs(settings, author, people)
    assert found is not None
    return msgspec.structs.replace(found, path=lambda: agent.socket)


def read(store: Store, people: Sequence[Person], broken: Sequence[int] = ()) -> Signed:
    return check(rows_of(store, store.journal), store.journal, holders(people), fits, broken)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_what_was_signed_is_named_with_its_author(kind: str, store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(kind),))]
    mine = [write(store, "one"), write(store, "two")]
    write(store, "not hers", BEN)
    assert signing_journals(store) == set()
    (made,) = sign(store, by_agent(agent, ANA, people), mine, "tui")
    later = write(store, "later")
    found = read(store, people)
    assert found.by == {Signer("ana", fingerprint(people[0].keys[0]), known=True): (1, 2)}
    assert (found.unsigned, found.wrong, found.signatures) == ((3, later), (), 1)
    assert signing_journals(store) == {store.journal} and store.verify().ok and made.kind is Kind.SIGNATURE


def test_signing_the_same_again_keeps_one_signature(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    by = by_agent(agent, ANA, [Person(name="ana", keys=(agent.add(),))])
    seq = write(store, "one")
    assert sign(store, by, [seq], "tui") == sign(store, by, [seq], "tui")
    assert store.head().seq == 2


def test_many_entries_are_few_signatures(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    drafts = [Draft(kind=Kind.NOTE, text="x", at=AT, author=ANA, source="cli") for _ in range(1_203)]
    store.append(drafts, key="many")
    assert len(sign(store, by_agent(agent, ANA, people), range(1, 1_204), "cli")) == 3
    found = read(store, people)
    assert len(next(iter(found.by.values()))) == 1_203 and not found.unsigned


def test_a_purged_entry_stays_signed(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    seq = write(store, "password hunter2")
    sign(store, by_agent(agent, ANA, people), [seq], "tui")
    store.purge(Ref(store.journal, seq), author=ANA, reason="a password")
    found = read(store, people)
    assert list(found.by.values()) == [(1,)] and not found.wrong and store.verify().ok


def test_a_key_that_nobody_has_is_said_to_be_nobodys(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    sign(store, by_agent(agent, ANA, people), [write(store, "one")], "tui")
    found = read(store, [Person(name="ana", keys=(agent.add(),))])
    assert [signer.known for signer in found.by] == [False] and found.unsigned == (1,) and not found.wrong
    assert "by a key that ana does not have in [[people]]" in "\n".join(found.sentences("a"))


def test_nobody_signs_for_another(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    key = agent.add()
    people = [Person(name="ana", keys=()), Person(name="ben", keys=(key,))]
    ana, ben = write(store, "hers"), write(store, "his", BEN)
    sign(store, by_agent(agent, BEN, people), [ana, ben], "tui")  # claims her entry
    forged = by_agent(agent, ANA, [Person(name="ana", keys=(key,))])
    sign(store, forged, [ana], "tui")  # his key under her name
    found = read(store, people)
    assert [one.seq for one in found.wrong] == [3, 4] and not found.by and found.unsigned == (1, 2)
    assert "claims entry 1, which ana wrote" in found.wrong[0].sentence
    assert "this is ben's key" in found.wrong[1].sentence


def rewrite(path: Path, journal: str, start: int, change: Callable[[bytes], bytes]) -> None:
    """As somebody would who can write the file and knows the format: entry `start` altered, the chain made anew."""
    db = sqlite3.connect(path)
    rows = db.execute("SELECT seq, commitment, link, salt, body FROM entries ORDER BY seq").fetchall()
    previous = chain.GENESIS
    for seq, committed, _, salt, body in rows:
        if seq == start:
            body = change(body)
            committed = chain.commitment(salt, body)
        previous = chain.link(previous, journal, seq, committed)
        db.execute(
            "UPDATE entries SET commitment = ?, link = ?, body = ? WHERE seq = ?", (committed, previous, body, seq)
        )
    db.commit()
    db.close()


@pytest.mark.parametrize("altered", [1, 2, 4, 5])
def test_a_chain_made_anew_betrays_itself_by_each_signature_after_the_change(
    altered: int, place: Path, start_agent: StartAgent
) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    with Store.open(place) as store:
        journal = store.journal
        by = by_agent(agent, ANA, people)
        first = write(store, "one")  # 1
        write(store, "what the watch saw", Author("watch"), Kind.OBSERVATION, "watch")  # 2, signed by nobody
        sign(store, by, [first], "tui")  # 3
        second = write(store, "two")  # 4
        write(store, "his", BEN)  # 5
        sign(store, by, [second], "tui")  # 6
    rewrite(place / "journal.db", journal, altered, lambda body: body.replace(b'"at":"2026', b'"at":"2025'))
    with Store.open(place) as store:
        assert store.verify().ok, "the chain alone cannot tell"
        found = read(store, people)
        assert [one.seq for one in found.wrong] == ([3, 6] if altered < 3 else [6])
        assert all(f"up to number {2 if one.seq == 3 else 5} was altered" in one.sentence for one in found.wrong)


@pytest.mark.parametrize("field", ["commitment", "link", "body"])
def test_a_row_that_is_no_row_any_more_does_not_fit(field: str, store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    sign(store, by_agent(agent, ANA, people), [write(store, "one"), write(store, "two")], "tui")
    store.connection.execute(f"UPDATE entries SET {field} = 7 WHERE seq = 2")
    assert [one.seq for one in read(store, people).wrong] == [3] and not store.verify().ok


def test_an_entry_that_was_altered_by_hand_does_not_count_as_signed(place: Path, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    with Store.open(place) as store:
        sign(store, by_agent(agent, ANA, people), [write(store, "one"), write(store, "two")], "tui")
        store.connection.execute("UPDATE entries SET body = replace(body, 'one', 'two') WHERE seq = 1")
        verdict = store.verify()
        assert [one.seq for one in verdict.problems] == [1]
        found = read(store, people, [one.seq for one in verdict.problems])
        assert list(found.by.values()) == [(2,)] and found.unsigned == (1,)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"entries": "1", "head": 1, "key": "ssh-ed25519 AAAA", "sig": "AAAA"},
        {"entries": "1-999999999999", "head": 1, "key": "x", "sig": "x"},
        {"entries": "2,1", "head": 2},
        {"entries": "1", "head": "one"},
        {"entries": ["1"], "head": None, "key": None, "sig": None},
    ],
)
def test_a_signature_that_is_none_is_named_and_stops_nothing(store: Store, data: dict[str, object]) -> None:
    write(store, "one")
    store.append([Draft(kind=Kind.SIGNATURE, text="", at=AT, author=ANA, data=data)], key="forged")
    found = read(store, [])
    assert [one.seq for one in found.wrong] == [2] and found.unsigned == (1,)
    fold = Fold()
    for entry in store.read():
        fold.apply(entry)
    assert [row.ref.seq for row in fold.incident("2026-11-28-x").rows] == [1]


def test_a_signature_of_other_bytes_does_not_fit(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    (made,) = sign(store, by_agent(agent, ANA, people), [write(store, "one")], "tui")
    write(store, "two")
    sig = bytearray(base64.b64decode(made.data["sig"]))
    sig[-1] ^= 1
    changes: list[dict[str, object]] = [{"sig": base64.b64encode(bytes(sig)).decode()}, {"entries": "3"}]
    changes += [{"head": 4}, {"head": 0}, {"head": 99}]
    for number, change in enumerate(changes):
        store.append(
            [Draft(kind=Kind.SIGNATURE, text="", at=AT, author=ANA, data=made.data | change)], key=f"f{number}"
        )
    assert len(read(store, people).wrong) == 5 and list(read(store, people).by.values()) == [(1,)]


def test_only_ones_own_entries_are_offered_and_nothing_of_the_watch(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    by = by_agent(agent, ANA, people)
    mine = write(store, "mine")
    write(store, "another account under her name", Author("ana", uid=0, account="root"))
    write(store, "ben's", BEN)
    write(store, "said in chat", ANA, Kind.CHAT, "chat")
    assert [one.seq for one in unsigned(store, by)] == [mine]
    sign(store, by, [mine], "tui")
    assert unsigned(store, by) == []


def test_a_signature_is_no_row_of_the_timeline_and_nobody_speaking(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    by = by_agent(agent, ANA, [Person(name="ana", keys=(agent.add(),))])
    declared = Draft(kind=Kind.DECLARE, text="down", at=AT, author=ANA, source="tui", incident="2026-11-28-x")
    store.append([declared], key="d")
    sign(store, by, [1], "tui")
    fold = Fold()
    for entry in store.read():
        fold.apply(entry)
    assert [row.ref.seq for row in fold.incident("2026-11-28-x").rows] == [1]
    assert fold.loose(AT) == [] and fold.signed(Ref(store.journal, 1)) and not fold.signed(Ref(store.journal, 2))


def refusal(store: Store, by: Signs) -> str:
    seq = write(store, "one")
    with pytest.raises(NotSigned) as caught:
        sign(store, by, [seq], "tui")
    assert store.head().seq == seq, "nothing but the signature is missing"
    return caught.value.sentence


def test_an_agent_that_is_gone_or_locked_or_has_another_key(store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    by = by_agent(agent, ANA, people)
    other = start_agent()
    other.add()
    assert "has 1 other keys, not one of ana's" in refusal(store, by_agent(other, ANA, people))
    agent.lock()
    assert "locked" in refusal(store, by)
    agent.end()
    assert "is gone" in refusal(store, by)
    assert "no SSH agent" in refusal(store, msgspec.structs.replace(by, path=lambda: ""))


class Mute:
    """Something at an agent's place that takes connections and answers with `answer`, then with nothing."""

    def __init__(self, path: str, answer: bytes = b"") -> None:
        self.path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._answer = answer
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            while True:
                taken, _ = self._listener.accept()
                self._taken.append(taken)
                taken.sendall(self._answer)
        except OSError:
            return

    def close(self) -> None:
        for one in (self._listener, *self._taken):
            one.close()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "did not answer within 0.2 s"),
        (b"\x00\x00\x00\x09\x0c\x00\x00", "did not answer within 0.2 s"),  # begins, and stops
        (b"\x00\x00\x00\x05\x0c\x00\x00\x00\x07", "no list of keys"),
        (b"\xff\xff\xff\xff\x0c", "no answer"),
        (b"\x00\x00\x00\x01\x63", "something else"),
        (b"\x00\x00\x00\x01\x05", "refused"),
    ],
)
def test_an_agent_that_answers_nothing_or_nonsense_holds_nobody_up(
    answer: bytes, said: str, store: Store, start_agent: StartAgent, tmp_path: Path
) -> None:
    agent = start_agent()
    by = by_agent(agent, ANA, [Person(name="ana", keys=(agent.add(),))])
    mute = Mute(str(tmp_path / "mute"), answer)
    try:
        assert said in refusal(store, msgspec.structs.replace(by, path=lambda: mute.path, seconds=0.2))
    finally:
        mute.close()


def test_which_key_signs(tmp_path: Path, start_agent: StartAgent) -> None:
    agent = start_agent()
    line = agent.add()
    assert signs(JournalSettings(), ANA, []) is None
    with pytest.raises(NotSigned, match="ana has no keys in"):
        signs(ON, ANA, [Person(name="ben", keys=(line,))])
    with pytest.raises(NotSigned, match="is none"):
        signs(ON, ANA, [Person(name="ana", keys=("ssh-ed25519 nonsense",))])
    file = tmp_path / "key.pub"
    with pytest.raises(NotSigned, match="cannot be read"):
        signs(JournalSettings(sign="agent", sign_key=str(file)), ANA, [])
    file.write_text(line + " a comment\n")
    found = signs(JournalSettings(sign="agent", sign_key=str(file)), ANA, [])
    assert found is not None and found.keys == (base64.b64decode(line.split()[1]),)
    private = next(path for path in agent.directory.iterdir() if path.name.startswith("key-") and path.suffix == "")
    with pytest.raises(NotSigned, match="is no public key") as caught:
        signs(JournalSettings(sign="agent", sign_key=str(private)), ANA, [])
    assert "OPENSSH" not in caught.value.sentence


def entries(store: Store, *seqs: int) -> list[Entry]:
    return [entry for entry in store.read() if entry.seq in seqs]


def test_a_screen_signs_at_its_end_what_it_saved_and_says_when_it_cannot(
    place: Path, store: Store, start_agent: StartAgent, tmp_path: Path, until: Callable[..., str]
) -> None:
    agent = start_agent()
    people = [Person(name="ana", keys=(agent.add(),))]
    path = str(tmp_path / "nothing")
    by = msgspec.structs.replace(by_agent(agent, ANA, people), path=lambda: path)
    signing = Signing(lambda: Store.open(place), lambda: by, clock=lambda: AT, every=0.01)
    signing.note(entries(store, write(store, "one"), write(store, "his", BEN)))
    said = until(lambda: signing.problem)
    assert said.startswith("not signed since 03:10Z: the SSH agent of SSH_AUTH_SOCK is gone")
    os.symlink(agent.socket, path)  # the agent is back
    assert signing.close() == ""
    assert list(read(store, people).by.values()) == [(1,)]


def test_one_signature_for_what_was_saved_within_a_while(place: Path, store: Store, start_agent: StartAgent) -> None:
    agent = start_agent()
    by = by_agent(agent, ANA, [Person(name="ana", keys=(agent.add(),))])
    signing = Signing(lambda: Store.open(place), lambda: by, clock=lambda: AT, every=3_600)
    for number in range(20):
        signing.note(entries(store, write(store, f"line {number}")))
    assert signing.close() == "" and store.head().seq == 21
