"""Two rounds of edits as one, against doing one after the other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.tokens import Edit, apply_edits
from inspector.tokens.spans import Marked, Origins, compose


@st.composite
def edits_of(draw: st.DrawFn, length: int, prefix: str) -> list[Marked]:
    """Sorted edits without overlap of a sequence of ``length``; the ids they write are negative."""
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=8)))
    if len(cuts) % 2:
        cuts.pop()
    marked = []
    for number, (start, end) in enumerate(zip(cuts[::2], cuts[1::2], strict=True)):
        ids = draw(st.lists(st.integers(-99, -1), max_size=3).map(tuple))
        marked.append((Edit(start, end, ids), (f"{prefix}{number}",)))
    return marked


@st.composite
def two_rounds(draw: st.DrawFn) -> tuple[int, list[Marked], list[Marked]]:
    length = draw(st.integers(0, 20))
    first = draw(edits_of(length, "a"))
    between = len(apply_edits(range(length), [e for e, _ in first]))
    return length, first, draw(edits_of(between, "b"))


@settings(max_examples=300)
@given(two_rounds())
def test_one_round_does_what_the_two_did(case) -> None:
    length, first, second = case
    ids = list(range(length))
    twice = apply_edits(apply_edits(ids, [e for e, _ in first]), [e for e, _ in second])
    once = compose(first, second, length)
    assert apply_edits(ids, [e for e, _ in once]) == twice
    for (before, _), (after, _) in pairwise(once):
        assert before.end <= after.start


@given(two_rounds())
def test_every_edit_that_does_something_knows_who_asked(case) -> None:
    length, first, second = case
    asked = {key for _, keys in [*first, *second] for key in keys}
    for edit, keys in compose(first, second, length):
        assert keys, f"nobody asked for {edit}"
        assert set(keys) <= asked
        assert len(set(keys)) == len(keys)


@given(two_rounds())
def test_nothing_second_gives_the_first_back(case) -> None:
    length, first, _ = case
    ids = list(range(length))
    alone = compose(first, [], length)
    assert apply_edits(ids, [e for e, _ in alone]) == apply_edits(ids, [e for e, _ in first])
    wrote = {k for e, keys in first if e.ids or e.start < e.end for k in keys}
    assert {k for _, keys in alone for k in keys} >= wrote


@given(two_rounds())
def test_a_kept_token_is_found_where_it_stood(case) -> None:
    length, first, _ = case
    edits = [e for e, _ in first]
    after = apply_edits(range(length), edits)
    for position, token in enumerate(after):
        if token >= 0:  # the originals are their own indexes; what was written is negative
            assert Origins(edits).of(position) == token
        else:
            assert any(e.start == Origins(edits).of(position) for e in edits)
    assert Origins(edits).of(len(after)) == length
