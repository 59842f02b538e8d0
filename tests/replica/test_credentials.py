"""The other ways to log in, on real servers: .creds files of an operator's accounts, and certificates of clients."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import nkeys
import pytest

from incident_tui.journal.record import encode, own_records
from incident_tui.replica.connection import connect
from incident_tui.replica.problem import ReplicaError
from incident_tui.replica.server_config import may_publish, may_subscribe
from incident_tui.replica.settings import Replica
from incident_tui.replica.stream import subject
from tests.nats import Cluster
from tests.replica.bastions import Bastion, until
from tests.replica.test_security import certificates

__all__ = ["certificates"]
ANY = {"subs": -1, "data": -1, "payload": -1}


class Key:
    """An nkey that signs for who stands below it, as the operator's tools do."""

    def __init__(self, kind: int) -> None:
        self.seed = nkeys.encode_seed(os.urandom(32), kind)
        self._pair = nkeys.from_seed(bytearray(self.seed))
        self.public = self._pair.public_key.decode()

    def token(self, of: Key, name: str, **said: Any) -> str:
        claims = {"jti": name, "iat": 1, "iss": self.public, "sub": of.public, "name": name, "nats": said}
        text = b".".join(_part(one) for one in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims))
        return (text + b"." + _base64(self._pair.sign(text))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _part(value: object) -> bytes:
    return _base64(json.dumps(value).encode())


def account_of(operator: Key, name: str, storage: int) -> tuple[Key, str]:
    key = Key(nkeys.PREFIX_BYTE_ACCOUNT)
    limits = ANY | {"imports": -1, "exports": -1, "wildcards": True, "conn": -1, "leaf": -1}
    limits |= {"mem_storage": storage, "disk_storage": storage, "streams": storage, "consumer": storage}
    return key, operator.token(key, name, type="account", version=2, limits=limits)


def credentials(account: Key, journal: str, path: Path) -> None:
    key = Key(nkeys.PREFIX_BYTE_USER)
    allowed = {"pub": {"allow": may_publish("S", journal)}, "sub": {"allow": may_subscribe("S", journal)}}
    token = account.token(key, journal, type="user", version=2, **ANY, **allowed)
    path.write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{key.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    path.chmod(0o600)


async def test_bastions_with_credentials_files_and_one_that_forges(
    own_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    operator = Key(nkeys.PREFIX_BYTE_OPERATOR)
    (system, system_token), (account, token) = account_of(operator, "SYS", 0), account_of(operator, "bastions", -1)
    config = (
        f"operator: {operator.token(operator, 'team', type='operator', version=2)}\n"
        f"system_account: {system.public}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {system.public}: {system_token}, {account.public}: {token} }}\n"
    )
    cluster = await asyncio.to_thread(own_cluster, more=config)
    a, b = (Bastion(tmp_path / letter, letter, Replica(stream="S")) for letter in "ab")
    for one in (a, b):
        path = tmp_path / f"{one.store.letter}.creds"
        credentials(account, one.store.journal, path)
        one.settings = Replica(stream="S", servers=tuple(cluster.urls), credentials_file=str(path))
    try:
        a.write("one")
        b.write("two")
        a.start()
        b.start()
        await until(lambda: a.has(b) and b.has(a) and a.well and b.well)
        await a.stop()
        a.write("never said by a")
        (forged,) = own_records(a.store, 2, 2)
        session = await connect(b.settings, cluster.urls[0], b.store.journal)
        try:
            with pytest.raises(TimeoutError):
                await session.js.publish(subject("S", a.store.journal), encode(forged), timeout=1)
            assert "permissions violation" in session.denied
        finally:
            await session.client.close()
        nobody = msgspec.structs.replace(a.settings, credentials_file="")
        with pytest.raises(ReplicaError, match="refuses the credentials"):
            await connect(nobody, cluster.urls[0], a.store.journal)
    finally:
        for one in (a, b):
            await one.stop()
            one.store.close()


async def test_a_bastion_shows_its_certificate_where_the_servers_ask_for_one(
    own_cluster: Callable[..., Cluster], certificates: Path, tmp_path: Path
) -> None:
    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=tmp_path, check=True, capture_output=True)

    ca = ("-CA", f"{certificates}/ca.pem", "-CAkey", f"{certificates}/ca.key", "-CAcreateserial")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", *key, "-keyout", "me.key", "-out", "me.csr", "-subj", "/CN=bastion-a")
    openssl("x509", "-req", "-in", "me.csr", *ca, "-days", "2", "-out", "me.pem")
    server = f"cert_file: '{certificates}/server.pem', key_file: '{certificates}/server.key'"
    cluster = await asyncio.to_thread(
        own_cluster, more=f"tls {{ {server}, ca_file: '{certificates}/ca.pem', verify: true, timeout: 5 }}\n"
    )
    urls = tuple(url.replace("nats://", "tls://") for url in cluster.urls)
    bare = Replica(stream="S", servers=urls, ca_file=str(certificates / "ca.pem"))
    shown = msgspec.structs.replace(bare, cert_file=str(tmp_path / "me.pem"), key_file=str(tmp_path / "me.key"))
    with pytest.raises(ReplicaError) as caught:
        await connect(bare, urls[0], "0123456789abcdef")
    assert "\n" not in caught.value.sentence
    a = Bastion(tmp_path / "a", "a", shown)
    try:
        a.write("one")
        a.start()
        await until(lambda: a.well)
    finally:
        await a.stop()
        a.store.close()
