"""The container: what goes in comes out, aligned, and nothing else is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.view.container import TYPES, pack, unpack

ARRAYS = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8),
    st.tuples(st.sampled_from(list(TYPES)), st.lists(st.integers(0, 255), max_size=20)),
    max_size=6,
)


@given(ARRAYS, st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=5)))
def test_round_trip(sections: dict[str, tuple[str, list[int]]], head: dict[str, str]) -> None:
    arrays = {name: np.array(values, dtype=TYPES[kind]) for name, (kind, values) in sections.items()}
    data = pack(head, arrays)
    assert len(data) % 8 == 0
    found_head, found = unpack(data)
    assert found_head == {k: v.encode("utf-8", "replace").decode() for k, v in head.items()}
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in arrays.items()}


def test_sections_begin_at_multiples_of_eight() -> None:
    data = pack({}, {"one": np.array([1], np.uint8), "two": np.array([2.5], np.float64)})
    assert unpack(data)[1]["two"].tolist() == [2.5]
    assert b'"two":["f64",8,1]' in data


@pytest.mark.parametrize(
    ("head", "sections", "words"),
    [
        ({"sections": 1}, {}, "own"),
        ({}, {"x": np.array([1], np.int64)}, "int64"),
        ({}, {"x": np.zeros((2, 2), np.uint8)}, "2-dimensional"),
    ],
)
def test_what_it_cannot_hold_is_refused(head: dict[str, int], sections: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pack(head, sections)


def test_something_else_is_no_container() -> None:
    with pytest.raises(ValueError, match="begins with"):
        unpack(b"{}")
