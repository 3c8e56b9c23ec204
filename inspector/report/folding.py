"""Styled lines that are too wide, folded without losing their styles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from .visible import fitting, width_of

_INDENT: Final = 6


def folded(line: Text, width: int) -> Iterator[Text]:
    """``line`` in parts of at most ``width`` cells, broken at blanks where possible."""
    cuts = list(_cuts(line.plain, width))
    if not cuts:
        yield line
        return
    # Every second piece is the blanks between two lines.
    for number, part in enumerate(line.divide([place for cut in cuts for place in cut])[::2]):
        yield Text(" " * (_INDENT if number else 0)).append_text(part)


def _cuts(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where a line ends and the next one begins."""
    begin, room = 0, width
    # A rest of more than twice as many characters does not fit, or begins with many that take no room.
    while len(text) - begin > 2 * room or width_of(text[begin:]) > room:
        fits = fitting(text, room, begin)
        blank = text.rfind(" ", begin + 2 * _INDENT, begin + fits + 1)
        end = begin = blank if blank > 0 else begin + fits
        while text.startswith(" ", begin):
            begin += 1
        yield end, begin
        room = width - _INDENT
