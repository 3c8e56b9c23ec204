"""Two tokenisations of the same text, aligned by the offsets at which their tokens begin.

An emitted body and its re-encoding spell the same bytes nearly always: what differs is how they are cut into
tokens, a special token that came back as the characters of its name, or bytes that were no UTF-8 and became
U+FFFD. All three are aligned exactly, in linear time, by the places where both have a token boundary.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from itertools import accumulate
from typing import Final

from ..tokens import VOCABULARY_SIZE, is_known, is_special, vocabulary


def offsets(ids: Sequence[int]) -> list[int]:
    """The byte offset at which each token begins, and the total; unknown ids have no bytes."""
    token_bytes = vocabulary().token_bytes
    return [0, *accumulate(len(token_bytes(token) or b"") for token in ids)]


def places_in_text(ids: Sequence[int], text: str) -> list[int] | None:
    """For each token boundary of ``ids`` its byte offset in ``text``, -1 for one that has none there.

    ``text`` is what the releases read from ``ids``: their bytes, where every stretch that is not UTF-8 has
    become U+FFFD, and where an unknown id has become one U+FFFD and cost everything after it. None when
    ``text`` is something else.
    """
    known = next((i for i, token in enumerate(ids) if not is_known(token)), len(ids))
    data = vocabulary().decode_bytes(ids[:known])
    target = text.encode("utf-8", "replace")
    bounds = offsets(ids[:known])
    if known == len(ids) and data == target:
        return bounds
    broken: list[tuple[int, int]] = []
    token = _BROKEN.set(broken)
    try:
        read = data.decode("utf-8", _HANDLER)
    finally:
        _BROKEN.reset(token)
    if known == len(ids):
        return _shifted(bounds, broken) if read == text else None
    if read + "\ufffd" == text:
        places = _shifted(bounds, broken)
    else:
        # After broken bytes the parser's text lags behind its tokens; an unknown id then falls in between. Only
        # what comes before the broken bytes has a place.
        whole = broken[0][0] if broken else len(data)
        if not target.startswith(data[:whole]):
            return None
        places = [offset if offset <= whole else -1 for offset in bounds]
    return [*places, *[-1] * (len(ids) - known - 1), len(target)]


def dense_places(ids: Sequence[int]) -> list[int]:
    """For each token boundary how many bytes come before it that are no white space.

    Two texts that differ in nothing but white space, as JSON before and after a round trip mostly does, have
    their boundaries in common by this count.
    """
    token_bytes = vocabulary().token_bytes
    return [0, *accumulate(len(_dense(token_bytes(token) or b"")) for token in ids)]


def same_but_for_space(a: Sequence[int], b: Sequence[int]) -> bool:
    """True when both spell the same bytes, white space left out."""
    decode = vocabulary().decode_bytes
    return _dense(decode(a)) == _dense(decode(b))


def _dense(data: bytes) -> bytes:
    return data.translate(None, b" \t\n\r")


def common_bounds(e_places: Sequence[int], r_places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The indexes of the boundaries that both have, in order.

    Of several equal places on one side the first counts.
    """
    r_at = 0
    last = -1
    for e_at, place in enumerate(e_places):
        if place <= last:
            continue
        while r_at < len(r_places) and r_places[r_at] < place:
            r_at += 1
        if r_at == len(r_places):
            return
        if r_places[r_at] == place:
            yield e_at, r_at
            last = place


def spell_the_same(a: Sequence[int], b: Sequence[int]) -> bool:
    """True when both spell the same bytes and all their ids are known."""
    for ids in (a, b):
        if min(ids, default=0) < 0 or max(ids, default=0) >= VOCABULARY_SIZE:
            return False
    return vocabulary().join(a) == vocabulary().join(b)


def cut_otherwise(a: tuple[int, ...], b: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    """Where two sequences that spell the same bytes are cut otherwise, as (start in a, end, start in b, end).

    Equal stretches are passed over by comparing slices of doubling length, so this costs little where little
    differs; a stretch that is cut otherwise is walked until both have a boundary at one byte.
    """
    size = vocabulary().token_bytes
    i = j = 0
    while i < len(a):
        step = 64
        while step:
            step = min(step, len(a) - i, len(b) - j)
            if step and a[i : i + step] == b[j : j + step]:
                i, j, step = i + step, j + step, step * 2
            else:
                step //= 2
        if i == len(a):
            return
        i_from, j_from = i, j
        ahead = len(size(a[i]) or b"") - len(size(b[j]) or b"")
        i, j = i + 1, j + 1
        while ahead:
            if ahead < 0:
                ahead += len(size(a[i]) or b"")
                i += 1
            else:
                ahead -= len(size(b[j]) or b"")
                j += 1
        yield i_from, i, j_from, j


def text_cause(emitted: Sequence[int], reencoded: Sequence[int]) -> str:
    """Why the same stretch of a body has other tokens."""
    if any(map(is_special, emitted)):
        return "special-text-defused"
    if vocabulary().decode_bytes(emitted) != vocabulary().decode_bytes(reencoded) or not all(map(is_known, emitted)):
        return "broken-bytes-replaced"
    return "retokenised"


_HANDLER: Final = "inspector.prompt.replace"
_BROKEN: ContextVar[list[tuple[int, int]]] = ContextVar("broken")


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Python's "replace", which also says where."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _BROKEN.get().append((error.start, error.end))
    return "\ufffd", error.end


codecs.register_error(_HANDLER, _replace)


def _shifted(bounds: list[int], broken: list[tuple[int, int]]) -> list[int]:
    """Byte offsets after every broken range has become the three bytes of U+FFFD; -1 inside of one."""
    moved: list[int] = []
    shift = 0
    index = 0
    for offset in bounds:
        while index < len(broken) and broken[index][1] <= offset:
            shift += 3 - (broken[index][1] - broken[index][0])
            index += 1
        inside = index < len(broken) and broken[index][0] < offset
        moved.append(-1 if inside else offset + shift)
    return moved
