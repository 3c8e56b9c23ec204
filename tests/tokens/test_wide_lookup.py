"""Single tokens looked up read as they do in the wide text of the whole, in whatever order they are asked for."""

from __future__ import annotations

import random

import pytest

from inspector.tokens import START, WideLookup, WideText, vocabulary, wide_lookup

_TEXTS = ("👨‍👩‍👧🏳️‍🌈👍🏽", "日本語 é한글", "plain words", "\u200b\u200d\u00a0")


def _fragments() -> list[int]:
    return [*vocabulary().encode("".join(_TEXTS)), *range(128, 256), 162, 194937, 222, START, 300_000, -1]


def test_a_token_looked_up_reads_as_in_the_whole() -> None:
    dice = random.Random(5)
    fragments = _fragments()
    for _ in range(1_000):
        ids = [dice.choice(fragments) for _ in range(dice.randint(1, 60))]
        whole, lookup = WideText(ids), WideLookup(ids)
        assert len(lookup) == len(ids)
        for token in dice.sample(range(len(ids)), len(ids)):
            assert lookup.of(token) == whole.of(token), (ids, token)


def test_a_stretch_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Counted(WideText):
        def __init__(self, ids: list[int], first: int = 0) -> None:
            read.append(len(ids))
            super().__init__(ids, first)

    monkeypatch.setattr(wide_lookup, "WideText", Counted)
    ids = [*[172] * 200, *vocabulary().encode(" a")]  # the byte F0 begins a character of four bytes
    lookup = WideLookup(ids)
    for token in range(200):
        lookup.of(token)
    assert sum(read) <= len(ids)
