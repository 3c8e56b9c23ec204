"""Patterns whose form is risky and whose place is not, held where they are used: JUDGED in tests/patterns/listing.py"""

from __future__ import annotations

from inspector.ingest import read
from inspector.serving.sglang import read_sglang
from inspector.tokens import vocabulary

from .harness import case


@case(lambda text: read(text, format="ids"), n=4_000, most=64_000)
def numbers_that_are_none(n: int) -> str:
    """A number that goes on and on and is none in the end; a keyword without its value."""
    return f'[1, 2, 3, {"0_0" * (n // 6)}x, dtype={" " * (n // 2)}"]'


@case(read_sglang, n=4_000, most=64_000)
def calls_without_end(n: int) -> list[int]:
    one = "<|start|>assistant<|channel|>commentary to=functions.a <|constrain|>json<|message|>{}"
    return vocabulary().encode_markers(one * (n // 16))
