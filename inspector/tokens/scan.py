"""One look at a transcript's ids, shared by all who walk it: where its special tokens are, and its text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from .markers import FIRST_SPECIAL, VOCABULARY_SIZE
from .vocabulary import vocabulary


class Scan:
    """Positions of special and unknown tokens (one vectorised pass), and decoded stretches, remembered.

    Attributes:
        ids: the tokens.
        specials: indexes of all special and unknown tokens, in order.
        unknown: indexes of ids that the vocabulary does not have, in order.
    """

    __slots__ = ("_texts", "ids", "specials", "unknown")

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = ids
        self._texts: dict[tuple[int, int], str] = {}
        self.specials: list[int]
        try:
            array = np.fromiter(ids, dtype=np.int64, count=len(ids))
        except OverflowError:
            self.specials = [i for i, token in enumerate(ids) if not 0 <= token < FIRST_SPECIAL]
        else:
            self.specials = np.flatnonzero((array >= FIRST_SPECIAL) | (array < 0)).tolist()
        self.unknown = [i for i in self.specials if not FIRST_SPECIAL <= ids[i] < VOCABULARY_SIZE]

    def after(self, position: int) -> int:
        """Index into ``specials`` of the first one at or after a token."""
        return bisect_left(self.specials, position)

    def knows(self, start: int, end: int) -> bool:
        """True when the vocabulary has every id in ``[start, end)``."""
        at = bisect_left(self.unknown, start)
        return at == len(self.unknown) or self.unknown[at] >= end

    def text(self, start: int, end: int) -> str:
        """The text of ``[start, end)``: broken UTF-8 becomes U+FFFD, unknown ids give nothing."""
        key = (start, end)
        text = self._texts.get(key)
        if text is None:
            table = vocabulary()
            part = self.ids[start:end]
            data = table.join(part) if self.knows(start, end) else table.decode_bytes(part)
            text = self._texts[key] = data.decode("utf-8", "replace")
        return text
