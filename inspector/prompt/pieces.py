"""An emitted header cut into the pieces that its message was read from.

A header that the strict parser accepted is read once more, backwards from the result: the message's fields
say which words count, and what is left is junk. Offsets are in bytes, because words begin and end inside
tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from ..tokens import MESSAGE, START, vocabulary
from .render import Kind

_CHANNEL: Final = "<|channel|>"
_CONSTRAIN: Final = "<|constrain|>"
_VALUE: Final = re.compile(r"[^\s<]*")
_SPACE: Final = " \t\n\f\r"
# A word with the white space before it. The strict parser splits on ASCII white space and puts a blank before
# every constrain marker. White space with no word behind it must not be searched: every blank of it would look for
# the word anew.
_WORD: Final = re.compile(rf"([{_SPACE}]*+)((?:<\|constrain\|>)?+(?:(?!<\|constrain\|>)[^{_SPACE}])++|<\|constrain\|>)")


class Fields(NamedTuple):
    """What was read from a header."""

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None


@dataclass(slots=True)
class EmittedPiece:
    """Tokens ``[start, end)`` of an emitted header.

    ``kinds`` has more than one entry where pieces meet inside a token and cannot be told apart. ``text`` is
    the piece's text, each byte one character.
    """

    kinds: tuple[Kind, ...]
    start: int
    end: int
    text: str


@dataclass(slots=True)
class _Raw:
    kind: Kind
    start: int
    end: int


def emitted_pieces(ids: Sequence[int], fields: Fields, *, opened: bool = True) -> list[EmittedPiece]:
    """``ids``, a header from its ``<|start|>`` (if it has one) to its ``<|message|>``, in pieces.

    The pieces cover the header in order. ``opened`` is False for the header that continues a role: its
    ``<|start|>`` was in the prompt, and another one is text that was read as a word.
    """
    token_bytes = vocabulary().token_bytes
    chunks = [token_bytes(token) or b"" for token in ids]
    text = b"".join(chunks).decode("latin-1")
    starts = [0, *accumulate(map(len, chunks))]
    begin = starts[1] if opened and ids and ids[0] == START else 0
    end = starts[-2] if ids and ids[-1] == MESSAGE and len(ids) > (1 if begin else 0) else starts[-1]
    raw = [_Raw(Kind.START, 0, begin)] if begin else []
    raw += _header_words(text, begin, end, _as_bytes(fields))
    if end < starts[-1]:
        raw.append(_Raw(Kind.MESSAGE, end, starts[-1]))
    return _on_token_bounds(raw, starts, text)


def _as_bytes(fields: Fields) -> Fields:
    coded = [None if value is None else value.encode("utf-8", "replace").decode("latin-1") for value in fields]
    return Fields(coded[0] or "", *coded[1:])


def _header_words(text: str, begin: int, end: int, fields: Fields) -> list[_Raw]:
    channels: list[_Raw] = []
    at = text.find(_CHANNEL, begin, end)
    if at >= 0:
        stop = _channel_end(text, at, end, fields.channel)
        used = fields.channel is not None and text[at + len(_CHANNEL) : stop] == fields.channel
        channels.append(_Raw(Kind.CHANNEL if used else Kind.JUNK, at, stop))
        words = _words(text, begin, at, fields) + _words(text, stop, end, fields)
    else:
        words = _words(text, begin, end, fields)
    _classify(words, text, fields)
    return sorted(channels + words, key=lambda piece: piece.start)


def _words(text: str, begin: int, end: int, fields: Fields) -> list[_Raw]:
    """The words of a stretch, each with the white space before it; further channel sections are junk."""
    words: list[_Raw] = []
    at = begin
    for match in _WORD.finditer(text, begin, _trimmed_end(text, begin, end)):
        word, start, stop = match.group(2), match.start(), match.end()
        inner = word.find(_CHANNEL)
        if inner >= 0 and word.removeprefix("to=") != fields.recipient and word != fields.content_type:
            # oss-harmony 0.0.10 and later cut out every further channel section.
            first = match.start(2)
            if inner:
                words.append(_Raw(Kind.SPACE, start, first + inner))
                start = first + inner
            words.append(_Raw(Kind.JUNK, start, stop))
        else:
            words.append(_Raw(Kind.SPACE, start, stop))
        at = stop
    if at < end:
        words.append(_Raw(Kind.JUNK, at, end))  # white space only; classified below
    return words


def _trimmed_end(text: str, begin: int, end: int) -> int:
    """Where the last word of ``text[begin:end]`` ends."""
    while end > begin and text[end - 1] in _SPACE:
        end -= 1
    return end


def _classify(words: list[_Raw], text: str, fields: Fields) -> None:
    """Say of each word what it was read as: the author from the front, the others from the back."""
    open_words = [word for word in words if word.kind is Kind.SPACE]
    for piece in words:
        blank = not text[piece.start : piece.end].strip(_SPACE)
        piece.kind = Kind.SPACE if blank else Kind.JUNK
    if open_words:
        first, word = open_words[0], _word(text, open_words[0])
        if fields.role == "tool" and word == fields.name:
            first.kind = Kind.NAME
            del open_words[0]
        elif word == fields.role:
            first.kind = Kind.ROLE
            del open_words[0]
        elif fields.name is not None and word == f"{fields.role}:{fields.name}":
            colon = first.end - len(fields.name) - 1
            words.insert(words.index(first) + 1, _Raw(Kind.NAME, colon, first.end))
            first.kind, first.end = Kind.ROLE, colon
            del open_words[0]
    if fields.content_type is not None:
        _take(open_words, text, Kind.CONTENT_TYPE, {fields.content_type})
    if fields.recipient is not None:
        _take(open_words, text, Kind.RECIPIENT, {fields.recipient, f"to={fields.recipient}"})


def _take(words: list[_Raw], text: str, kind: Kind, wanted: set[str]) -> None:
    for index in range(len(words) - 1, -1, -1):
        if _word(text, words[index]) in wanted:
            words[index].kind = kind
            del words[index]
            return


def _word(text: str, piece: _Raw) -> str:
    return text[piece.start : piece.end].lstrip(_SPACE)


def _channel_end(text: str, at: int, end: int, channel: str | None) -> int:
    at += len(_CHANNEL)
    if channel is not None and text.startswith(channel, at):
        return min(at + len(channel), end)
    match = _VALUE.match(text, at, end)
    return match.end() if match else at


def _on_token_bounds(raw: list[_Raw], starts: list[int], text: str) -> list[EmittedPiece]:
    """The pieces as token ranges; pieces that meet inside a token become one."""
    index_of = {offset: index for index, offset in reversed(list(enumerate(starts)))}
    pieces: list[EmittedPiece] = []
    open_at: int | None = None
    kinds: list[Kind] = []
    for piece in raw:
        if open_at is None:
            open_at = piece.start
        kinds.append(piece.kind)
        if piece.end in index_of:
            pieces.append(EmittedPiece(tuple(kinds), index_of[open_at], index_of[piece.end], text[open_at : piece.end]))
            open_at, kinds = None, []
    if raw:
        # Unknown ids have no bytes: the last piece takes those at the end.
        pieces[-1].end = len(starts) - 1
    return pieces
