"""[replica]: what is refused, in one sentence, and where its files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_tui.config import ConfigError, missing_files, parse

FILE = Path("/etc/incident-tui/config.toml")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('servers = ["nats1"]', "replica.servers[0]: 'nats1': write it as tls://NAME:4222"),
        ('servers = ["tls://ana:geheim@nats1:4222"]', "replica.servers[0]"),
        ('stream = "a.b"', "replica.stream: 'a.b'"),
        ("replicas = 0", "replica.replicas: 0: 1 to 5"),
        ('cert_file = "c.pem"', "replica: a client certificate is cert_file and key_file, both"),
        ('user = "a"', "replica: name the password of user"),
        ('user = "a"\npassword_env = "A"\npassword_file = "b"', "replica: name the password by password_env or by"),
        (
            'nkey_file = "n"\ncredentials_file = "c"',
            "replica: credentials_file and nkey_file: a bastion logs in",
        ),
        ('password = "geheim"', "replica: password: a secret may not stand in this file"),
        ('token = "geheim"', "replica: token: a secret may not stand in this file"),
    ],
)
def test_mistakes_are_one_sentence_without_the_secret(lines: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"[replica]\n{lines}\n".encode(), FILE)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_files_are_beside_the_configuration_and_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = '[replica]\nservers = ["tls://n:4222"]\nca_file = "ca.pem"\nnkey_file = "seed.nk"\n'
    settings = parse(text.encode(), path)
    assert settings.replica.ca_file == str(tmp_path / "ca.pem")
    assert any("replica.nkey_file" in one and "cannot be read" in one for one in missing_files(settings, path))
    seed = tmp_path / "seed.nk"
    seed.write_text("SU")
    seed.chmod(0o644)
    assert any("chmod 600" in one for one in missing_files(settings, path))
    seed.chmod(0o600)
    assert not missing_files(settings, path)
