"""Text from elsewhere inside Streamlit's own elements, which read Markdown."""

from __future__ import annotations

import re
from typing import Final

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_SPACE: Final = re.compile(r"\s+")
_UNPRINTED: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


_LINKED: Final = re.compile(r"(?i)(?<=http)(?=://)|(?<=https)(?=://)|(?<=www)(?=\.)|(?=@[-\w]+\.)")
_NOTHING: Final = ":small[]"
"""Markdown that Streamlit shows as nothing at all."""


def as_markdown(text: str) -> str:
    """``text`` as Markdown that shows exactly these characters, on one line, the invisible ones by number.

    Addresses stay text: Streamlit makes links even of escaped ones, which an empty element within them prevents. What
    is copied from the page is the text alone.
    """
    one_line = _SPACE.sub(" ", text)
    named = _UNPRINTED.sub(lambda match: f"U+{ord(match.group()):04X}", one_line)
    cut = _LINKED.split(named)
    return _NOTHING.join(_PUNCTUATION.sub(r"\\\1", piece) for piece in cut)
