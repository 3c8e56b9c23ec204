"""What is drawn together, and what only looks like a marker."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.tokens import FIRST_SPECIAL, VOCABULARY_SIZE, Span, vocabulary
from inspector.view.glyphs import MAX_TOGETHER, characters_over_tokens, look_alikes, marker_name

IDS = st.lists(
    st.one_of(
        st.integers(0, FIRST_SPECIAL - 1),
        st.integers(FIRST_SPECIAL, VOCABULARY_SIZE - 1),
        st.integers(-(2**63), 2**63),
        st.integers(0, 255),
    ),
    max_size=40,
)


def spelled(text: str) -> list[int]:
    return vocabulary().encode(text)


@pytest.mark.parametrize(
    "text", ["🦄", "👨‍👩‍👧‍👦", "👍🏽", "e\u0301", "ก็", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u1112\u1161\u11ab", "1\ufe0f\u20e3", "🏳️‍🌈"]
)
@pytest.mark.parametrize("before", ["a ", "a", "日本"])
def test_one_character_is_one_group(text: str, before: str) -> None:
    ids = spelled(before + text)
    alone = len(spelled(before))
    if len(ids) - alone > 1:
        groups = characters_over_tokens(ids)
        assert len(groups) == 1
        assert groups[0].end == len(ids)
        together = vocabulary().decode(ids[groups[0].start :])
        assert together.endswith(text)
        assert len(together) <= len(text) + 2


def test_two_flags_are_two_groups() -> None:
    ids = spelled("🇩🇪🇫🇷")
    assert [vocabulary().decode(ids[g.start : g.end]) for g in characters_over_tokens(ids)] == ["🇩🇪", "🇫🇷"]


def test_marks_without_end_are_cut_into_pieces() -> None:
    ids = spelled("e" + "\u0301" * 200)
    groups = characters_over_tokens(ids)
    assert groups
    assert groups[-1].end == len(ids)
    assert all(before.end == after.start for before, after in pairwise(groups))


def test_the_bytes_of_a_character_in_single_byte_tokens() -> None:
    single = {vocabulary().token_bytes(i): i for i in range(256)}
    ids = [spelled("x")[0], *(single[bytes([b])] for b in "日".encode()), spelled("y")[0]]
    assert characters_over_tokens(ids) == [Span(1, 4)]


def test_broken_bytes_stay_apart() -> None:
    single = {vocabulary().token_bytes(i): i for i in range(256)}
    ids = [single[b"\xe6"], single[b"\xe6"], single[b"A"]]
    assert characters_over_tokens(ids) == []


def test_a_character_does_not_reach_over_a_special_token() -> None:
    single = {vocabulary().token_bytes(i): i for i in range(256)}
    ids = [single[b"\xe6"], FIRST_SPECIAL, single[b"\x97"], single[b"\xa5"]]
    assert characters_over_tokens(ids) == []


@given(IDS)
def test_groups_are_apart_in_order_and_ordinary(ids: list[int]) -> None:
    groups = characters_over_tokens(ids)
    for span in groups:
        assert 2 <= len(span) <= MAX_TOGETHER
        assert all(0 <= i < FIRST_SPECIAL for i in ids[span.start : span.end])
        vocabulary().decode_bytes(ids[span.start : span.end]).decode()
    for before, after in pairwise(groups):
        assert before.end <= after.start


@pytest.mark.parametrize("name", ["start", "channel", "message", "reserved_200013"])
def test_ordinary_text_that_spells_a_marker(name: str) -> None:
    before = spelled("see ")
    ids = before + spelled(f"<|{name}|>") + spelled(" there")
    (span,) = look_alikes(ids)
    text = vocabulary().decode(ids[span.start : span.end])
    assert f"<|{name}|>" in text
    assert all(
        f"<|{name}|>" not in vocabulary().decode(ids[a : a + len(span) - 1]) for a in (span.start, span.start + 1)
    )


def test_markers_and_other_words_are_no_look_alikes() -> None:
    assert look_alikes(vocabulary().encode_markers("<|start|>assistant<|message|>x<|end|>")) == []
    assert look_alikes(spelled("a <|thing|> and <| channel |> and |>")) == []


@given(IDS)
def test_look_alikes_never_hold_a_special_token(ids: list[int]) -> None:
    for span in look_alikes(ids):
        assert all(0 <= i < FIRST_SPECIAL for i in ids[span.start : span.end])


def test_marker_names() -> None:
    assert marker_name(200005) == "channel"
    assert marker_name(200013) == "reserved_200013"
    with pytest.raises(ValueError, match="not a special"):
        marker_name(5)
