"""Boundaries of two tokenisations, poison, and the way back through edits."""

from __future__ import annotations

import random

import openai_harmony
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.prompt.poison import spelled_special
from inspector.prompt.texts import common_bounds, offsets, places_in_text
from inspector.tokens import CHANNEL, FIRST_SPECIAL, VOCABULARY_SIZE, Edit, apply_edits, special_text, vocabulary
from inspector.tokens.spans import Origins

from .transcripts import body


def slow_common(a: list[int], b: list[int]) -> list[int]:
    return sorted(set(a) & set(b) - {-1})


@given(st.integers(0, 2000))
def test_common_bounds_are_those_that_both_have(seed: int) -> None:
    rng = random.Random(seed)
    emitted = [token for token in body(rng) if 0 <= token < FIRST_SPECIAL]
    text = vocabulary().decode(emitted)
    canonical = vocabulary().encode(text)
    places = places_in_text(emitted, text)
    assert places is not None
    bounds = offsets(canonical)
    knots = list(common_bounds(places, bounds))
    assert [places[e] for e, _ in knots] == slow_common(places, bounds)
    assert [bounds[r] for _, r in knots] == slow_common(places, bounds)


def test_places_know_what_the_parser_reads(encoding: openai_harmony.HarmonyEncoding) -> None:
    """Broken bytes, special tokens and unknown ids in a body: the text is the library's, so it is never None."""
    header = vocabulary().encode_markers("<|channel|>final<|message|>")
    for seed in range(500):
        rng = random.Random(seed)
        ids = [t if t < 2**32 else 300_000 for _ in range(3) for t in body(rng)]
        ids = [t for t in ids if t not in (200002, 200007, 200012)]
        (message,) = encoding.parse_messages_from_completion_tokens(header + ids, openai_harmony.Role.ASSISTANT)
        text = message.content[0].text
        places = places_in_text(ids, text)
        assert places is not None, ids
        assert len(places) == len(ids) + 1
        assert places[0] == 0
        data = text.encode()
        known = [place for place in places if place >= 0]
        assert known == sorted(known)
        assert known[-1] <= len(data)


def test_places_refuse_another_text() -> None:
    ids = vocabulary().encode("hello there")
    assert places_in_text(ids, "hello where") is None
    assert places_in_text([*ids, 300_000], "hello where") is None


def test_an_unknown_id_after_broken_bytes_keeps_what_came_before(encoding: openai_harmony.HarmonyEncoding) -> None:
    """The library puts the unknown id's U+FFFD before text that came earlier."""
    ids = [*vocabulary().encode("ok "), 162, *vocabulary().encode("hello"), 300_000]
    header = vocabulary().encode_markers("<|channel|>final<|message|>")
    (message,) = encoding.parse_messages_from_completion_tokens(header + ids, openai_harmony.Role.ASSISTANT)
    text = message.content[0].text
    assert text == "ok \ufffd\ufffdhello"
    assert places_in_text(ids, text) == [0, 2, 3, -1, -1, len(text.encode())]


def test_every_special_token_is_poison_and_nothing_else_is() -> None:
    for token in range(FIRST_SPECIAL, VOCABULARY_SIZE):
        assert spelled_special(f"a{special_text(token)}b") == special_text(token)
    for text in (None, "", "bash", "<|refusal|>", "<|endofprompt|>", "<|reserved_5|>", "< |end|>", "<|end|"):
        assert spelled_special(text) is None
    assert spelled_special("<|nothing|><|call|><|end|>") == special_text(200012)


@given(
    st.lists(st.integers(0, 9), max_size=30),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.lists(st.integers(0, 9), max_size=3)), max_size=5),
)
def test_origins_finds_what_was_kept(ids: list[int], steps: list[tuple[int, int, list[int]]]) -> None:
    edits: list[Edit] = []
    at = 0
    for ahead, length, new in steps:
        start, end = at + ahead + 1, at + ahead + 1 + length
        if end > len(ids):
            break
        edits.append(Edit(start, end, tuple(new)))
        at = end
    marked = list(range(1000, 1000 + len(ids)))
    repaired = apply_edits(marked, edits)
    for position, token in enumerate(repaired):
        if token >= 1000:
            assert marked[Origins(edits).of(position)] == token
    assert Origins(edits).of(len(repaired)) == len(ids)


def test_origins_of_new_tokens() -> None:
    edits = [Edit(2, 4, (CHANNEL, 1, 2)), Edit(6, 6, (9,))]
    assert [Origins(edits).of(i) for i in range(9)] == [0, 1, 2, 2, 2, 4, 5, 6, 6]


def test_a_whole_range_of_lengths_is_linear_enough(encoding: openai_harmony.HarmonyEncoding) -> None:
    """A body of single bytes, every one of them a difference, at full length."""
    byte = next(i for i in range(256) if vocabulary().token_bytes(i) == b"a")
    places = places_in_text([byte] * 131_072, "a" * 131_072)
    assert places is not None
    assert len(list(common_bounds(places, offsets(vocabulary().encode("a" * 131_072))))) > 16_000
    with pytest.raises(StopIteration):
        next(common_bounds([], [0]))
