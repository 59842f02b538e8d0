"""config.toml: what is read, and the one sentence each mistake gets."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import tomli

from incident_tui.config import ConfigError, Settings, load, locate, missing_files, parse
from incident_tui.shipped import shipped

FILE = Path("config.toml")
ROSTER = '[[people]]\nname = "ana"\n[[rosters]]\nname = "ops"\nfirst = "2026-01-05"\npeople = ["ana"]\n'
URL = 'url_env = "X"'
TOKEN = 'token_env = "X"'
SERVER = 'server = "https://x"'


def chat(*lines: str) -> str:
    return "\n".join(['[[chat]]\nname = "c"', *lines])


OVERRIDE = '[[rosters.overrides]]\nwho = "ana"\nsince = "2026-12-24 09:00"\nuntil = "2026-12-27 09:00"\n'


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), FILE)
    assert "\n" not in caught.value.sentence
    return caught.value.sentence


def test_the_shipped_example_is_valid_and_names_every_setting() -> None:
    path = shipped("config.toml")
    settings = load(path)
    data = tomli.loads(path.read_text())
    assert [host.name for host in settings.hosts] == ["web1", "web2", "web3", "build1"]
    for table in msgspec.structs.fields(Settings):
        written = data[table.name]
        kind = table.type
        struct = kind.__args__[0] if getattr(kind, "__args__", None) else kind
        first = written[0] if isinstance(written, list) else written
        known = {field.name for field in msgspec.structs.fields(struct)}
        assert known == set(first), f"[{table.name}] of the example must show each of its settings"


def test_an_empty_file_is_a_valid_configuration() -> None:
    assert parse(b"", FILE) == Settings()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('[[hosts]]\nname = "a"\nadress = "x"', ("hosts[0].adress", "did you mean address?")),
        ("[jurnal]\nx = 1", ("jurnal", "did you mean journal?")),
        ('[commands]\nmode = "ask"', ("commands.mode: 'ask'", "confirm")),
        ('[commands]\nkeys = "theirs"', ("commands.keys: 'theirs'", "own")),
        ("[commands]\nseconds = 0", ("commands.seconds = 0", "1 or more")),
        ('[commands.roles]\npilot = "off"', ("commands.roles: 'pilot'", "operations")),
        ('[commands.roles]\ncommander = "no"', ("commands.roles.commander: 'no'", "off")),
        ('[commands]\nread = ["cat \'a"]', ("commands.read[0]", "as a shell splits them")),
        ("[watch]\nzzzz = 1", ("watch.zzzz", "hold_seconds")),
        ('[[hosts]]\nname = "a"\nport = "22"', ("hosts[0].port = '22'", "whole number")),
        ('[thresholds]\nmemory_warn = "x"', ("thresholds.memory_warn = 'x'", "a number")),
        ('[[hosts]]\naddress = "x"', ("hosts[0].name is missing",)),
        ('[[hosts]]\nname = "a"\n[[hosts]]\nname = "A"', ("hosts[1].name = 'A'", "hosts[0]")),
        ('[[hosts]]\nname = "a b"', ("hosts[0].name = 'a b'", "one word")),
        ('[[hosts]]\nname = "a"\nroles = ["glustr"]', ("hosts[0].roles", "did you mean gluster?")),
        ('[[hosts]]\nname = "a"\nport = 99999', ("hosts[0].port = 99999",)),
        ('[[hosts]]\nname = "web1"\n[[sites]]\nname = "s"\nurl = "http://x"\nhosts = ["web"]', ("did you mean web1?",)),
        ('[[sites]]\nname = "s"\nurl = "ftp://x"', ("sites[0].url = 'ftp://x'", "https://")),
        ('[[chat]]\nname = "c"\nurl = "https://example/x"', ("chat[0].url", "url_env")),
        ('[[chat]]\nname = "c"\ntoken = "zzz"', ("chat[0].token", "secret")),
        ('[[chat]]\nname = "c"', ("chat[0]", "url_env or by url_file")),
        (chat('kind = "slak"', URL), ("chat[0].kind", "did you mean slack?")),
        (chat('kind = "matrix"'), ("chat[0]: name the token", "token_env or by token_file")),
        (chat('kind = "matrix"', TOKEN), ("chat[0].server is missing", "matrix needs it")),
        (chat('kind = "matrix"', TOKEN, SERVER, 'room = "#ops:x"'), ("chat[0].room", "begins with !")),
        (chat('kind = "matrix"', TOKEN, 'server = "x"', 'room = "!r"'), ("chat[0].server", "https://name")),
        (chat('kind = "matrix"', TOKEN, URL, SERVER, 'room = "!r"'), ("chat[0].url_env", "matrix has no url")),
        (chat('kind = "zulip"', TOKEN, SERVER, 'account = "b@x"'), ("chat[0].stream is missing",)),
        (chat('kind = "slack"', URL, 'room = "x"'), ("chat[0].room", "slack does not use it")),
        (chat('kind = "slack"', URL, "seconds = 5.0"), ("chat[0].seconds", "does not use it")),
        (chat('kind = "slack"', URL, 'url_file = "x"'), ("chat[0]", "one of the two")),
        (chat('kind = "command"'), ("chat[0].command is missing",)),
        (chat('kind = "command"', 'command = ["notify", "-s", "to {tag}"]'), ("chat[0].command", "whole argument")),
        (chat('kind = "command"', 'command = ["{tag}"]'), ("chat[0].command", "the program")),
        (chat('kind = "command"', 'command = ["x"]', "seconds = 0.0"), ("chat[0].seconds",)),
        (chat('kind = "file"'), ("chat[0].path is missing",)),
        (chat(URL, 'audiences = ["publik"]'), ("chat[0].audiences", "did you mean public?")),
        (chat(URL, "seconds_between = -1.0"), ("chat[0].seconds_between",)),
        (chat(URL, "seconds_between = nan"), ("chat[0].seconds_between",)),
        (chat(URL, "coalesce = 1"), ("chat[0].coalesce",)),
        (chat('account = "x"', 'password = "zzz"'), ("chat[0].password", "token_env")),
        ('[command]\nroles = ["ic"]', ("command.roles = 'ic'", "the commander is always there")),
        ("[command]\nack_minutes = -1", ("command.ack_minutes", "0 or more")),
        (ROSTER.replace('["ana"]', '["anna"]'), ("rosters[0].people", "did you mean ana?")),
        (ROSTER.replace("2026-01-05", "soon"), ("rosters[0].first = 'soon'", "2026-01-05")),
        (ROSTER + 'time_zone = "Mars"', ("rosters[0].time_zone = 'Mars'", "Europe/Madrid")),
        (ROSTER + 'handover = "noon"', ("rosters[0].handover = 'noon'", "monday 09:00")),
        (ROSTER + OVERRIDE.replace("2026-12-24 09:00", "x"), ("rosters[0].overrides[0].since = 'x'",)),
        (ROSTER + OVERRIDE.replace("2026-12-27", "2026-12-23"), ("rosters[0].overrides[0]", "ends before it begins")),
        ('[[chat]]\nname = "c"\nurl_env = "X"\nsend = ["updates"]', ("did you mean update?",)),
        ('[[sites]]\nname = "s"\nurl = "http://bob:hunter2@x/"', ("sites[0].url", "secret")),
        ('[[people]]\nname = "a"\ntime_zone = "Mars/Olympus"', ("people[0].time_zone", "Europe/Madrid")),
        ('[journal]\nletter = "Q7"', ("journal.letter = 'Q7'",)),
        ("[fleet]\ngluster_seconds = 5", ("fleet.gluster_seconds", "30")),
        ("[fleet]\nfast_seconds = -1", ("fleet.fast_seconds", "above 0")),
        ("[thresholds]\nmemory_warn = 99.0", ("thresholds.memory_warn", "memory_crit")),
        ("[thresholds]\nmemory_warn = nan", ("thresholds.memory_warn", "above 0")),
        ("severities = []", ("severities",)),
        ("hosts = 1", ("hosts = 1", "a list")),
        ("a = ", ("not valid TOML",)),
    ],
)
def test_a_mistake_is_one_sentence_with_file_key_value_and_remedy(text: str, parts: tuple[str, ...]) -> None:
    sentence = refusal(text)
    assert sentence.startswith("config.toml")
    for part in parts:
        assert part in sentence


def test_a_secret_in_the_file_is_never_repeated() -> None:
    assert "hunter2" not in refusal('[[sites]]\nname = "s"\nurl = "http://bob:hunter2@x/"')
    assert "zzz" not in refusal('[[chat]]\nname = "c"\npassword = "zzz"')


def test_bytes_that_are_not_text_name_the_line() -> None:
    with pytest.raises(ConfigError, match=r"line 2: not UTF-8"):
        parse(b'[journal]\nletter = "\xff"', FILE)


def test_a_hostile_key_cannot_reach_the_terminal() -> None:
    assert "\x1b" not in refusal('[journal]\n"\\u001b]52;c;x\\u0007" = 1')


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[journal]\ndirectory = "j"\n[[hosts]]\nname = "a"\nidentity_file = "keys/id"\n')
    settings = load(path)
    assert settings.journal.directory == str(tmp_path / "j")
    assert settings.hosts[0].identity_file == str(tmp_path / "keys/id")


def test_files_that_cannot_be_read_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ITUI_TEST_URL", raising=False)
    secret = tmp_path / "url"
    secret.write_text("x")
    secret.chmod(0o644)
    path = tmp_path / "c.toml"
    path.write_text(
        '[[hosts]]\nname = "a"\nidentity_file = "nokey"\n'
        '[[chat]]\nname = "c"\nurl_env = "ITUI_TEST_URL"\n[[chat]]\nname = "d"\nurl_file = "url"\n'
    )
    problems = missing_files(load(path), path)
    assert [problem.split(": ")[1].split(" ")[0] for problem in problems] == [
        "hosts[0].identity_file",
        "chat[0].url_env",
        "chat[1].url_file",
    ]
    assert "chmod 600" in problems[2]


def test_the_search_order(tmp_path: Path) -> None:
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    user = home / ".config" / "incident-tui" / "config.toml"
    user.parent.mkdir(parents=True)
    cwd.mkdir()
    assert locate(None, {}, cwd, home) is None or str(locate(None, {}, cwd, home)).startswith("/etc/")
    user.write_text("")
    assert locate(None, {}, cwd, home) == user
    (cwd / "config.toml").write_text("")
    assert locate(None, {}, cwd, home) == cwd / "config.toml"
    other = tmp_path / "other.toml"
    other.write_text("")
    assert locate(None, {"INCIDENT_TUI_CONFIG": str(other)}, cwd, home) == other
    assert locate(str(user), {"INCIDENT_TUI_CONFIG": str(other)}, cwd, home) == user


def test_a_named_file_that_is_missing_is_an_error_not_a_fallback(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(ConfigError, match="--config"):
        locate(str(tmp_path / "nope.toml"), {}, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="INCIDENT_TUI_CONFIG"):
        locate(None, {"INCIDENT_TUI_CONFIG": str(tmp_path / "nope")}, tmp_path, tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        ('kind = "matrix"', TOKEN, SERVER, 'room = "!withoutserver"'),
        ('kind = "zulip"', TOKEN, SERVER, 'account = "b@x"', 'stream = "ops"', 'topic = "t"'),
        ('kind = "slack-api"', 'token_file = "t"', 'room = "C1"'),
        ('kind = "discord"', URL, 'thread_id = "1"'),
        ('kind = "command"', 'command = ["./notify", "{tag}", "x"]', "seconds = 5.0"),
        ('kind = "file"', 'path = "updates"', 'send = ["all", "card"]'),
        ("seconds_between = 0.5", "coalesce = 0", URL, "threads = false"),
    ],
)
def test_chats_of_every_sort(lines: tuple[str, ...]) -> None:
    (sink,) = parse(chat(*lines).encode(), FILE).chat
    for path in (sink.url_file, sink.token_file, sink.path, *sink.command[:1]):
        assert not path or path.startswith("/")


def room(*lines: str, base: str = 'kind = "matrix"\nserver = "https://m.example"\nchannels = ["!a:m.example"]') -> str:
    return f'[[rooms]]\nname = "ops"\n{base}\n' + "\n".join(lines)


TOKEN = 'token_env = "T"'
SLACK = 'kind = "slack"\nchannels = ["C0123456789"]'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (room(), "rooms[0]: name the token by token_env or by token_file, one of the two"),
        (room(TOKEN, 'token = "xyz"'), "a secret may not stand in this file"),
        (room(TOKEN, 'app_token_env = "A"'), "rooms[0]: only slack has an app-level token"),
        (room(TOKEN, 'account = "bot@z.example"'), "rooms[0].account: only zulip has it"),
        (room(TOKEN, 'take = ["some"]'), "rooms[0].take: 'some' is not known"),
        (room(TOKEN, 'people = { "@a:m" = "nobody" }'), "rooms[0].people: 'nobody' is no name from [[people]]"),
        (room(TOKEN, "back_fill_hours = 0"), "rooms[0].back_fill_hours: write a number of hours above 0"),
        (room(TOKEN, base='kind = "matrix"\nserver = "m"\nchannels = ["!a:m"]'), "write it as https://NAME"),
        (room(TOKEN, base='kind = "irc"\nchannels = ["#a"]'), "rooms[0].kind: 'irc' is not known"),
        (room(TOKEN, base='kind = "matrix"\nchannels = ["ops"]'), "rooms[0].channels: 'ops': write a room"),
        (room(TOKEN, base='kind = "zulip"\nserver = "https://z"\nchannels = ["a"]'), "rooms[0].account: the bot's"),
        (room(TOKEN, base=SLACK), "rooms[0]: name the app-level token"),
    ],
)
def test_mistakes_in_rooms_are_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), FILE)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_rooms_of_every_kind() -> None:
    texts = [
        room(TOKEN),
        room(
            'token_file = "t"',
            base='kind = "mattermost"\nserver = "https://m"\nchannels = ["abcdefghijklmnopqrstuvwxyz"]',
        ),
        room(TOKEN, 'app_token_file = "a"', base=SLACK),
        room(TOKEN, 'account = "b@z"', base='kind = "zulip"\nserver = "https://z"\nchannels = ["incidents"]'),
    ]
    for text in texts:
        (one,) = parse(text.encode(), FILE).rooms
        assert all(not file or file.startswith("/") for file in (one.token_file, one.app_token_file))
