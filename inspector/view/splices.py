"""How one list of rows became another, as few rows as that takes: for messages that say only what changed.

Rows that each list holds once are anchors (patience and Heckel's differences work so). Between two anchors both lists
are followed side by side; where they differ, the nearest row at which they meet again is looked for among the next few.
That takes time in proportion to the rows, whatever they are; a difference of fewest rows would not.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

LOOK_AHEAD: Final = 16
"""Rows up to which lists that differ are looked through for the next row that they share, if it is no anchor."""

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
    # As texts: rows are lists, which nothing can be looked up by.
    before, after = ([json.dumps(row) for row in rows] for rows in (a, b))
    at = to = 0
    for i, j in [*_same(before, after), (len(a), len(b))]:
        if i > at or j > to:
            yield at, i - at, b[to:j]
        at, to = i + 1, j + 1


def _same(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Rows that stay, as pairs of places that rise in both lists."""
    at = to = 0
    for i, j in [*_anchors(a, b), (len(a), len(b))]:
        yield from _side_by_side(a, b, at, i, to, j)
        if i < len(a):
            yield i, j
        at, to = i + 1, j + 1


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The most rows that each list holds once and that stand in the same order."""
    once, place = Counter(b), {row: j for j, row in enumerate(b)}
    mine = Counter(a)
    pairs = [(i, place[row]) for i, row in enumerate(a) if mine[row] == 1 and once[row] == 1]
    # The longest rising run of places in b: of every length the one that ends lowest, and what came before each pair.
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [number]
    found = []
    number = last[-1] if last else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _side_by_side(a: Sequence[str], b: Sequence[str], i: int, end: int, j: int, stop: int) -> Iterator[tuple[int, int]]:
    """Rows of a[i:end] and b[j:stop] that stay, found from left to right."""
    while i < end and j < stop:
        if a[i] == b[j]:
            yield i, j
            i, j = i + 1, j + 1
        else:
            i, j = _meeting(a, b, i, end, j, stop)


def _meeting(a: Sequence[str], b: Sequence[str], i: int, end: int, j: int, stop: int) -> tuple[int, int]:
    """The nearest places from which the lists are alike again; behind both rows when there are none nearby."""
    for far in range(1, LOOK_AHEAD + 1):
        if i + far < end and a[i + far] == b[j]:
            return i + far, j
        if j + far < stop and a[i] == b[j + far]:
            return i, j + far
        if i + far < end and j + far < stop and a[i + far] == b[j + far]:
            return i + far, j + far
    return i + 1, j + 1
