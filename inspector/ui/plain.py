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
_COMMAND: Final = re.compile(
    r"(?<![`\\])(`(?:harmonylens(?: (?:-{0,2}[a-z]++(?:-[a-z]++)*+|[A-Z]++)){0,6}+|make app)`)(?!`)"
)
"""What our sentences tell people to type, in backticks. Letters, blanks and hyphens alone: nothing in it can end the
code that it is shown as, whoever wrote it."""

_NOTHING: Final = ":small[]"
"""Markdown that Streamlit shows as nothing at all."""


def as_markdown(text: str) -> str:
    """``text`` as Markdown that shows exactly these characters, on one line, the invisible ones by number.

    Addresses stay text: Streamlit makes links even of escaped ones, which an empty element within them prevents. What
    is copied from the page is the text alone. A command of our own in backticks is shown as code.
    """
    one_line = _SPACE.sub(" ", text)
    named = _UNPRINTED.sub(lambda match: f"U+{ord(match.group()):04X}", one_line)
    # Every second piece is a command.
    pieces = _COMMAND.split(named)
    return "".join(piece if at % 2 else _escaped(piece) for at, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    return _NOTHING.join(_PUNCTUATION.sub(r"\\\1", piece) for piece in _LINKED.split(text))
