"""[[sync]]: each mistake is one sentence with its place, and what is run there is quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_tui.config import ConfigError, missing_files, parse
from incident_tui.replica.sync_settings import Sync

FILE = Path("/etc/x/config.toml")


def peer(*lines: str, name: str = "bastion-2") -> str:
    return f'[[sync]]\nname = "{name}"\n' + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[sync]]\nport = 22\n", "sync[0].name is missing"),
        (peer("port = 70000"), "sync[0].port: 70000: a port is 1 to 65535"),
        (peer("seconds = 0"), "sync[0].seconds: 0.0: write 1 to 3600"),
        (peer("command = []"), "sync[0].command: name the program there"),
        (peer("host = 'x'"), "sync[0].host: there is no such key"),
        (peer() + peer(), "already the name of sync[0]"),
        (peer(name="nats"), "sync[0].name: 'nats' is what the way over NATS is called"),
        (peer(name="a b"), "use one word of letters"),
    ],
)
def test_a_mistake_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text.encode(), FILE)
    assert said in error.value.sentence and str(FILE) in error.value.sentence


def test_files_are_found_from_the_configuration_and_missed_when_they_are_not_there() -> None:
    settings = parse(peer('identity_file = "keys/sync"', 'known_hosts = "/none"').encode(), FILE)
    assert settings.sync[0].host.identity_file == "/etc/x/keys/sync"
    found = missing_files(settings, FILE)
    assert any("sync[0].identity_file" in one and "no such file" in one for one in found)
    assert any("sync[0].known_hosts" in one for one in found)


def test_what_is_run_there_is_quoted_for_its_shell() -> None:
    one = Sync(name="b", command=("/opt/in cident/tui", "--config", "/x;rm"), journal="$(id)")
    assert one.line == "'/opt/in cident/tui' --config '/x;rm' sync --serve --journal '$(id)'"
