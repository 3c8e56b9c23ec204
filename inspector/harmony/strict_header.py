"""How the strict parser reads a header: its algorithm, word for word, as a function of the header's ids.

It works on decoded text: characters that spell ``<|channel|>`` act as the marker. Channel sections are cut
out, the rest is split into words, and the words are taken for role, recipient and content type from both ends.
Nothing of it is validated. Read off openai-harmony 0.0.8 and oss-harmony 0.0.11 (``src/encoding.rs``,
``parse_header_from_string``), which differ in one loop: the newer one cuts out every channel section and keeps
the first value, the older one cuts out the first section only.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final

from ..tokens import Span, is_known, vocabulary
from .message import ROLES
from .strict_escapes import debug_string
from .verdict import Dialect

_ROLES: Final = frozenset(ROLES)
_CHANNEL: Final = "<|channel|>"
_CONSTRAIN: Final = "<|constrain|>"

WHITE_SPACE: Final = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space, as Rust's ``trim`` and ``char::is_whitespace`` have it (Python's also has U+001C..1F)."""

_SECTION: Final = re.compile(rf"<\|channel\|>([^{WHITE_SPACE}<]*+)")
# Words are split at ASCII white space only (no vertical tab), and before every constrain marker.
_WORD: Final = re.compile(r"[^ \t\n\x0c\r]++")

_MEMORABLE: Final = 48
"""Longer headers are not remembered: the memory stays small and they never repeat."""


@dataclass(frozen=True, slots=True)
class ReadHeader:
    """What a header says.

    ``rest`` is the text of the words that were salvaged as content (lenient parsing only) and ``rest_words``
    their half-open range, as :func:`word_span` counts words.
    """

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None
    rest: str = ""
    rest_words: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class BadHeader:
    """Why a header cannot be read.

    ``kind`` is "E3" to "E8" and ``text`` the library's message; ``words`` is the half-open range of words (as
    :func:`blame` counts them) that are to blame.
    """

    kind: str
    text: str
    words: tuple[int, int] = (0, 0)


def read_header(
    ids: tuple[int, ...], role: str | None, dialect: Dialect, *, salvage: bool = False, unicode_17: bool = True
) -> ReadHeader | BadHeader:
    """Read the ids between ``<|start|>`` and ``<|message|>``.

    Args:
        ids: the header, without the markers around it.
        role: the role that the parser was told; it is then not looked for. None to read it from the header.
        dialect: whose algorithm.
        salvage: as ``strict=False`` does it when a stop token ends a header: recipient and content type are
            not looked for, all words behind the role are ``rest``.
        unicode_17: by which tables leftovers are escaped in the error text.
    """
    if len(ids) > _MEMORABLE:
        return _read(ids, role, dialect, salvage, unicode_17)
    return _remembered(ids, role, dialect, salvage, unicode_17)


def _read(
    ids: tuple[int, ...], role: str | None, dialect: Dialect, salvage: bool, unicode_17: bool
) -> ReadHeader | BadHeader:
    try:
        text = _decode(ids)
    except _Undecodable as error:
        if salvage:
            return BadHeader("E8", f"Could not decode tokens: {error}")
        return BadHeader("E3", "could not decode header")
    channel: str | None = None
    section = _SECTION.search(text)
    if section is not None:
        channel = section[1]
        if not channel:
            return BadHeader("E4", "channel marker present but no channel value found in header")
        text = _SECTION.sub("", text, count=_sections_cut(dialect))
    words = [text[start:end] for start, end in _words(text)]
    return _read_words(words, role, channel, salvage, unicode_17)


_remembered = lru_cache(maxsize=4096)(_read)


def _read_words(
    words: list[str], role: str | None, channel: str | None, salvage: bool, unicode_17: bool
) -> ReadHeader | BadHeader:
    first, last = 0, len(words)
    spoken: str | None = None
    if role is None:
        if not words:
            return BadHeader("E5", "message header did not contain a role")
        spoken = role = words[0]
        if spoken not in _ROLES:
            if last == 1 and not spoken.startswith("to="):
                return BadHeader("E6", f"Unknown role: {spoken}", (0, 1))
            role = "tool"
            first = 1
    if first < last and words[first] == role:
        first += 1
    name = spoken if role == "tool" else None
    if salvage:
        return ReadHeader(role, name, channel, None, None, " ".join(words[first:last]), (first, last))
    recipient = content_type = None
    if first < last:
        last -= 1
        if words[last].startswith("to=") or first == last:
            recipient = words[last].removeprefix("to=")
        else:
            content_type = words[last]
            last -= 1
            recipient = words[last].removeprefix("to=")
    if first < last:
        left = debug_string(" ".join(words[first:last]), unicode_17)
        return BadHeader("E7", f"unexpected tokens remaining in message header: Some({left})", (first, last))
    return ReadHeader(role, name, channel, recipient, content_type)


class _Undecodable(Exception):
    """The header is not text. Its message is the library's; ``start`` and ``end`` are the tokens to blame."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


def _decode(ids: tuple[int, ...]) -> str:
    table = vocabulary()
    data = table.decode_bytes(ids)
    for index, token in enumerate(ids):
        if not is_known(token):
            end = index + 1
            while end < len(ids) and not is_known(ids[end]):
                end += 1
            raise _Undecodable(f"Invalid token error: Invalid token for decoding: {token}", index, end)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        ends = _byte_ends(ids)
        start, end = bisect_right(ends, error.start), bisect_right(ends, error.end - 1) + 1
        if error.reason == "unexpected end of data":
            why = f"incomplete utf-8 byte sequence from index {error.start}"
        else:
            why = f"invalid utf-8 sequence of {error.end - error.start} bytes from index {error.start}"
        raise _Undecodable(f"Invalid utf-8 sequence: {why}", start, end) from None


def _sections_cut(dialect: Dialect) -> int:
    # A value ends at white space or "<", so what is glued together can never spell a new marker: one pass
    # over the text does the same as the library's search from the beginning after every cut.
    return 1 if dialect is Dialect.FIRST_ONLY else 0


def _words(text: str) -> Iterator[tuple[int, int]]:
    first = len(text) - len(text.lstrip(WHITE_SPACE))
    last = len(text.rstrip(WHITE_SPACE))
    for match in _WORD.finditer(text, first, max(first, last)):
        start, end = match.span()
        marker = text.find(_CONSTRAIN, start + 1, end)
        while marker >= 0:
            yield start, marker
            start = marker
            marker = text.find(_CONSTRAIN, start + 1, end)
        yield start, end


def _byte_ends(ids: tuple[int, ...]) -> list[int]:
    token_bytes = vocabulary().token_bytes
    return list(accumulate(len(token_bytes(i) or b"") for i in ids))


def blame(ids: tuple[int, ...], bad: BadHeader, dialect: Dialect) -> Span:
    """The tokens of a header that are to blame, counted from its first: narrower than the library's index.

    E3 and E8: what cannot be decoded. E4: the marker without a value. E5: the empty place where a role was
    expected. E6: from the second channel marker when the unknown role holds one, else the unknown role. E7:
    the words that are left over.
    """
    if bad.kind == "E5":
        return Span(0, 0)
    try:
        text = _decode(ids)
    except _Undecodable as error:
        return Span(error.start, error.end)
    if bad.kind == "E4":
        start = text.index(_CHANNEL)
        return _token_span(ids, text, start, start + len(_CHANNEL))
    return word_span(ids, bad.words, dialect, from_channel=bad.kind == "E6")


def word_span(ids: tuple[int, ...], words: tuple[int, int], dialect: Dialect, *, from_channel: bool = False) -> Span:
    """The tokens that hold the words ``[first, last)`` of a decodable header; empty at its end for no words."""
    text = _decode(ids)
    kept: list[str] = []
    shifts: list[tuple[int, int]] = []  # (offset in the text without sections, offset in the header)
    at = length = 0
    for section in _SECTION.finditer(text):
        shifts.append((length, at))
        kept.append(text[at : section.start()])
        length += section.start() - at
        at = section.end()
        if dialect is Dialect.FIRST_ONLY:
            break
    shifts.append((length, at))
    kept.append(text[at:])
    glued = "".join(kept)
    chosen = list(_words(glued))[words[0] : words[1]]
    if not chosen:
        return Span(len(ids), len(ids))
    start, end = chosen[0][0], chosen[-1][1]
    if from_channel:
        marker = glued.find(_CHANNEL, start, end)
        start = marker if marker >= 0 else start

    def original(offset: int) -> int:
        glue, there = shifts[bisect_right(shifts, (offset, len(text))) - 1]
        return there + offset - glue

    return _token_span(ids, text, original(start), original(end - 1) + 1)


def _token_span(ids: tuple[int, ...], text: str, start: int, end: int) -> Span:
    ends = _byte_ends(ids)
    first = len(text[:start].encode())
    last = first + len(text[start:end].encode())
    return Span(bisect_right(ends, first), bisect_right(ends, last - 1) + 1)
