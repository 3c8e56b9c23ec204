"""The difference of two lists of rows, against what it has to give back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.view.splices import MAX_MATCHED, apply_splices, splices

ROWS = st.lists(st.sampled_from([[1, "a"], [2, {"b": None}], "c", 4, []]), max_size=30)


@given(ROWS, ROWS)
def test_it_gives_back_the_new_list(old: list[object], new: list[object]) -> None:
    found = splices(old, new)
    assert apply_splices(old, found) == new
    assert (found == []) == (old == new)


def test_it_sends_only_what_is_new() -> None:
    old = [[n, "row"] for n in range(1000)]
    new = [*old[:100], [-1, "new"], *old[105:700], *old[701:]]
    assert splices(old, new) == [[100, 5, [[-1, "new"]]], [700, 1, []]]


def test_two_long_lists_that_share_nothing_are_not_matched_row_by_row() -> None:
    old = [[n, 0] for n in range(MAX_MATCHED + 10)]
    new = [[n, 1] for n in range(MAX_MATCHED + 10)]
    assert splices(old, new) == [[0, len(old), new]]
