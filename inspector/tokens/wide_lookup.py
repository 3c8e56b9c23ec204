"""The wide text of single tokens, wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .markers import FIRST_SPECIAL
from .vocabulary import vocabulary
from .wide import WideText, ends_character


class WideLookup:
    """The wide text of single tokens; a character spread over several is given to the first of them.

    Tokens between which a character may go on are read together, and once: whoever asks for many tokens of one
    transcript should ask one lookup.
    """

    __slots__ = ("_ids", "_stretches")

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids: Final = ids
        self._stretches: Final[dict[int, WideText]] = {}  # by each of their tokens

    def __len__(self) -> int:
        return len(self._ids)

    def of(self, token: int) -> str:
        """The wide text of one token, by its index in the transcript."""
        stretch = self._stretches.get(token)
        return (stretch if stretch is not None else self._stretch(token)).of(token)

    def _stretch(self, token: int) -> WideText:
        start, end = token, token + 1
        while start > 0 and not _closes(self._ids[start - 1]):
            start -= 1
        while end < len(self._ids) and not _closes(self._ids[end - 1]):
            end += 1
        wide = WideText(self._ids[start:end], start)
        if end - start > 1:
            self._stretches.update(dict.fromkeys(range(start, end), wide))
        return wide


def _closes(token: int) -> bool:
    """True when no character goes on behind this token, whatever stands before it."""
    data = vocabulary().token_bytes(token) if 0 <= token < FIRST_SPECIAL else None
    if data is None or data.isascii():
        return True
    whole = ends_character(data[-3:])
    return len(data) >= 3 if whole is None else whole
