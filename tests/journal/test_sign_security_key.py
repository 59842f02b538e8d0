"""Signatures of security keys (sk-ssh-ed25519, sk-ecdsa): keys made here as OpenSSH's PROTOCOL.u2f has them, behind an
agent that speaks the agent's protocol. ssh-keygen itself says whether what they sign fits."""

from __future__ import annotations

import base64
import hashlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from incident_tui.cli.signing import fits
from incident_tui.incident.settings import Person
from incident_tui.incident.ssh_key import fingerprint
from incident_tui.journal.settings import JournalSettings
from incident_tui.journal.sign import Signs, sign, signs
from incident_tui.journal.sign_agent import Reader, string
from incident_tui.journal.sign_text import NAMESPACE, armoured, key_line
from incident_tui.journal.sign_verify import Signer, exported, rows_of
from incident_tui.journal.store import Store
from tests.journal.test_sign import ANA, read, write

APPLICATION = b"ssh:"
TOUCHED = 0x01


class Ed25519:
    kind = b"sk-ssh-ed25519@openssh.com"

    def __init__(self) -> None:
        self._key = ed25519.Ed25519PrivateKey.generate()
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.blob = b"".join(map(string, (self.kind, public, APPLICATION)))

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


class Ecdsa:
    kind = b"sk-ecdsa-sha2-nistp256@openssh.com"

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.blob = b"".join(map(string, (self.kind, b"nistp256", point, APPLICATION)))

    def sign(self, data: bytes) -> bytes:
        numbers = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return b"".join(string(one.to_bytes(one.bit_length() // 8 + 1, "big")) for one in numbers)


class KeyAgent:
    """An agent with one security key. It answers like OpenSSH's, also that a touch did not come (`flags` None)."""

    def __init__(self, path: Path, key: Ed25519 | Ecdsa, flags: int | None = TOUCHED) -> None:
        self.path, self.key, self.flags, self.counter = str(path), key, flags, 6
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                while length := stream.read(4):
                    stream.write(string(self._answer(stream.read(int.from_bytes(length, "big")))))
                    stream.flush()

    def _answer(self, request: bytes) -> bytes:
        asked = Reader(request[1:])
        if request[0] == 11:
            return b"\x0c" + (1).to_bytes(4, "big") + string(self.key.blob) + string(b"a security key")
        key, data = asked.string(), asked.string()
        if request[0] != 13 or key != self.key.blob or self.flags is None:
            return b"\x05"
        self.counter += 1
        told = bytes([self.flags]) + self.counter.to_bytes(4, "big")
        signed = hashlib.sha256(APPLICATION).digest() + told + hashlib.sha256(data).digest()
        return b"\x0e" + string(string(self.key.kind) + string(self.key.sign(signed)) + told)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


Start = Callable[..., KeyAgent]


@pytest.fixture
def key_agent(tmp_path: Path) -> Iterator[Start]:
    started: list[KeyAgent] = []

    def start(key: Ed25519 | Ecdsa, flags: int | None = TOUCHED) -> KeyAgent:
        started.append(KeyAgent(tmp_path / f"key-agent-{len(started)}", key, flags))
        return started[-1]

    yield start
    for one in started:
        one.close()


def by(agent: KeyAgent, people: list[Person]) -> Signs:
    found = signs(JournalSettings(sign="agent"), ANA, people)
    assert found is not None
    return msgspec.structs.replace(found, path=lambda: agent.path)


def ana(key: Ed25519 | Ecdsa) -> list[Person]:
    return [Person(name="ana", keys=(key_line(key.blob),))]


@pytest.mark.parametrize("flags", [TOUCHED, 0])  # 0: a key that was made with -O no-touch-required
@pytest.mark.parametrize("made", [Ed25519, Ecdsa])
def test_what_a_security_key_signed_is_named_with_its_author(
    made: Callable[[], Ed25519 | Ecdsa], flags: int, store: Store, key_agent: Start, tmp_path: Path
) -> None:
    key = made()
    people = ana(key)
    seq = write(store, "one")
    (entry,) = sign(store, by(key_agent(key, flags), people), [seq], "tui")
    found = read(store, people)
    assert found.by == {Signer("ana", fingerprint(people[0].keys[0]), known=True): (1,)} and not found.wrong

    out = exported(rows_of(store, store.journal), store.journal, entry.seq)
    assert out is not None
    _, message, blob, signature = out
    signer, written = tmp_path / "signer", tmp_path / "sig"
    signer.write_text(f'ana namespaces="{NAMESPACE}" {key_line(blob)}\n')
    written.write_text(armoured(blob, signature))
    words = ["ssh-keygen", "-Y", "verify", "-f", str(signer), "-I", "ana", "-n", NAMESPACE, "-s", str(written)]
    told = subprocess.run(words, input=message, capture_output=True)
    assert told.returncode == 0 and b"Good" in told.stdout, told.stderr


@pytest.mark.parametrize("made", [Ed25519, Ecdsa])
def test_neither_the_text_nor_the_counter_nor_the_touch_can_be_altered(
    made: Callable[[], Ed25519 | Ecdsa], store: Store, key_agent: Start
) -> None:
    key = made()
    (entry,) = sign(store, by(key_agent(key), ana(key)), [write(store, "one")], "tui")
    message, signature = b"the text", base64.b64decode(entry.data["sig"])
    agent = KeyAgent.__new__(KeyAgent)
    agent.key, agent.flags, agent.counter = key, TOUCHED, 0
    answer = agent._answer(b"\x0d" + string(key.blob) + string(message) + bytes(4))
    good = Reader(answer[1:]).string()
    assert fits(key.blob, message, good)
    assert not fits(key.blob, message, signature) and not fits(key.blob, b"another", good)
    for at in (-1, -5, len(good) // 2):
        bad = bytearray(good)
        bad[at] ^= 2
        assert not fits(key.blob, message, bytes(bad))
    assert not fits(made().blob, message, good) and not fits(key.blob, message, good + b"\x00")


def test_a_touch_that_does_not_come_costs_the_signature_alone(store: Store, key_agent: Start) -> None:
    from incident_tui.journal.sign_agent import NotSigned

    key = Ed25519()
    seq = write(store, "one")
    with pytest.raises(NotSigned, match="refused"):
        sign(store, by(key_agent(key, None), ana(key)), [seq], "tui")
    assert store.head().seq == seq
