"""The format "text": a raw output as it was printed, markers spelled out.

Text that spells a marker becomes the marker's id; with ``markers=False`` it stays ordinary text (a
look-alike). What an editor or a paste adds is taken off: line breaks before the first marker, white space
after a closing one, otherwise one line break at the very end, and carriage returns when every line ends in
CRLF. Each of these is said in the notes.
"""

from __future__ import annotations

import re
from typing import Final

from ..tokens import START, vocabulary
from .values import plural
from .wrapping import Unwrapped

MARKER_TEXT: Final = re.compile(r"<\|(?:start|end|message|channel|constrain|return|call)\|>")
_CLOSED: Final = re.compile(r"<\|(?:end|return|call)\|>\Z")
_LEADING: Final = re.compile(r"[\r\n]++(?=<\|(?:start|channel)\|>)")


def describe(text: str) -> str:
    """Words for a text: "text with 5 markers, 210 characters"."""
    markers = sum(1 for _ in MARKER_TEXT.finditer(text))
    held = f"with {plural(markers, 'marker')}" if markers else "without markers"
    return f"text {held}, {plural(len(text), 'character')}"


def read_text(found: Unwrapped, *, markers: bool) -> tuple[list[int], list[str]]:
    """The ids of a pasted text, with notes on what was taken off on the way."""
    text, notes = found.text, list[str]()
    if not found.quoted:
        text, notes = _tidy(text, markers)
    encode = vocabulary().encode_markers if markers else vocabulary().encode
    if not markers and MARKER_TEXT.search(text):
        notes.append("marker-like text kept as ordinary text")
    return encode(text), notes


def role_of(ids: list[int] | tuple[int, ...]) -> str | None:
    """The role that ids continue when nothing says so: what begins with ``<|start|>`` is a conversation."""
    return None if ids and ids[0] == START else "assistant"


def _tidy(text: str, markers: bool) -> tuple[str, list[str]]:
    notes: list[str] = []
    breaks = text.count("\n")
    if breaks and text.count("\r\n") == breaks:
        text = text.replace("\r\n", "\n")
        notes.append("CRLF line ends read as LF")
    if markers:
        leading = _LEADING.match(text)
        if leading:
            text = text[leading.end() :]
            notes.append("line breaks before the first marker taken off")
        bare = text.rstrip()
        if bare != text and _CLOSED.search(bare, max(0, len(bare) - 16)):
            notes.append("white space after the last marker taken off")
            return bare, notes
    if text.endswith("\n"):
        text = text[:-1]
        notes.append("the line break at the end taken off")
    return text, notes
