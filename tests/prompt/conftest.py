"""Transcripts read by the installed release, with the places of the messages, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import openai_harmony
import pytest

from inspector.harmony.message import Message
from inspector.tokens import MESSAGE, STOPS

Reader = Callable[[Sequence[int], str | None], tuple[Message, ...]]


@pytest.fixture(scope="session")
def encoding() -> openai_harmony.HarmonyEncoding:
    """oss-harmony's encoding of gpt-oss."""
    return openai_harmony.load_harmony_encoding(openai_harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


@pytest.fixture(scope="session")
def read(encoding: openai_harmony.HarmonyEncoding) -> Reader:
    """Reads ids as a strict parse of the installed release does and adds where each message stood.

    Of ids that it does not accept, the longest beginning is read that ends with a message and is accepted.
    """

    def reader(ids: Sequence[int], role: str | None) -> tuple[Message, ...]:
        places = _places(ids, role)
        while places:
            try:
                parsed = encoding.parse_messages_from_completion_tokens(
                    [t if 0 <= t < 2**32 else 2**32 - 1 for t in ids[: places[-1][3]]],
                    None if role is None else openai_harmony.Role(role),
                )
            except openai_harmony.HarmonyError:
                places.pop()
                continue
            return tuple(
                Message(
                    m.author.role.value, m.content[0].text, m.author.name, m.channel, m.recipient, m.content_type,
                    start, end, body_start, body_end,
                )
                for m, (start, body_start, body_end, end) in zip(parsed, places, strict=True)
            )  # fmt: skip
        return ()

    return reader


def _places(ids: Sequence[int], role: str | None) -> list[tuple[int, int, int, int]]:
    """Start, body start, body end and end of every message that has a body."""
    places: list[tuple[int, int, int, int]] = []
    start, body = 0, -1
    for index, token in enumerate(ids):
        if body < 0 and token == MESSAGE:
            body = index + 1
        elif body >= 0 and token in STOPS:
            places.append((start, body, index, index + 1))
            start, body = index + 1, -1
    if body >= 0:
        places.append((start, body, len(ids), len(ids)))
    return places
