"""How one list of rows became another, as few rows as that takes: for messages that say only what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

MAX_MATCHED: Final = 4000
"""Rows between the first and the last difference up to which they are matched; more of them are sent anew."""

Splice = list[Any]
"""``[at, removed, rows]``: at this place of the old list, so many rows give way to these."""


def splices(old: Sequence[Any], new: Sequence[Any]) -> list[Splice]:
    """What turns ``old`` into ``new`` (rows of JSON values), in order of place, without overlap."""
    first, removed, rows = trimmed(old, new)
    return [[first + at, gone, fresh] for at, gone, fresh in _middle(old[first : first + removed], rows)]


def trimmed(old: Sequence[Any], new: Sequence[Any]) -> Splice:
    """As one splice: everything from the first difference to the last."""
    first = 0
    while first < min(len(old), len(new)) and old[first] == new[first]:
        first += 1
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    return [first, len(old) - last - first, new[first : len(new) - last]]


def apply_splices(old: Sequence[Any], changes: Sequence[Splice]) -> list[Any]:
    """The new list."""
    out: list[Any] = []
    at = 0
    for start, removed, rows in changes:
        out += [*old[at:start], *rows]
        at = start + removed
    return [*out, *old[at:]]


def _middle(a: Sequence[Any], b: Sequence[Any]) -> Iterator[tuple[int, int, Sequence[Any]]]:
    if not a and not b:
        return
    if not a or not b or len(a) + len(b) > 2 * MAX_MATCHED:
        yield 0, len(a), b
        return
    # As texts: rows are lists, which nothing can be looked up by.
    before, after = ([json.dumps(row) for row in rows] for rows in (a, b))
    for tag, i, j, k, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield i, j - i, b[k:end]
