"""The general alignment: exact on both sides, minimal where that is cheap, bounded where it is not."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.prompt.sequence import differences


def rebuilt(a: Sequence[int], b: Sequence[int]) -> list[int]:
    out: list[int] = []
    at_a = at_b = 0
    for gap in differences(a, b):
        assert gap.a0 - at_a == gap.b0 - at_b >= 0
        assert list(a[at_a : gap.a0]) == list(b[at_b : gap.b0])
        assert list(a[gap.a0 : gap.a1]) != list(b[gap.b0 : gap.b1])
        out += a[at_a : gap.a0]
        out += b[gap.b0 : gap.b1]
        at_a, at_b = gap.a1, gap.b1
    assert list(a[at_a:]) == list(b[at_b:])
    return out + list(a[at_a:])


few = st.lists(st.integers(0, 3), max_size=120)
many = st.lists(st.integers(0, 60), max_size=200)


@given(st.one_of(few, many), st.one_of(few, many))
def test_the_differences_rebuild_the_other_side(a: list[int], b: list[int]) -> None:
    assert rebuilt(a, b) == b


@given(many, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 60)), max_size=8))
def test_edits_of_a_sequence_are_found(a: list[int], edits: list[tuple[int, int]]) -> None:
    b = list(a)
    for at, token in edits:
        b[at % (len(b) + 1) : at % (len(b) + 1)] = [token + 1000]
    assert rebuilt(a, b) == b
    # Insertions of what occurs nowhere else: nothing of a is touched.
    assert all(gap.a0 == gap.a1 for gap in differences(a, b))


def test_equal_sequences_have_no_differences() -> None:
    assert differences([], []) == []
    assert differences([1, 2, 3], [1, 2, 3]) == []


@pytest.mark.parametrize("kind", ["random", "two tokens", "nothing shared", "period", "permutation"])
def test_hostile_input_is_bounded(kind: str) -> None:
    """At 131,072 tokens a quadratic method would take hours; ours needs well under two seconds of CPU."""
    n = 131_072
    rng = random.Random(7)
    pairs = {
        "random": ([rng.randrange(1000) for _ in range(n)], [rng.randrange(1000) for _ in range(n)]),
        "two tokens": ([rng.randrange(2) for _ in range(n)], [rng.randrange(2) for _ in range(n)]),
        "nothing shared": ([1] * n, [2] * n),
        "period": ([1, 2, 3] * (n // 3), [2, 1, 3] * (n // 3)),
        "permutation": (rng.sample(range(n), n), rng.sample(range(n), n)),
    }
    a, b = pairs[kind]
    started = time.process_time()
    assert rebuilt(a, b) == b
    assert time.process_time() - started < 10
