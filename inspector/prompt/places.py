"""From a place in a repaired transcript back to the original."""

from __future__ import annotations

from collections.abc import Iterable

from ..tokens import Edit


def map_back(edits: Iterable[Edit], position: int) -> int:
    """The index in the original transcript of token ``position`` of the repaired one.

    ``edits`` are those that made the repair: sorted, not overlapping, relative to the original. A token that
    an edit wrote maps to the first token that the edit replaced, or to the place where it was inserted.
    """
    shift = 0  # original index minus repaired index, behind the edits so far
    for edit in edits:
        if position < edit.start - shift:
            break
        if position < edit.start - shift + len(edit.ids):
            return edit.start
        shift += edit.end - edit.start - len(edit.ids)
    return position + shift
