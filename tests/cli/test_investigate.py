"""`changes` and `performance` against machines that answer, and one that does not."""

from __future__ import annotations

import json
from typing import Any


def test_changes_and_performance(staged: Any, program: Any) -> None:
    one = staged("healthy")
    said = program("changes", "web1", "--json", *one.words, check=0)
    found = json.loads(said.stdout)
    assert [each["host"] for each in found["changes"]] == ["web1"]
    assert found["not_read"] == []

    program("declare", "slow", *one.words, "--as", "ana")
    looked = program("performance", "web1", "--dry-run", *one.words)
    assert looked.returncode == 0 and "== top" in looked.stdout and "== memory" in looked.stdout
    done = program("performance", "web1", *one.words, "--as", "ana")
    assert done.returncode == 0, done.stderr
    (handle,) = done.stdout.split()
    shown = json.loads(program("show", "--json", *one.words).stdout)
    (row,) = [row for row in shown["timeline"] if row["handle"] == handle]
    assert row["text"].startswith("performance of web1 at ")


def test_a_host_that_does_not_answer_saves_nothing(staged: Any, program: Any) -> None:
    one = staged("healthy")
    config = one.stage.config
    config.write_text(config.read_text().replace("port = ", "port = 1 # ", 1))
    done = program("performance", "web1", *one.words, check=1)
    assert done.returncode == 1
    assert "nothing was saved" in done.stderr
    assert "Traceback" not in done.stderr
    listed = program("changes", "web1", *one.words, check=1)
    assert (listed.returncode, "not read: web1" in listed.stdout) == (1, True)
