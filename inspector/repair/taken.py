"""The changes of one round: which fixes can be carried out together, whatever their number and order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, TypeVar

from ..tokens import Change, Edit

_Place = tuple[int, int]
"""A position as a plain pair, which the processor compares many times faster than a :class:`Position`."""

_Run = tuple[int, int]
"""Indexes ``[low, high)`` of changes that one change takes the place of; where it is inserted when they are equal."""

_T = TypeVar("_T")


class Taken:
    """Changes that were taken so far, in order of place, none clashing with another.

    As none clashes, their ends are in order as well as their starts: what touches a change is one run of
    neighbours, which two searches find, and which is replaced as a whole.
    """

    def __init__(self) -> None:
        self.changes: Final[list[Change]] = []
        self.keys: Final[list[str]] = []
        self._starts: Final[list[_Place]] = []
        self._ends: Final[list[_Place]] = []

    def offer(self, changes: Sequence[Change], key: str) -> None:
        """Take a fix, unless one of its changes clashes with an earlier one.

        What an earlier change takes out as a whole need not be changed as well; and the other way round.
        """
        wanted: list[Change] = []
        runs: list[_Run] = []
        for change in sorted(changes, key=lambda c: c.place):
            if wanted and wanted[-1].clashes(change):
                continue  # one fix may name a blank twice; taking it out once will do
            start, end = change.place[:2], change.place[2:]
            # Changes ``first`` to ``last`` replace some of the text that this one replaces.
            first, last = bisect_right(self._ends, start), bisect_left(self._starts, end)
            if first < last and self._starts[first] <= start and end <= self._ends[first]:
                continue
            low = max(first, bisect_left(self._starts, start))
            if first < last and (first < low or bisect_right(self._ends, end) < last):
                return
            runs.append((low, max(low, last)))
            wanted.append(change)
        if not wanted:
            return
        _splice(self.changes, runs, wanted)
        _splice(self.keys, runs, [key] * len(wanted))
        _splice(self._starts, runs, [change.place[:2] for change in wanted])
        _splice(self._ends, runs, [change.place[2:] for change in wanted])

    def keys_in(self, edit: Edit, start: int) -> list[str]:
        """Keys of the changes that an edit carries out, looking from index ``start`` on."""
        keys = []
        for index in range(start, len(self.changes)):
            change = self.changes[index]
            if change.start.token > edit.end:
                break
            if edit.start <= change.touched.start and change.touched.end <= edit.end:
                keys.append(self.keys[index])
        return keys


def _splice(items: list[_T], runs: Sequence[_Run], new: Sequence[_T]) -> None:
    """Put new items in the places of runs, which are in order. What follows is moved once, not once for each item."""
    written: list[_T] = []
    begin = at = runs[0][0]
    for (low, high), item in zip(runs, new, strict=True):
        written += items[at:low]
        written.append(item)
        at = high
    items[begin:at] = written
