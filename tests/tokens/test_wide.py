"""Wide text: nothing is lost and nothing is confused, for any list of ints."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inspector.tokens import (
    CHANNEL,
    FIRST_SPECIAL,
    UNKNOWN,
    VOCABULARY_SIZE,
    Position,
    Span,
    WideText,
    encode_wide,
    is_known,
    is_special,
    printable,
    special_id,
    special_text,
    vocabulary,
    wide_special,
    wide_text,
)

# Tokens that begin, continue or end a character, glued to text or alone: where the reading can go wrong.
FRAGMENTS = [162, 194937, 222, 65, *vocabulary().encode("😀日本語 é한글 🏳️‍🌈"), *range(128, 256)]
KNOWN = st.one_of(
    st.sampled_from(FRAGMENTS),
    st.integers(0, FIRST_SPECIAL - 1),
    st.integers(FIRST_SPECIAL, VOCABULARY_SIZE - 1),
)
ANY_INT = st.one_of(KNOWN, st.integers(), st.sampled_from([-1, VOCABULARY_SIZE, 2**31, 2**64, -(2**70)]))


def reference(ids: list[int]) -> str:
    """Wide text the slow way: each run of ordinary tokens decoded as a whole."""
    out: list[str] = []
    run = b""
    for token in [*ids, None]:
        if token is not None and 0 <= token < FIRST_SPECIAL:
            run += vocabulary().token_bytes(token) or b""
            continue
        out.append(run.decode("utf-8", "surrogateescape"))
        run = b""
        if token is not None:
            out.append(wide_special(token) if is_special(token) else UNKNOWN)
    return "".join(out)


@given(st.lists(ANY_INT, max_size=30))
@example([162, 162, 65, 65])
@example([194937, 194937])
def test_reading_equals_the_reference(ids) -> None:
    wide = WideText(ids)
    assert wide.text == reference(ids)
    assert len(wide.starts) == len(ids) + 1
    assert wide.starts == sorted(wide.starts)
    assert wide.starts[0] == 0
    assert wide.starts[-1] == len(wide.text)
    assert "".join(wide.of(i) for i in range(len(ids))) == wide.text


@given(st.lists(KNOWN, max_size=30))
def test_encoding_gives_back_the_same_bytes_and_specials(ids) -> None:
    again = encode_wide(wide_text(ids))
    assert wide_text(again) == wide_text(ids)
    assert vocabulary().decode_bytes(again) == vocabulary().decode_bytes(ids)
    assert [i for i in again if is_special(i)] == [i for i in ids if is_special(i)]


@given(st.text(max_size=60))
def test_text_is_its_own_wide_text(text) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert wide_text(vocabulary().encode(text)) == text


@given(st.lists(ANY_INT, max_size=20), st.integers(0, 50))
def test_positions_invert(ids, first) -> None:
    wide = WideText(ids, first)
    for offset in range(len(wide.text) + 1):
        place = wide.position(offset)
        assert wide.starts[place.token - first] + place.char == offset
        if place.token - first < len(ids):
            assert place.char < len(wide.of(place.token)) or not wide.of(place.token)
    assert wide.position(len(wide.text)) == Position(first + len(ids), 0)


@given(st.lists(ANY_INT, max_size=20), st.data())
def test_spans_hold_their_characters_and_no_token_too_many(ids, data) -> None:
    wide = WideText(ids)
    start = data.draw(st.integers(0, len(wide.text)))
    end = data.draw(st.integers(start, len(wide.text)))
    span = wide.span(start, end)
    if start == end:
        assert len(span) == 0
        return
    held = range(wide.starts[span.start], wide.starts[span.end])
    assert start in held
    assert end - 1 in held
    assert wide.of(span.start), "a span begins with the token that holds its first character"
    touching = [i for i in range(len(ids)) if wide.starts[i] < end and wide.starts[i + 1] > start]
    assert span.start == touching[0]
    # Beyond the last touching token only the rest of its character may follow.
    assert all(not wide.of(i) for i in range(touching[-1] + 1, span.end))
    assert span.end == len(ids) or wide.of(span.end)


def test_a_character_over_three_tokens_belongs_to_the_first() -> None:
    ids = vocabulary().encode("🫨")
    assert len(ids) >= 2
    wide = WideText([220, *ids, 220])
    assert wide.of(1) == "🫨"
    assert [wide.of(i) for i in range(2, 1 + len(ids))] == [""] * (len(ids) - 1)
    assert wide.span(1, 2) == Span(1, 1 + len(ids))


def test_a_marker_is_never_taken_for_its_spelling() -> None:
    spelled = vocabulary().encode("<|channel|>")
    assert CHANNEL not in spelled
    assert wide_text(spelled) == "<|channel|>"
    assert wide_text([CHANNEL]) == wide_special(CHANNEL) != "<|channel|>"
    assert encode_wide("<|channel|>") == spelled


def test_every_special_has_one_character_of_its_own() -> None:
    chars = [wide_special(i) for i in range(FIRST_SPECIAL, VOCABULARY_SIZE)]
    assert len(set(chars)) == VOCABULARY_SIZE - FIRST_SPECIAL
    assert all(len(c) == 1 and 0xD800 <= ord(c) < 0xDC80 for c in chars), "apart from broken bytes and text"
    assert [special_id(c) for c in chars] == list(range(FIRST_SPECIAL, VOCABULARY_SIZE))
    assert [special_id(chr(c)) for c in range(0xDC80, 0xDD01)] == [None] * 0x81


def test_unknown_ids_read_but_cannot_be_written() -> None:
    assert wide_text([-1, VOCABULARY_SIZE, 2**70]) == UNKNOWN * 3
    with pytest.raises(ValueError, match="unknown id"):
        encode_wide("a" + UNKNOWN)


def test_printable_shows_what_has_no_text() -> None:
    ids = [CHANNEL, 162, -1, 200018, *vocabulary().encode("ok")]
    assert printable(wide_text(ids)) == r"<|channel|>\xe6<|?|><|reserved_200018|>ok"


@given(st.lists(ANY_INT, max_size=20))
def test_printable_text_can_always_be_written_to_a_file(ids) -> None:
    printable(wide_text(ids)).encode("utf-8")


@pytest.mark.timeout(60)
def test_reading_is_linear() -> None:
    # A chain of lead bytes never completes a character; joining all of it at each step took minutes.
    chain = WideText([162] * 200_000)
    assert chain.text == "\udce6" * 200_000


def test_known_is_what_the_vocabulary_has() -> None:
    assert not any(map(is_known, (-1, VOCABULARY_SIZE, 2**64)))
    assert is_known(0)
    assert is_known(VOCABULARY_SIZE - 1)
    with pytest.raises(ValueError, match="199997"):
        special_text(199997)


def test_a_broken_byte_parts_characters_that_are_spread_over_tokens() -> None:
    # 1857 is A3 E1 83: the end of one Georgian letter and the beginning of another; 172 is F0, which ends both.
    wide = WideText([1857, 1857, 172, 1857, 1857])
    assert [wide.of(token) for token in range(5)] == [
        "\udca3\u10e3\udce1\udc83",
        "",
        "\udcf0",
        "\udca3\u10e3\udce1\udc83",
        "",
    ]
