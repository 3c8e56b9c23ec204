"""Wide text: a stretch of tokens as a Python string in which nothing is lost and nothing is confused.

Headers have to be read as text (fields begin and end inside tokens), but a marker must never be mistaken for
characters that spell it, and broken bytes must survive. In wide text

* ordinary tokens give their UTF-8 text; a byte that is not valid UTF-8 gives a lone low surrogate
  U+DC80..U+DCFF, as Python's ``surrogateescape`` does;
* every special token is one character: U+D800 + (id - 199998) for the first 1024 of them, from U+DC00 on for
  the 67 others;
* an unknown id is U+DD00.

UTF-8 text never decodes to a surrogate, so the reading is exact and :func:`encode_wide` undoes it (but for
unknown ids, which cannot be written).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final

from .markers import (
    CALL,
    CHANNEL,
    CONSTRAIN,
    END,
    FIRST_SPECIAL,
    MESSAGE,
    RETURN,
    START,
    VOCABULARY_SIZE,
    is_special,
    special_text,
)
from .spans import Position, Span
from .vocabulary import vocabulary

UNKNOWN: Final = "\udd00"


def wide_special(token: int) -> str:
    """The one character that stands for a special token."""
    offset = token - FIRST_SPECIAL
    return chr(0xD800 + offset) if offset < 0x400 else chr(0xDC00 + offset - 0x400)


W_START: Final = wide_special(START)
W_CHANNEL: Final = wide_special(CHANNEL)
W_CONSTRAIN: Final = wide_special(CONSTRAIN)
W_MESSAGE: Final = wide_special(MESSAGE)
W_END: Final = wide_special(END)
W_CALL: Final = wide_special(CALL)
W_RETURN: Final = wide_special(RETURN)

_BYTES: Final = re.compile("[\udc80-\udcff]+")
_ANY: Final = re.compile("[\ud800-\udfff]")


def special_id(char: str) -> int | None:
    """The special token that a wide character stands for, or None when it stands for none."""
    code = ord(char)
    if 0xD800 <= code < 0xDC00:
        return FIRST_SPECIAL + code - 0xD800
    if 0xDC00 <= code < 0xDC00 + VOCABULARY_SIZE - FIRST_SPECIAL - 0x400:
        return FIRST_SPECIAL + 0x400 + code - 0xDC00
    return None


class WideText:
    """The wide text of a stretch of tokens, with the way back from characters to tokens.

    ``text`` is the string and ``starts[i]`` the offset at which token ``first + i`` begins (one entry more
    than there are tokens). A character spread over several tokens belongs to the first of them; the others
    are empty, which is the only way for a token to be empty.
    """

    __slots__ = ("first", "starts", "text")

    def __init__(self, ids: Sequence[int], first: int = 0) -> None:
        self.first = first
        token_bytes = vocabulary().token_bytes
        pieces: list[str] = []
        group: list[bytes] = []
        for token in ids:
            if 0 <= token < FIRST_SPECIAL:
                group.append(token_bytes(token) or b"")
                if _complete(group):
                    pieces += _decode_group(group)
                    group = []
            else:
                pieces += _decode_group(group)
                group = []
                pieces.append(wide_special(token) if is_special(token) else UNKNOWN)
        pieces += _decode_group(group)
        self.text = "".join(pieces)
        self.starts = [0, *accumulate(map(len, pieces))]

    def position(self, offset: int) -> Position:
        """The place of a character offset; an offset between two tokens is the start of the second."""
        index = bisect_right(self.starts, offset, 0, len(self.starts)) - 1
        return Position(self.first + index, offset - self.starts[index])

    def span(self, start: int, end: int) -> Span:
        """The tokens that hold the characters ``[start, end)``; empty when ``start == end``."""
        if start >= end:
            at = bisect_right(self.starts, start) - 1
            return Span(self.first + at, self.first + at)
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, end - 1)
        while last < len(self.starts) - 1 and self.starts[last] == self.starts[last + 1]:
            last += 1
        return Span(self.first + first, self.first + last)

    def of(self, token: int) -> str:
        """The wide text of one token, by its index in the transcript."""
        index = token - self.first
        return self.text[self.starts[index] : self.starts[index + 1]]


def wide_text(ids: Sequence[int]) -> str:
    """The wide text of ``ids``."""
    return WideText(ids).text


def encode_wide(text: str) -> list[int]:
    """Token ids for wide text: :class:`WideText` undone, but for how ordinary text is cut into tokens.

    Raises:
        ValueError: ``text`` holds the character of an unknown id, which cannot be written.
    """
    ids: list[int] = []
    at = 0
    for match in _ANY.finditer(text):
        if match.start() < at:
            continue
        ids += vocabulary().encode(text[at : match.start()])
        at = match.start()
        token = special_id(match.group())
        if token is not None:
            ids.append(token)
            at += 1
            continue
        escaped = _BYTES.match(text, at)
        if escaped is None:
            raise ValueError("an unknown id cannot be encoded")
        # Every byte is a token of its own in o200k_base, so broken bytes can be written one by one.
        ids += [_byte_tokens()[byte] for byte in escaped.group().encode("utf-8", "surrogateescape")]
        at = escaped.end()
    return ids + vocabulary().encode(text[at:])


def printable(text: str) -> str:
    """Wide text for people: specials as they are printed, broken bytes as ``\\xe6``, unknown ids as ``<|?|>``."""
    return _ANY.sub(lambda m: _print_char(m.group()), text)


def _print_char(char: str) -> str:
    token = special_id(char)
    if token is not None:
        return special_text(token)
    return "<|?|>" if char == UNKNOWN else f"\\x{ord(char) - 0xDC00:02x}"


@lru_cache(maxsize=1)
def _byte_tokens() -> dict[int, int]:
    # o200k_base ranks the 256 single bytes first.
    table = vocabulary()
    return {(table.token_bytes(i) or b"")[0]: i for i in range(256)}


def _complete(group: list[bytes]) -> bool:
    """False while the bytes so far end inside a character that may still be completed."""
    # No token is empty: three of them hold the last three bytes.
    return ends_character(b"".join(group[-3:])[-3:]) is not False


def ends_character(tail: bytes) -> bool | None:
    """True when a character ends with these last three bytes of a text (or fewer), False when it may go on behind
    them, None when they are all of its middle, so that what stands before them decides."""
    for back in range(1, len(tail) + 1):
        byte = tail[-back]
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4 if byte < 0xF8 else 1
            return back >= need
        if byte < 0x80:
            return True
    return None


def _decode_group(group: list[bytes]) -> list[str]:
    if not group:
        return []
    joined = b"".join(group).decode("utf-8", "surrogateescape")
    if len(group) == 1:
        return [joined]
    # Only a real character makes tokens go together: broken bytes belong to the token that holds them.
    ends: dict[int, int] = {}  # where characters end: in the text, by the bytes up to there
    size = 0
    for index, char in enumerate(joined, 1):
        size += 1 if "\udc80" <= char <= "\udcff" else len(char.encode())
        ends[size] = index
    pieces: list[str] = []
    size = begun = together = 0
    for piece in group:
        size += len(piece)
        together += 1
        end = ends.get(size)
        if end is not None:
            pieces += [joined[begun:end], *[""] * (together - 1)]
            begun, together = end, 0
    return pieces


def printable_body(text: str) -> str:
    """Wide text as the content of a message: specials as they are printed, broken bytes and unknown ids as U+FFFD."""
    if not _ANY.search(text):
        return text
    return _ANY.sub(_content_char, text)


def _content_char(match: re.Match[str]) -> str:
    token = special_id(match.group())
    return special_text(token) if token is not None else "\ufffd"
