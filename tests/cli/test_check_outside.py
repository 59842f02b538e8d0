"""`check` tries the sources of alerts and the listener, and says nothing secret."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.alertmanager import Alertmanager, free_port


def test_it_says_what_works_and_what_does_not(
    program: Any, tmp_path: Path, alertmanager: Callable[..., Alertmanager]
) -> None:
    am, port = alertmanager(), free_port()
    am.post({"alertname": "Down"})
    (tmp_path / "token").write_text("planted-token")
    (tmp_path / "token").chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[listener]\nbind = "127.0.0.1:{port}"\n[[alerts]]\nname = "am"\nurl = "{am.url}"\n'
        f'[[alerts]]\nname = "away"\nurl = "http://127.0.0.1:{free_port()}"\ntoken_file = "token"\n'
        '[[alerts]]\nname = "open"\nkind = "generic"\n'
        '[[alerts]]\nname = "closed"\nkind = "generic"\ntoken_env = "NO_SUCH"\n'
        '[[hooks]]\nname = "chat"\nkind = "zulip"\ntoken_file = "token"\n'
    )
    words = ("check", "--config", str(config), "--journal", str(tmp_path / "journal"))
    out = program(*words, check=1).stdout
    for line in (
        "+ ok   am        alerts        answers; 1 firing, 0 silenced",
        "X FAIL away      alerts        cannot connect",
        "- none open      alerts        /alerts/open takes what anybody on this machine posts",
        "X FAIL closed    alerts        $NO_SUCH is not set",
        f"+ ok   listener  port          127.0.0.1:{port} is free",
        "+ ok   chat      hook          token or secret for /chat/chat is there",
    ):
        assert line in out, out
    assert "planted-token" not in out
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert f"127.0.0.1:{port} is taken: by the watch, when one runs" in program(*words, check=1).stdout
