"""How much of what people call a transcript is drawn; what is stored and exported stays whole.

A browser lays out a title of a hundred thousand characters, or five thousand tags, for tens of seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MOST_TITLE: Final = 300
"""Characters of a title."""

MOST_STORY: Final = 4_000
"""Characters of a story."""

MOST_WORDS: Final = 40
"""Tags of a sample; also codes and releases that it names."""

MOST_WORD: Final = 60
"""Characters of each of them."""

MOST_GALLERY_TITLE: Final = 120
"""Characters of a gallery's title."""

MOST_DESCRIPTION: Final = 1_000
"""Characters of a gallery's description."""


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, ending in an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def cut_words(words: Iterable[str]) -> list[str]:
    """The first :data:`MOST_WORDS` of these, each in at most :data:`MOST_WORD` characters."""
    return [cut(word, MOST_WORD) for _, word in zip(range(MOST_WORDS), words, strict=False)]
