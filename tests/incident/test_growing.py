"""Rows as they were stay as they were, whatever comes later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_tui.incident.growing import Growing


@given(st.lists(st.integers()), st.lists(st.integers()), st.integers(-9, 9), st.slices(8))
def test_it_is_the_list_it_was(items: list[int], more: list[int], index: int, part: slice) -> None:
    was = list(items)
    rows = Growing(items)
    items.extend(more)
    assert (list(rows), len(rows), rows == was, rows[part]) == (was, len(was), True, was[part])
    assert list(reversed(rows)) == was[::-1] and (5 in rows) == (5 in was)
    try:
        expected = was[index]
    except IndexError:
        with pytest.raises(IndexError):
            rows[index]
    else:
        assert rows[index] == expected
    assert (rows == Growing(items)) == (not more)


def test_what_grew_from_what() -> None:
    items = [1, 2]
    first = Growing(items)
    items.append(3)
    second = Growing(items)
    assert second.grew_from(first) and not first.grew_from(second) and first.grew_from(first)
    assert not Growing([1, 2, 3]).grew_from(first) and not second.grew_from((1, 2))
