"""What has to be drawn together, and what only looks like a marker.

A token is drawn as a box of its own, with two exceptions that only the whole row of tokens can tell: a character
whose bytes are spread over several tokens is drawn once, and so is a character with the marks, variation selectors
or joined emoji that belong to it. Ordinary tokens that spell a marker are look-alikes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ..tokens import FIRST_SPECIAL, VOCABULARY_SIZE, Span, is_special, special_text, vocabulary

MAX_TOGETHER: Final = 16
"""Tokens that are drawn as one character at most: a person can still read their ids."""

_JOINER: Final = "\u200d"
_SPELLED: Final = re.compile(rb"<\|([a-z]{2,12}(?:_\d{6})?)\|>")
_SPECIALS: Final = frozenset(special_text(i).encode() for i in range(FIRST_SPECIAL, VOCABULARY_SIZE))


def characters_over_tokens(ids: Sequence[int]) -> list[Span]:
    """Runs of two or more ordinary tokens that are drawn as one character, in order, without overlap."""
    table = vocabulary().token_bytes
    joins: dict[int, bool] = {}
    for token in set(ids):
        data = table(token) if 0 <= token < FIRST_SPECIAL else None
        joins[token] = data is not None and _may_join(data)
    spans: list[Span] = []
    at, count = 0, len(ids)
    candidates = [i for i, token in enumerate(ids) if joins[token]]
    for index in candidates:
        if index < at:
            continue
        # A mark joins what stands before it; a broken byte may begin a character.
        start = index
        previous = ids[index - 1] if index > at else -1
        if _begins_with_mark(table(ids[index]) or b"") and 0 <= previous < FIRST_SPECIAL:
            start = index - 1
        end = _end_of_character(ids, start, count)
        if end - start > 1:
            spans.append(Span(start, end))
        at = max(end, index + 1)
    return spans


def _may_join(data: bytes) -> bool:
    if data.isascii():
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return True
    return _is_mark(text[0]) or text[-1] == _JOINER


def _begins_with_mark(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and _is_mark(text[0])


def _is_mark(char: str) -> bool:
    # Skin tones are symbols to Unicode, yet they colour the emoji before them.
    return char == _JOINER or unicodedata.category(char)[0] == "M" or "\U0001f3fb" <= char <= "\U0001f3ff"


def _end_of_character(ids: Sequence[int], start: int, count: int) -> int:
    """One past the last token that is drawn with token ``start``."""
    end, joined = start, False
    limit = min(count, start + MAX_TOGETHER)
    while end < limit:
        bytes_end = _end_of_bytes(ids, end, limit)
        if bytes_end is None:
            return max(end, start + 1)
        text = vocabulary().decode_bytes(ids[end:bytes_end]).decode()
        if end > start and not _is_mark(text[0]) and not joined:
            return end
        end = bytes_end
        joined = text[-1] == _JOINER and (len(text) > 1 or end - start > 1)
        following = ids[end] if end < limit else -1
        if not 0 <= following < FIRST_SPECIAL:
            return end
    return end


def _end_of_bytes(ids: Sequence[int], start: int, limit: int) -> int | None:
    """One past the tokens from ``start`` whose bytes together are whole characters; None when they never are."""
    data = b""
    for end in range(start, min(limit, start + 4)):
        if not 0 <= ids[end] < FIRST_SPECIAL:
            return None
        data += vocabulary().token_bytes(ids[end]) or b""
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return None
            continue
        return end + 1
    return None


def look_alikes(ids: Sequence[int]) -> list[Span]:
    """Runs of ordinary tokens whose text spells a special token, in order; neighbours may share a token."""
    table = vocabulary().token_bytes
    # A special token, an unknown id too, must not complete the text of its neighbours: it becomes a NUL byte.
    pieces = [(table(i) or b"\0") if 0 <= i < FIRST_SPECIAL else b"\0" for i in ids]
    data = b"".join(pieces)
    if b"<|" not in data:
        return []
    ends: npt.NDArray[np.int64] = np.cumsum(np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)))
    spans = []
    for match in _SPELLED.finditer(data):
        if match.group() in _SPECIALS:
            first = int(np.searchsorted(ends, match.start(), side="right"))
            last = int(np.searchsorted(ends, match.end() - 1, side="right"))
            spans.append(Span(first, last + 1))
    return spans


def marker_name(token: int) -> str:
    """The name of a special token as its chip shows it: ``channel`` for ``<|channel|>``.

    Raises:
        ValueError: ``token`` is not special.
    """
    if not is_special(token):
        raise ValueError(f"{token} is not a special token")
    return special_text(token)[2:-2]
