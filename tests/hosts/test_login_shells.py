"""The account's own shell only has to start /bin/sh: csh, a noisy profile, a line without its end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

LOGINS = {
    "csh": ["tcsh", "-c", "exec /bin/sh"],
    "bash": ["bash", "-c", "exec /bin/sh"],
    "dash": ["dash", "-c", "exec /bin/sh"],
    "busybox": ["busybox", "ash", "-c", "exec /bin/sh"],
    "noisy": ["bash", "-c", "printf 'Welcome\\nto \\377\\000 web1, no end of line'; stty -a; exec /bin/sh"],
}


@pytest.mark.parametrize("login", sorted(LOGINS))
def test_each_login_shell(login: str, run_probe: Callable[..., Any]) -> None:
    words = LOGINS[login]
    if shutil.which(words[0]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {words[0]}")
        pytest.skip(f"no {words[0]} on this machine")
    running = run_probe(words, PATH="/usr/bin:/bin")
    answer = running.ask("hello", "proc")
    assert set(answer) == {"hello", "proc"}
    assert "limiter timeout" in answer["hello"].body
    assert running.end() == 0
