"""The tables of alerts, rules, listener and hooks: each mistake is one sentence, and no secret may stand there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from incident_tui.config import ConfigError, missing_files, parse

FILE = Path("config.toml")
BIND = '[listener]\nbind = "127.0.0.1:8099"\n'
HOOK = f'{BIND}[[hooks]]\nname = "h"\nkind = "mattermost"\n'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[[alerts]]\nname = "a"\nkind = "prometheus"\nurl = "http://x"', ("alerts[0].kind", "alertmanager, grafana")),
        ('[[alerts]]\nname = "a"', ("alerts[0]", "nothing would ever come")),
        ('[[alerts]]\nname = "a"\nurl = "am:9093"', ("alerts[0].url", "http://NAME:PORT")),
        ('[[alerts]]\nname = "a"\nurl = "http://u:p@am"', ("alerts[0].url",)),
        ('[[alerts]]\nname = "a"\nkind = "grafana"\nurl = "http://x"', ("alerts[0].url", "only kind alertmanager")),
        ('[[alerts]]\nname = "a"\nurl = "http://x"\nseconds = 0', ("alerts[0].seconds", "above 0")),
        ('[[alerts]]\nname = "a"\nurl = "http://x"\nmatchers = ["x y"]', ("alerts[0].matchers", "severity=")),
        ('[[alerts]]\nname = "a"\nurl = "http://x"\nauth = "digest"', ("alerts[0].auth", "bearer, basic")),
        ('[[alerts]]\nname = "a"\nurl = "http://x"\ntoken_env = "T"\ntoken_file = "t"', ("alerts[0]", "not both")),
        ('[[alerts]]\nname = "a"\nurl = "http://x"\n[[alerts]]\nname = "a"\nurl = "http://y"', ("alerts[1].name",)),
        (f'{BIND}[[alerts]]\nname = "a"\nkind = "pagerduty"', ("alerts[0]", "signing secret")),
        ('[[alert_rules]]\nmatch = { x = "~(" }', ("alert_rules[0].match.x", "no regular expression")),
        ('[[alert_rules]]\nlevel = "bad"', ("alert_rules[0].level", "crit, warn, info")),
        ("[[alert_rules]]\nignore = true\ndeclare = true", ("alert_rules[0]", "both")),
        ("[[alert_rules]]\nseverity = 9", ("alert_rules[0].severity", "no severity 9")),
        ('[listener]\nbind = "localhost"', ("listener.bind", "127.0.0.1:8099")),
        ('[listener]\nbind = "127.0.0.1:99999"', ("listener.bind", "no port")),
        ('[listener]\nbind = "127.0.0.1:1"\ncert = "c"', ("listener", "both cert and key")),
        ('[listener]\nbind = "0.0.0.0:8099"', ("listener", "TLS", "127.0.0.1")),
        ('[listener]\nbind = "[::]:8099"', ("listener", "TLS")),
        ('[[hooks]]\nname = "h"\nkind = "slack"\nsecret_env = "S"', ("hooks[0]", "set bind in [listener]")),
        (f"{HOOK}", ("hooks[0]", "token_env or token_file")),
        (f'{HOOK}secret_env = "S"', ("hooks[0]", "token_env or token_file")),
        (f'{HOOK}token_env = "T"\ntake = ["some"]', ("hooks[0].take", "prefix, reaction")),
        (f'{HOOK}token_env = "T"\npeople = {{ u = "zoe" }}', ("hooks[0].people", "zoe")),
        (f'{BIND}[[hooks]]\nname = "h"\nkind = "irc"\ntoken_env = "T"', ("hooks[0].kind", "slack, mattermost")),
        (f'{BIND}[[hooks]]\nname = "h"\nkind = "slack"', ("hooks[0]", "signing secret")),
    ],
)
def test_a_mistake_is_one_sentence(text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), FILE)
    sentence = caught.value.sentence
    assert "\n" not in sentence and all(part in sentence for part in parts), sentence


def test_another_address_than_loopback_needs_tls_and_a_token_for_each_source() -> None:
    tls = '[listener]\nbind = "0.0.0.0:8099"\ncert = "c"\nkey = "k"\n'
    source = '[[alerts]]\nname = "a"\nkind = "generic"\n'
    with pytest.raises(ConfigError, match="name a token for it"):
        parse(f"{tls}{source}".encode(), FILE)
    assert parse(f'{tls}{source}token_env = "T"\n'.encode(), FILE).listener.cert.endswith("/c")
    assert parse(f'{tls}token_file = "t"\n{source}'.encode(), FILE).alerts
    assert parse(f'[listener]\nbind = "[::1]:8099"\n{source}'.encode(), FILE).listener.loopback


@pytest.mark.parametrize("line", ['token = "abc"', 'secret = "abc"', 'password = "abc"'])
@pytest.mark.parametrize("table", ["[[alerts]]", "[[hooks]]", "[listener]"])
def test_a_secret_in_the_file_is_refused_and_not_repeated(table: str, line: str) -> None:
    with pytest.raises(ConfigError, match="a secret may not stand in this file") as caught:
        parse(f'{table}\nname = "a"\n{line}\n'.encode(), FILE)
    assert "abc" not in caught.value.sentence


def test_check_names_each_secret_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    for name, mode in (("token", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("x")
        os.chmod(tmp_path / name, mode)
    path.write_text(
        f'{BIND}token_file = "token"\n[[alerts]]\nname = "a"\nsecret_env = "NO_SUCH"\n'
        '[[hooks]]\nname = "h"\nkind = "zulip"\ntoken_file = "open"\n'
        '[[hooks]]\nname = "i"\nkind = "zulip"\ntoken_file = "none"\n'
    )
    first, second, third = missing_files(parse(path.read_bytes(), path), path)
    assert "alerts[0].secret_env = NO_SUCH: this variable is not set" in first
    assert "hooks[0].token_file" in second and "chmod 600" in second
    assert "hooks[1].token_file" in third and "cannot be read" in third
