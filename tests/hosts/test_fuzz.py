"""Every parser on damaged outputs: it reads them or says that it cannot."""

from __future__ import annotations

import pytest

from benchmarks.fuzz import PARSERS, inputs
from incident_tui.hosts.errors import Unreadable


@pytest.mark.parametrize("seed", range(4))
def test_damage_raises_nothing_but_unreadable(seed: int) -> None:
    tried = 0
    for parser, body in inputs(1_000 * len(PARSERS), seed):
        try:
            parser(body)
        except Unreadable:
            pass
        except Exception as problem:
            pytest.fail(f"{parser}: {problem!r} from {body!r}")
        tried += 1
    print(f"{tried:,} damaged inputs")
