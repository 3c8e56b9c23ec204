"""Every input costs linear time: no case of this folder takes more than six times as long for four times as much."""

from __future__ import annotations

import pytest

from .harness import FLOOR_S, MOST, Case, grown, load


@pytest.mark.parametrize("name", list(load()))
def test_it_grows_with_its_input_and_no_faster(name: str) -> None:
    n, small, large = grown(load()[name])
    assert large <= MOST * max(small, FLOOR_S), f"{small:.3f} s at {n:,}, {large:.3f} s at {4 * n:,}"


def test_there_are_enough_of_them() -> None:
    assert len(load()) >= 60


def test_what_grows_as_the_square_is_seen() -> None:
    """The ratchet itself: a loop in a loop is above the line, a loop is not."""
    square = Case("square", lambda n: n, lambda n: [0 for _ in range(n) for _ in range(n)], n=1_000, most=1_000)
    line = Case("line", lambda n: n, lambda n: [0 for _ in range(n) for _ in range(20)], n=100, most=64_000)
    for one, expected in ((square, True), (line, False)):
        _, small, large = grown(one)
        assert (large > MOST * max(small, FLOOR_S)) is expected, one.name
