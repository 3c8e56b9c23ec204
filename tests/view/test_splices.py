"""The difference of two lists of rows, against what it has to give back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.view.splices import apply_splices, splices

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


def test_rows_that_moved_are_sent_once() -> None:
    old = [[n, "row"] for n in range(1000)]
    new = [*old[:100], *old[200:], *old[100:200]]
    found = splices(old, new)
    assert apply_splices(old, found) == new
    assert sum(len(rows) for _, _, rows in found) == 100


def test_every_second_row_that_changed_is_sent_and_no_other() -> None:
    old = [[n % 7, n // 3] for n in range(1000)]
    new = [[-1, n] if n % 2 else row for n, row in enumerate(old)]
    assert splices(old, new) == [[n, 1, [[-1, n]]] for n in range(1, 1000, 2)]


def test_a_row_among_many_that_are_alike_is_found() -> None:
    old = [[0, 1]] * 500 + [[2, 2]] + [[0, 1]] * 500
    new = [[0, 1]] * 500 + [[3, 3], [2, 2]] + [[0, 1]] * 300 + [[4, 4]] + [[0, 1]] * 200
    assert splices(old, new) == [[500, 0, [[3, 3]]], [801, 0, [[4, 4]]]]


def test_two_long_lists_that_share_nothing_are_one_change() -> None:
    old = [[n, 0] for n in range(5000)]
    new = [[n, 1] for n in range(5000)]
    assert splices(old, new) == [[0, len(old), new]]
