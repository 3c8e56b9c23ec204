"""Text from a transcript, made fit for a terminal.

A transcript is hostile: it may hold terminal escapes, bidirectional overrides, characters that show nothing.
Everything that a report prints goes through :func:`visible`, after which a string holds printable characters
only, each of which shows where it stands:

* control characters become their pictures (``␛`` for ESC, ``␀`` for NUL), newline ``↵`` and tab ``⇥``;
* other characters that print nothing, reorder the line or pose as a space become ``<U+202E>``;
* a combining mark without a letter to sit on, and the third and further marks on one letter, too.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from rich.cells import cell_len, set_cell_size

ELLIPSIS: Final = "…"

_BLANKS: Final = frozenset(
    # They are letters, symbols or marks to Unicode, yet print nothing: the grapheme joiner, fillers, the
    # Khmer inherent vowels, Mongolian and other variation selectors (the emoji's among them: terminals
    # disagree on its width), the blank braille pattern.
    map(ord, "\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800")
) | {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
_PICTURES: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "␡",
    0x09: "⇥",
    0x0A: "↵",
}
_MAX_MARKS: Final = 2


def visible(text: str) -> str:
    """``text`` with every character that is not plainly printable replaced by a visible sign for it."""
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = _MAX_MARKS  # a mark at the very start has no letter to sit on
    for char in text:
        code = ord(char)
        if 0x20 <= code < 0x7F:
            out.append(char)
            marks = 0
        elif code in _PICTURES:
            out.append(_PICTURES[code])
            marks = _MAX_MARKS
        elif not char.isprintable() or code in _BLANKS:
            out.append(f"<U+{code:04X}>")
            marks = _MAX_MARKS
        elif unicodedata.category(char)[0] == "M":
            out.append(char if marks < _MAX_MARKS else f"<U+{code:04X}>")
            marks = min(marks + 1, _MAX_MARKS)
        else:
            out.append(char)
            marks = 0
    return "".join(out)


def width_of(text: str) -> int:
    """Terminal cells that ``text`` takes (2 for wide characters, 0 for combining marks)."""
    return cell_len(text)


def pad(text: str, cells: int) -> str:
    """``text`` filled with blanks to ``cells`` cells; longer text is left as it is."""
    return text + " " * max(0, cells - cell_len(text))


def clip(text: str, cells: int) -> str:
    """``text`` cut to ``cells`` cells, ending in an ellipsis where something was cut."""
    if len(text) <= cells and cell_len(text) <= cells:
        return text
    # Only the first characters can be seen: do not measure the rest of a long text.
    head = text[: cells + 1]
    return set_cell_size(head, max(0, cells - 1)).rstrip() + ELLIPSIS if cells > 0 else ""


def wrap(text: str, cells: int) -> list[str]:
    """``text`` (already visible) in lines of at most ``cells`` cells, broken at blanks where possible."""
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        size = cell_len(word)
        if line and used + 1 + size > cells:
            lines.append(line)
            line, used = "", 0
        at = 0
        while size > cells:
            fits = fitting(word, cells, at)
            lines.append(word[at : at + fits])
            at += fits
            # Measured whole only near its end: a long rest is as wide as what was cut off leaves of it.
            size = cell_len(word[at:]) if len(word) - at <= 2 * cells else size - cell_len(lines[-1])
        word = word[at:]
        if line:
            line, used = f"{line} {word}", used + 1 + size
        else:
            line, used = word, size
    lines.append(line)
    return lines


def fitting(text: str, cells: int, begin: int = 0) -> int:
    """How many characters of ``text`` from ``begin`` on fit into ``cells`` cells; one at least, so that loops end."""
    used = 0
    for at in range(begin, len(text)):
        used += cell_len(text[at])
        if used > cells and at > begin:
            return at - begin
    return len(text) - begin
