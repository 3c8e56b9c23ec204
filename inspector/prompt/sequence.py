"""Two token sequences that need not spell the same text, aligned within a guaranteed bound.

Anchors are runs of tokens that occur exactly once on either side; the longest row of anchors in the same
order on both sides is kept, and the gaps between them are searched again for shorter ones. A gap in which
nothing is unique any more is compared cell by cell when it is small and is one difference otherwise. So the
result is not always the smallest possible, but the cost is O(n log n) for any input, repetitive text too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

_RUNS: Final = (12, 4, 1)
# Gaps are compared cell by cell at once up to the smaller size, and up to the larger one when all else failed.
_FEW_CELLS: Final = 48
_CELLS: Final = 1024


class Gap(NamedTuple):
    """Tokens ``[a0, a1)`` of one sequence and ``[b0, b1)`` of the other, aligned with each other."""

    a0: int
    a1: int
    b0: int
    b1: int


def differences(a: Sequence[int], b: Sequence[int]) -> list[Gap]:
    """Where ``a`` and ``b`` differ, in order; what lies between the gaps is equal."""
    found: list[Gap] = []
    work = [(Gap(0, len(a), 0, len(b)), 0)]
    while work:
        gap, level = work.pop()
        gap = _trimmed(a, b, gap)
        rows, columns = gap.a1 - gap.a0, gap.b1 - gap.b0
        if not rows and not columns:
            continue
        if not rows or not columns:
            found.append(gap)
        elif rows * columns <= (_CELLS if level == len(_RUNS) else _FEW_CELLS):
            found += reversed(_small(a, b, gap))
        elif level == len(_RUNS):
            found.append(gap)
        else:
            # Gaps are taken from the end of the list, so the rightmost is done first.
            work += [(inner, level + 1) for inner in _split(a, b, gap, _RUNS[level])]
    found.reverse()
    return found


def _trimmed(a: Sequence[int], b: Sequence[int], gap: Gap) -> Gap:
    a0, a1, b0, b1 = gap
    while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
        a0, b0 = a0 + 1, b0 + 1
    while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
    return Gap(a0, a1, b0, b1)


def _split(a: Sequence[int], b: Sequence[int], gap: Gap, run: int) -> list[Gap]:
    """The gaps between the anchors of ``run`` tokens, in order."""
    in_b = _unique(b, gap.b0, gap.b1, run)
    pairs = [(at, in_b[key]) for key, at in _unique(a, gap.a0, gap.a1, run).items() if key in in_b]
    pairs.sort()
    inner: list[Gap] = []
    a_at, b_at = gap.a0, gap.b0
    for a_to, b_to in _rising(pairs):
        if a_to < a_at or b_to < b_at:
            continue  # inside the stretch of the anchor before it
        inner.append(Gap(a_at, a_to, b_at, b_to))
        a_at, b_at = a_to + run, b_to + run
        while a_at < gap.a1 and b_at < gap.b1 and a[a_at] == b[b_at]:
            a_at, b_at = a_at + 1, b_at + 1
    inner.append(Gap(a_at, gap.a1, b_at, gap.b1))
    return inner


def _unique(ids: Sequence[int], start: int, end: int, run: int) -> dict[tuple[int, ...], int]:
    """Runs that occur once in ``ids[start:end]``, with their place."""
    places: dict[tuple[int, ...], int] = {}
    window = ids[start:end]
    for at, key in enumerate(zip(*(window[shift:] for shift in range(run)), strict=False), start):
        places[key] = -1 if key in places else at
    return {key: at for key, at in places.items() if at >= 0}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest row of ``pairs`` (sorted by the first) in which the second rises as well."""
    tails: list[int] = []
    last: list[int] = []  # index of the pair that ends the best row of each length
    before: list[int] = []
    for index, (_, b_at) in enumerate(pairs):
        length = bisect_left(tails, b_at)
        before.append(last[length - 1] if length else -1)
        if length == len(tails):
            tails.append(b_at)
            last.append(index)
        else:
            tails[length] = b_at
            last[length] = index
    row: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        row.append(pairs[at])
        at = before[at]
    row.reverse()
    return row


def _small(a: Sequence[int], b: Sequence[int], gap: Gap) -> list[Gap]:
    """The differences of a small gap by the longest common subsequence, in order."""
    rows, columns = gap.a1 - gap.a0, gap.b1 - gap.b0
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            same = a[gap.a0 + i] == b[gap.b0 + j]
            best[i][j] = best[i + 1][j + 1] + 1 if same else max(best[i + 1][j], best[i][j + 1])
    found: list[Gap] = []
    i = j = i0 = j0 = 0
    while i < rows or j < columns:
        if i < rows and j < columns and a[gap.a0 + i] == b[gap.b0 + j]:
            if i > i0 or j > j0:
                found.append(Gap(gap.a0 + i0, gap.a0 + i, gap.b0 + j0, gap.b0 + j))
            i, j = i + 1, j + 1
            i0, j0 = i, j
        elif j == columns or (i < rows and best[i + 1][j] >= best[i][j + 1]):
            i += 1
        else:
            j += 1
    if i > i0 or j > j0:
        found.append(Gap(gap.a0 + i0, gap.a1, gap.b0 + j0, gap.b1))
    return found
