"""Text from elsewhere inside Streamlit's own elements, which read Markdown."""

from __future__ import annotations

import re
from typing import Final

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_SPACE: Final = re.compile(r"\s+")
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


_LINKED: Final = re.compile(r"(?i)(?<=http)(?=://)|(?<=https)(?=://)|(?<=www)(?=\.)|(?=@)")
_JOINER: Final = "\u2060"


def as_markdown(text: str) -> str:
    """``text`` as Markdown that shows exactly these characters, on one line, the invisible ones by number.

    Addresses stay text: Streamlit makes links even of escaped ones, which a joiner of no width within them prevents.
    """
    one_line = _SPACE.sub(" ", text)
    named = _UNPRINTED.sub(lambda match: f"U+{ord(match.group()):04X}", one_line)
    return _PUNCTUATION.sub(r"\\\1", _LINKED.sub(_JOINER, named))
