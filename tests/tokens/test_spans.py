"""Spans, edits and changes, against a reference that works on the whole wide text at once."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.tokens import (
    CALL,
    CHANNEL,
    END,
    VOCABULARY_SIZE,
    Change,
    Edit,
    Position,
    Span,
    WideText,
    apply_edits,
    changes_to_edits,
    encode_wide,
    is_special,
    special_id,
    vocabulary,
)

PIECES = st.sampled_from(
    [
        "",
        " ",
        "to=functions.bash",
        '"},"',
        "日本",
        "😀",
        "a",
        "é\u0301",
        CHANNEL_CHAR := "\ud807",
        "json",
        "\n\n",
    ]
)
TOKENS = st.one_of(
    st.sampled_from([CHANNEL, CALL, END, 162, 194937, 220, 4108, 316, 28]),
    st.integers(0, 199997),
    st.integers(199998, VOCABULARY_SIZE - 1),
)


def flat(ids: list[int]) -> list[int | bytes]:
    """Specials as ids, runs of ordinary tokens as their bytes: what a re-tokenisation must preserve."""
    out: list[int | bytes] = []
    for token in ids:
        if is_special(token):
            out.append(token)
        elif out and isinstance(out[-1], bytes):
            out[-1] += vocabulary().token_bytes(token) or b""
        else:
            out.append(vocabulary().token_bytes(token) or b"")
    return [piece for piece in out if piece != b""]


def flat_text(text: str) -> list[int | bytes]:
    """The same for wide text, character by character."""
    out: list[int | bytes] = []
    for char in text:
        token = special_id(char)
        if token is not None:
            out.append(token)
            continue
        data = char.encode("utf-8", "surrogateescape")
        if out and isinstance(out[-1], bytes):
            out[-1] += data
        else:
            out.append(data)
    return out


@st.composite
def transcripts_with_changes(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, str]]]:
    """Ids and non-clashing replacements of their wide text, as character offsets in order of place."""
    ids = draw(st.lists(TOKENS, max_size=12))
    length = len(WideText(ids).text)
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=8)))
    if len(cuts) % 2:
        cuts.pop()
    return ids, [(a, b, draw(PIECES)) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]


@settings(max_examples=600)
@given(transcripts_with_changes(), st.randoms(use_true_random=False))
def test_changes_compose_to_what_the_whole_text_would_become(case, random) -> None:
    ids, replacements = case
    wide = WideText(ids)
    expected, at = [], 0
    for start, end, text in replacements:
        expected += [wide.text[at:start], text]
        at = end
    expected.append(wide.text[at:])

    changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in replacements]
    if len({(a, b) for a, b, _ in replacements}) == len(replacements):
        random.shuffle(changes)  # only the order of insertions at one place is the caller's
    edits = changes_to_edits(changes, len(ids), wide.of, encode_wide)

    assert flat(apply_edits(ids, edits)) == flat_text("".join(expected))


@given(transcripts_with_changes())
def test_only_touched_tokens_are_rewritten(case) -> None:
    ids, replacements = case
    wide = WideText(ids)
    changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in replacements]
    may_change = set()
    for change in changes:
        end = change.touched.end
        while change.touched.start < end < len(ids) and not wide.of(end):
            end += 1  # the rest of a character that the last touched token begins
        may_change |= set(range(change.touched.start, end))
    for edit in changes_to_edits(changes, len(ids), wide.of, encode_wide):
        assert set(range(edit.start, edit.end)) <= may_change


@given(transcripts_with_changes())
def test_edits_come_sorted_and_apart(case) -> None:
    ids, replacements = case
    wide = WideText(ids)
    changes = [Change(wide.position(a), wide.position(b), text) for a, b, text in replacements]
    edits = changes_to_edits(changes, len(ids), wide.of, encode_wide)
    assert edits == sorted(edits)
    for before, after in pairwise(edits):
        assert before.end <= after.start
        assert (before.start, before.end) != (after.start, after.end)


def test_two_changes_in_one_token_become_one_edit() -> None:
    ids = vocabulary().encode("unbelievable")
    wide = WideText(ids)
    assert wide.of(0) == "un"
    edits = changes_to_edits(
        [Change(Position(0, 0), Position(0, 1), "U"), Change(Position(0, 1), Position(1, 0), "N")],
        len(ids),
        wide.of,
        encode_wide,
    )
    assert len(edits) == 1
    assert vocabulary().decode(apply_edits(ids, edits)) == "UNbelievable"


def test_insertions_at_one_place_keep_the_order_given() -> None:
    ids = [CHANNEL, END]
    here = Position(1, 0)
    edits = changes_to_edits([Change(here, here, "b"), Change(here, here, "a")], 2, WideText(ids).of, encode_wide)
    assert vocabulary().decode(apply_edits(ids, edits)) == "<|channel|>ba<|end|>"


def test_changes_of_the_same_text_are_refused_with_their_place() -> None:
    wide = WideText(vocabulary().encode("one two three four"))
    clash = [Change(Position(0), Position(2), "x"), Change(Position(1), Position(3), "y")]
    with pytest.raises(ValueError, match="token 1"):
        changes_to_edits(clash, 4, wide.of, encode_wide)


@given(st.lists(st.integers(), max_size=20), st.data())
def test_apply_edits_equals_list_surgery_from_the_back(ids, data) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ids)), max_size=8)))
    if len(cuts) % 2:
        cuts.pop()
    new = st.lists(st.integers(), max_size=3).map(tuple)
    edits = [Edit(a, b, data.draw(new)) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]
    expected = list(ids)
    for edit in reversed(edits):
        expected[edit.start : edit.end] = edit.ids
    assert apply_edits(ids, edits) == expected


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(2, 3), Edit(0, 1)],
        [Edit(0, 2), Edit(1, 3)],
        [Edit(0, 9)],
        [Edit(-1, 0)],
        [Edit(2, 1)],
    ],
)
def test_edits_that_cannot_be_applied_are_refused(edits) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{edits[-1].start}..{edits[-1].end}")):
        apply_edits([1, 2, 3], edits)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_overlap_is_sharing_a_token(a, b, c, d) -> None:
    one, two = Span(min(a, b), max(a, b)), Span(min(c, d), max(c, d))
    shared = set(range(one.start, one.end)) & set(range(two.start, two.end))
    if one and two:
        assert one.overlaps(two) == bool(shared)
    assert len(one) == one.end - one.start
