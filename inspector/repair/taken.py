"""The changes of one round: which fixes can be carried out together, whatever their number and order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from ..tokens import Change, Edit

_Entry = tuple[int, int, int, int, Change, str]
"""A change with its key, led by the plain numbers of its place: the processor compares those many times faster."""

_Run = tuple[int, int]
"""Indexes ``[low, high)`` of entries that one change takes the place of; where it is inserted when they are equal."""


class Taken:
    """Changes that were taken so far, in order of place, none clashing with another.

    As none clashes, their ends are in order as well as their starts: what clashes with a change is one run of
    neighbours, which two searches find, and which is replaced as a whole.
    """

    def __init__(self) -> None:
        self._entries: Final[list[_Entry]] = []

    @property
    def changes(self) -> list[Change]:
        """What was taken, in order of place."""
        return [entry[4] for entry in self._entries]

    def offer(self, changes: Sequence[Change], key: str) -> None:
        """Take a fix, unless one of its changes clashes with an earlier one.

        What an earlier change takes out as a whole need not be changed as well; and the other way round.
        """
        wanted: list[_Entry] = []
        runs: list[_Run] = []
        for change in sorted(changes, key=lambda c: c.place):
            if wanted and wanted[-1][4].clashes(change):
                continue  # one fix may name a blank twice; taking it out once will do
            first, last = self._clashing(change)
            if first < last:
                if _within(change, self._entries[first][4]):
                    continue
                # Only the outermost can reach beyond the change.
                if not (_within(self._entries[first][4], change) and _within(self._entries[last - 1][4], change)):
                    return
            runs.append((first, last))
            wanted.append((*change.place, change, key))
        if wanted:
            self._replace(runs, wanted)

    def _clashing(self, change: Change) -> _Run:
        """The entries that replace some of the text that a change replaces; if none does, where it belongs."""
        start_token, start_char, end_token, end_char = change.place
        # Insertions at the very start stay in front.
        first = bisect_left(self._entries, (start_token, start_char, start_token, start_char + 1))
        if first and self._entries[first - 1][2:4] > (start_token, start_char):
            first -= 1
        return first, max(first, bisect_left(self._entries, (end_token, end_char), first))

    def _replace(self, runs: Sequence[_Run], wanted: Sequence[_Entry]) -> None:
        """Put entries in the places of runs. What follows is moved once for all of a fix, not once for each change."""
        written: list[_Entry] = []
        begin = at = runs[0][0]
        for (first, last), entry in zip(runs, wanted, strict=True):
            written += self._entries[at:first]
            written.append(entry)
            at = last
        self._entries[begin:at] = written

    def keys_of(self, edits: Sequence[Edit]) -> list[tuple[str, ...]]:
        """For each of some edits, in order of place, the keys of the changes that it carries out, each once."""
        keys = []
        at = 0
        for edit in edits:
            # Both lists are in order of place; an insertion at the end of one edit may begin the next.
            while at < len(self._entries) and self._entries[at][4].touched.end < edit.start:
                at += 1
            keys.append(tuple(dict.fromkeys(self._keys_in(edit, at))))
        return keys

    def _keys_in(self, edit: Edit, start: int) -> list[str]:
        """Keys of the changes that an edit carries out, looking from index ``start`` on."""
        keys = []
        for index in range(start, len(self._entries)):
            *_, change, key = self._entries[index]
            if change.start.token > edit.end:
                break
            if edit.start <= change.touched.start and change.touched.end <= edit.end:
                keys.append(key)
        return keys


def _within(inner: Change, outer: Change) -> bool:
    """True when ``inner`` replaces text that ``outer`` takes out as a whole."""
    if inner.start == inner.end:
        return outer.start < inner.start < outer.end
    return outer.start <= inner.start and inner.end <= outer.end
