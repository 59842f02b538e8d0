"""Outputs as people paste them, of versions and commands that no lab here has; pastes/*.txt holds each with what is to
be said of it. Shaped after issues, lists and manuals; names are made up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from incident_tui.hosts.errors import Unreadable
from incident_tui.hosts.explain import explain

NOW = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)
FILES = sorted((Path(__file__).parent / "pastes").glob("*.txt"))


def samples() -> dict[str, tuple[str, list[str]]]:
    """Name -> the output, and what is said of it: "LEVEL sentence", or "KIND: sentence" where it is an error."""
    out = {}
    for file in FILES:
        parts = file.read_bytes().decode().split("==== ")[1:]
        for sample, expected in zip(parts[::2], parts[1::2], strict=True):
            name, _, body = sample.partition("\n")
            out[f"{file.stem} {name}"] = (body, expected.removeprefix("says\n").splitlines())
    return out


SAMPLES = samples()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_says_what_stands_in_it(name: str) -> None:
    body, expected = SAMPLES[name]
    try:
        said = [f"{one.level.value} {one.sentence}" for one in explain(body, NOW).said]
    except Unreadable as problem:
        said = [f"{problem.kind.value}: {problem.sentence}"]
    assert said == expected
