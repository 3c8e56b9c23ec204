"""What has to be drawn together, and what only looks like a marker.

A token is drawn as a box of its own, with two exceptions that only the whole row of tokens can tell: a character
whose bytes are spread over several tokens is drawn once, and so is a character with the marks, variation selectors
or joined emoji that belong to it. Ordinary tokens that spell a marker are look-alikes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import regex

from ..tokens import FIRST_SPECIAL, VOCABULARY_SIZE, Span, is_special, special_text, vocabulary

MAX_TOGETHER: Final = 32
"""Tokens that are drawn as one character at most (a subdivision flag is 26): a person can still read their ids."""

_CLUSTER: Final = regex.compile(r"\X")
_FLAGS: Final = re.compile("[\U0001f1e6-\U0001f1ff]{64}(?=[\U0001f1e6-\U0001f1ff])")
"""Of a long run of the letters that flags are made of, some whole flags."""
_EXTENDS: Final = regex.compile(
    r"[\p{M}\u200d\p{Grapheme_Extend}\p{GCB=V}\p{GCB=T}\p{GCB=RI}\p{GCB=SpacingMark}\p{EMod}]"
)
"""A first character that may belong to what stands before it."""
_AWAITS: Final = regex.compile(r"[\u200d\p{GCB=L}\p{GCB=V}\p{GCB=LV}\p{GCB=RI}\p{GCB=Prepend}]\Z")
"""A last character to which the next may belong."""
_SPELLED: Final = re.compile(rb"<\|([a-z]{2,12}(?:_\d{6})?)\|>")
_SPECIALS: Final = frozenset(special_text(i).encode() for i in range(FIRST_SPECIAL, VOCABULARY_SIZE))


def characters_over_tokens(ids: Sequence[int]) -> list[Span]:
    """Runs of two or more ordinary tokens that are drawn as one character, in order, without overlap.

    A character is an extended grapheme cluster (Unicode Standard Annex 29): a letter with its marks, a joined emoji,
    a flag, a syllable of jamo. What is longer than :data:`MAX_TOGETHER` tokens is drawn in several pieces.
    """
    table = vocabulary().token_bytes
    kinds: dict[int, int] = {}
    for token in set(ids):
        data = table(token) if 0 <= token < FIRST_SPECIAL else None
        kinds[token] = _ALONE if data is None else _kind(data)
    spans: list[Span] = []
    at = 0
    while True:
        joint = next((i for i in range(at, len(ids)) if kinds[ids[i]] & _JOINS), None)
        if joint is None:
            return spans
        # All that is not ASCII around it, and one token before: the letter that a mark stands on.
        start = joint
        while start > at and kinds[ids[start - 1]] & _WIDE:
            start -= 1
        if start > at and 0 <= ids[start - 1] < FIRST_SPECIAL:
            start -= 1
        end = joint + 1
        while end < len(ids) and kinds[ids[end]] & _WIDE:
            end += 1
        spans += _clusters(ids, start, end)
        at = end


_ALONE, _WIDE, _JOINS = 0, 1, 2


def _kind(data: bytes) -> int:
    if data.isascii():
        return _ALONE
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _WIDE | _JOINS
    return _WIDE | (_JOINS if _EXTENDS.match(text) or _AWAITS.search(text) else 0)


def _clusters(ids: Sequence[int], start: int, end: int) -> list[Span]:
    """The characters of tokens [start, end) that reach over several of them."""
    pieces = [vocabulary().token_bytes(token) or b"" for token in ids[start:end]]
    # A byte that is no part of a character becomes a surrogate, which joins nothing.
    text = b"".join(pieces).decode("utf-8", "surrogateescape")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    broken = (points >= 0xDC80) & (points <= 0xDCFF)
    sizes = np.where(broken, 1, 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000))
    edges = np.concatenate(([0], np.cumsum(sizes)))
    ends = np.cumsum([len(piece) for piece in pieces])
    # The token that the first and that the last byte of each character is in.
    first_of: list[int] = np.searchsorted(ends, edges[:-1], side="right").tolist()
    last_of: list[int] = np.searchsorted(ends, edges[1:] - 1, side="right").tolist()
    spans: list[Span] = []
    for at, end_at in _characters(text):
        first = first_of[at]
        if last_of[end_at - 1] == first:
            continue
        for char in range(at, end_at):
            if last_of[char] - first >= MAX_TOGETHER:
                _add(spans, ids, start + first, start + last_of[char - 1] + 1)
                first = first_of[char]
        _add(spans, ids, start + first, start + last_of[end_at - 1] + 1)
    return spans


def _characters(text: str) -> Iterator[tuple[int, int]]:
    """Where each character begins and ends.

    Two letters that flags are made of are one flag, counted from the first of their run; ``\\X`` counts anew for each
    of them. So it gets long runs in pieces of whole flags, behind which a character always begins.
    """
    begin = 0
    for cut in [*(match.end() for match in _FLAGS.finditer(text)), len(text)]:
        for match in _CLUSTER.finditer(text[begin:cut]):
            yield begin + match.start(), begin + match.end()
        begin = cut


def _add(spans: list[Span], ids: Sequence[int], first: int, end: int) -> None:
    """Add tokens [first, end), together with the span before if they share a token; only whole characters are added."""
    if spans and spans[-1].end > first:
        if end - spans[-1].start > MAX_TOGETHER:
            return
        first = spans[-1].start
    if end - first < 2:
        return
    try:
        vocabulary().decode_bytes(ids[first:end]).decode()
    except UnicodeDecodeError:
        return
    if spans and spans[-1].end > first:
        spans.pop()
    spans.append(Span(first, end))


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
