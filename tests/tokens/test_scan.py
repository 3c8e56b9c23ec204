"""The shared look at a transcript's ids, against one token at a time."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import example, given
from hypothesis import strategies as st

from inspector.tokens import VOCABULARY_SIZE, Scan, is_known, is_special, vocabulary
from inspector.tokens.wide import printable_body, wide_text

IDS = st.lists(
    st.one_of(
        st.sampled_from([200005, 200006, 200007, 200008, 199998, VOCABULARY_SIZE - 1, VOCABULARY_SIZE, -1, 162, 65]),
        st.integers(0, 199997),
        st.integers(),
        st.sampled_from([2**63 - 1, 2**63, -(2**63), 2**200]),
    ),
    max_size=30,
)


@given(IDS)
@example([2**63])
@example([-1, 200006])
def test_specials_and_unknown_are_where_they_are(ids) -> None:
    scan = Scan(ids)
    assert scan.specials == [i for i, t in enumerate(ids) if is_special(t) or not is_known(t)]
    assert scan.unknown == [i for i, t in enumerate(ids) if not is_known(t)]
    assert all(type(i) is int for i in scan.specials)


@given(IDS, st.data())
def test_stretches_are_known_and_read_as_they_are(ids, data) -> None:
    scan = Scan(tuple(ids))
    start = data.draw(st.integers(0, len(ids)))
    end = data.draw(st.integers(start, len(ids)))
    assert scan.knows(start, end) == all(map(is_known, ids[start:end]))
    assert scan.after(start) == bisect_left(scan.specials, start)
    for _ in range(2):  # the second time from memory
        assert scan.text(start, end) == vocabulary().decode(ids[start:end])


@given(IDS)
def test_the_content_of_a_message_is_always_text(ids) -> None:
    content = printable_body(wide_text(ids))
    content.encode("utf-8")
    if all(map(is_known, ids)):
        # Python replaces a broken sequence as a whole, wide text byte by byte: the rest must agree.
        assert content.replace("\ufffd", "") == vocabulary().decode(ids).replace("\ufffd", "")
