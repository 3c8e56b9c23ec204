"""Styled lines that are too wide, folded without losing their styles."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from .visible import fitting, width_of


def folded(line: Text, width: int) -> Iterator[Text]:
    """``line`` in parts of at most ``width`` cells, broken at blanks where possible."""
    indent = 0
    while width_of(line.plain) > width - indent:
        fits = fitting(line.plain, width - indent)
        blank = line.plain.rfind(" ", 12, fits + 1)
        head, line = line.divide([blank if blank > 0 else fits])
        line = line[len(line.plain) - len(line.plain.lstrip(" ")) :]
        yield Text(" " * indent).append_text(head)
        indent = 6
    yield Text(" " * indent).append_text(line) if indent else line
