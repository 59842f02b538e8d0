"""The shipped configuration of the servers, on real servers with TLS and nkeys: who may do what, and what is said."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from incident_tui.journal.record import encode, own_records
from incident_tui.replica.connection import connect
from incident_tui.replica.nkey import made, public
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.server_config import User, server_config
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import aloud_subject, subject
from incident_tui.replica.trying import Tried, tried
from tests.nats import Cluster
from tests.replica import test_buckets as buckets
from tests.replica.bastions import Bastion, now, until


def late() -> datetime:
    return now() + timedelta(hours=1)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ca.pem, and server.pem with server.key for 127.0.0.1."""
    directory = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    openssl("req", *key[:4], "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=nats")
    (directory / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl(
        *("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-days", "2", "-out", "server.pem", "-extfile", "names"),
    )
    return directory


class Secured:
    """A cluster with the shipped configuration, and two bastions that it knows."""

    def __init__(self, start: Callable[..., Cluster], certificates: Path, directory: Path, without: str) -> None:
        """`without`: lines with this are not in the configuration."""
        self.certificates = certificates
        self.bastions: list[Bastion] = []
        for letter in "ab":
            seed = directory / f"{letter}.nk"
            assert made(str(seed)) and not made(str(seed))
            self.bastions.append(Bastion(directory / letter, letter, Replica(stream="S", nkey_file=str(seed))))
        users = [
            User(f"bastion-{one.store.letter}", one.store.journal, public(one.settings.nkey_file))
            for one in self.bastions
        ]
        lines = self.without_places(server_config("S", users)).splitlines()
        self.cluster = start(more="\n".join(line for line in lines if not without or without not in line))
        for one in self.bastions:
            one.settings = Replica(
                stream="S",
                servers=tuple(f"tls://127.0.0.1:{node.port}" for node in self.cluster.nodes),
                nkey_file=one.settings.nkey_file,
                ca_file=str(certificates / "ca.pem"),
            )

    def without_places(self, text: str) -> str:
        """What the shipped file says of TLS, users and limits; where the servers are is the test's own."""
        text = text.replace("/etc/nats", str(self.certificates))
        parts = re.split(r"^(?=\w)", text, flags=re.M)
        return "".join(part for part in parts if part.startswith(("max_payload", "tls", "authorization")))


@pytest.fixture
async def secured(
    own_cluster: Callable[..., Cluster], certificates: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Secured]:
    found = await asyncio.to_thread(Secured, own_cluster, certificates, tmp_path, getattr(request, "param", ""))
    yield found
    for one in found.bastions:
        await one.stop()
        one.store.close()


async def test_two_bastions_with_the_shipped_configuration(secured: Secured) -> None:
    a, b = secured.bastions
    a.start()
    b.start()
    (secret,) = a.write("one")
    b.write("two")
    await until(lambda: a.has(b) and b.has(a) and a.well and b.well)
    a.store.purge(secret.id, author=secret.author, reason="a password")
    await until(lambda: b.has(a) and a.well)
    assert b.texts(a)[0] == ""


async def test_two_bastions_agree_who_watches_with_the_shipped_permissions(secured: Secured) -> None:
    a, b = (buckets.Bastion(one.store.journal, one.settings) for one in secured.bastions)
    async with buckets.running(a, b):
        await buckets.until(buckets.together(a, b), (a, b))
        revision = await a.buckets.set("sent.ops", b"claimed", 0)
        assert await b.buckets.get("sent.ops") == (b"claimed", revision)
        await buckets.until(lambda: b.kept.get("sent.ops") == (b"claimed", revision))


async def test_a_board_is_shown_to_the_others_with_the_shipped_permissions(secured: Secured) -> None:
    a, b = secured.bastions
    sessions = [await connect(one.settings, one.settings.servers[0], one.store.journal) for one in (a, b)]
    try:
        heard = await sessions[1].client.subscribe("incident.S.board.*")
        await sessions[1].client.flush()
        await sessions[0].client.publish(f"incident.S.board.{a.store.journal}", b"rows")
        assert (await heard.next_msg(timeout=10)).data == b"rows"
        await sessions[1].client.publish(f"incident.S.board.{a.store.journal}", b"forged")
        await sessions[1].client.flush()
        await until(lambda: "permissions violation" in sessions[1].denied.lower())
    finally:
        for session in sessions:
            await session.client.close()


async def test_check_says_that_all_is_as_it_should_be(secured: Secured) -> None:
    a, b = secured.bastions
    rows = await tried(a.settings, a.store.journal, now)
    assert rows[-1] == ("S", "stream", None, "not there yet; the watch makes it when it connects")
    a.start()
    await until(lambda: a.well)
    rows = await settled(a, now)
    assert [row[1] for row in rows] == ["nats"] * 3 + ["stream", "clock", "own entries", "others'", "aloud"]
    assert all(row[2] for row in rows), rows
    assert all("encrypted" in row[3] for row in rows[:3])
    b.settings = msgspec.structs.replace(a.settings, nkey_file=b.settings.nkey_file)
    wrong = await settled(b, late)
    assert [row[2] for row in wrong] == [True, True, True, True, False, True, True, True]
    assert "differ by 3600 s" in wrong[4][3] or "differ by 3599 s" in wrong[4][3]


async def settled(bastion: Bastion, clock: Callable[[], datetime]) -> list[Tried]:
    """What is tried, once the stream has a leader that answers and servers that have caught up."""
    async with asyncio.timeout(60):
        while True:
            rows = await tried(bastion.settings, bastion.store.journal, clock)
            if len(rows) > 4 and rows[3][2]:
                return rows


async def test_one_bastion_cannot_write_the_entries_of_another(secured: Secured) -> None:
    a, b = secured.bastions
    a.write("one")
    a.start()
    b.start()
    await until(lambda: b.has(a) and a.well)
    await a.stop()
    a.write("never said by a")
    (forged,) = own_records(a.store, 2, 2)
    session = await connect(b.settings, b.settings.servers[0], b.store.journal)
    try:
        with pytest.raises(TimeoutError):
            await session.js.publish(subject("S", a.store.journal), encode(forged), timeout=1.0)
        assert "permissions violation" in session.denied.lower()
        state = (await session.js.stream_info("S")).state
        assert state.messages == 1
    finally:
        await session.client.close()
    assert len(b.texts(a)) == 1


async def test_without_a_leader_each_says_its_own_entries_alone_with_the_shipped_permissions(secured: Secured) -> None:
    a, b = secured.bastions
    a.write("one")
    a.start()
    b.start()
    await until(lambda: b.has(a) and a.well)
    for node in secured.cluster.nodes[1:]:
        node.kill()
    a.write("two")
    await until(lambda: b.has(a))
    session = await connect(b.settings, b.settings.servers[0], b.store.journal)
    try:
        (record,) = own_records(a.store, 2, 2)
        await session.client.publish(aloud_subject("S", a.store.journal), encode(record))
        await session.client.flush()
        await until(lambda: session.mute)
    finally:
        await session.client.close()


@pytest.mark.parametrize("secured", [".aloud."], indirect=True)
async def test_servers_that_were_configured_before_anything_was_said_aloud(secured: Secured) -> None:
    """Entries go over the stream as ever; `check` says what is missing."""
    a, b = secured.bastions
    a.write("one")
    a.start()
    b.start()
    await until(lambda: b.has(a) and a.well and b.well)
    leader = await asyncio.to_thread(secured.cluster.a_leader, "S")
    leader.kill()
    a.write("two")
    await until(lambda: b.has(a) and a.well and b.well)
    leader.start()
    rows = await settled(a, now)
    assert [(row[1], row[2]) for row in rows if not row[2]] == [("aloud", False)], rows
    assert "`incident-tui replica server-config`" in rows[-1][3]


async def test_a_key_that_is_for_another_journal_is_named(secured: Secured) -> None:
    """As after a journal was begun anew with the old key."""
    a, b = secured.bastions
    a.settings = b.settings
    a.write("one")
    a.start()
    await until(lambda: "credentials for another journal" in a.problem)


async def test_who_is_not_known_is_refused_in_one_sentence(secured: Secured, tmp_path: Path) -> None:
    a, _ = secured.bastions
    made(str(tmp_path / "stranger.nk"))
    url = a.settings.servers[0]
    stranger = msgspec.structs.replace(a.settings, nkey_file=str(tmp_path / "stranger.nk"))
    said = await refused(stranger, url)
    assert "refuses the credentials of this bastion" in said
    (tmp_path / "none.nk").write_text("SUANOSEED")
    said = await refused(msgspec.structs.replace(a.settings, nkey_file=str(tmp_path / "none.nk")), url)
    assert "SUANOSEED" not in said
    said = await refused(msgspec.structs.replace(a.settings, nkey_file=str(tmp_path / "nowhere.nk")), url)
    assert "cannot be read" in said
    said = await refused(msgspec.structs.replace(a.settings, ca_file=""), url)
    assert "certificate that is not trusted" in said


async def test_tls_in_the_configuration_means_that_nothing_goes_in_the_clear(
    nats_cluster: Cluster, tmp_path: Path
) -> None:
    """nats-py alone goes on in the clear where the server, or whoever is between, does not ask for TLS."""
    heard: list[bytes] = []

    async def listener(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.9.10","headers":true,"max_payload":1048576}\r\n')
        with contextlib.suppress(OSError):
            heard.append(await reader.read(4096))
        writer.close()

    password = tmp_path / "password"
    password.write_text("geheim")
    password.chmod(0o600)
    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        settings = Replica(servers=(f"tls://127.0.0.1:{port}",), user="a", password_file=str(password))
        assert "does not offer TLS" in await refused(settings, settings.servers[0])
    finally:
        server.close()
    assert not any(b"geheim" in one for one in heard)
    url = nats_cluster.urls[0].replace("nats://", "tls://")
    assert "does not offer TLS" in await refused(Replica(servers=(url,)), url)


async def refused(settings: Replica, url: str) -> str:
    with pytest.raises(ReplicaError) as caught:
        await connect(settings, url, "0123456789abcdef")
    assert "\n" not in caught.value.sentence
    return caught.value.sentence
