"""Spans, edits and changes: the only ways in which this project points into a transcript or alters one.

* :class:`Span` is a half-open range of token indexes.
* :class:`Edit` replaces a span of tokens by other tokens. Sorted, non-overlapping edits are what a fix shows.
* :class:`Change` is finer: it may begin and end *inside* a token, because header fields do (the token for
  ``"},"`` can close an argument and open junk). Changes compose: two fixes that touch the same token are
  rewritten together by :func:`changes_to_edits`, so each can still be switched on its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range ``[start, end)`` of token indexes."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """True when the two share a token; empty spans share none."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace tokens ``[start, end)`` by ``ids``; an insertion when ``start == end``."""

    start: int
    end: int
    ids: tuple[int, ...] = ()

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the wide text of a transcript (see :mod:`inspector.tokens.wide`).

    ``token`` is a token index and ``char`` an offset into that token's wide text. ``Position(n, 0)`` is the
    boundary before token ``n``; the end of the transcript is ``Position(len(ids), 0)``.
    """

    token: int
    char: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """Replace the wide text between two positions by ``text`` (wide text too, so it can hold markers)."""

    start: Position
    end: Position
    text: str = ""

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Start and end as plain numbers, to sort and to search by."""
        return self.start.token, self.start.char, self.end.token, self.end.char

    @property
    def touched(self) -> Span:
        """The tokens that have to be rewritten; empty for an insertion at a token boundary."""
        return Span(self.start.token, self.end.token + (1 if self.end.char else 0))

    def clashes(self, other: Change) -> bool:
        """True when the two replace a common piece of text (insertions at one place do not clash)."""
        return self.start < other.end and other.start < self.end


def apply_edits(ids: Sequence[int], edits: Iterable[Edit]) -> list[int]:
    """``ids`` with sorted, non-overlapping ``edits`` applied.

    Raises:
        ValueError: the edits are unsorted, overlap or point outside ``ids``.
    """
    out: list[int] = []
    at = 0
    for edit in edits:
        if not at <= edit.start <= edit.end <= len(ids):
            raise ValueError(f"edit {edit.start}..{edit.end} overlaps the one before it or leaves the transcript")
        out += ids[at : edit.start]
        out += edit.ids
        at = edit.end
    out += ids[at:]
    return out


def changes_to_edits(
    changes: Iterable[Change], count: int, wide_of: Callable[[int], str], encode: Callable[[str], list[int]]
) -> list[Edit]:
    """Token edits that carry out ``changes`` together.

    ``count`` is the length of the transcript, ``wide_of(i)`` the wide text of its token ``i``; ``encode`` turns
    wide text back into ids. Changes that share a token, or meet inside one, are rewritten as one edit. Where
    several insertions stand at one position they keep the order in which they are given.

    Raises:
        ValueError: two changes clash (they replace a common piece of text).
    """
    ordered = sorted(changes, key=lambda c: c.place)
    for before, after in pairwise(ordered):
        if before.clashes(after):
            raise ValueError(f"two changes replace the same text at token {after.start.token}")
    groups: list[list[Change]] = []
    ends: list[int] = []  # of each group, where the tokens that it touches end
    for change in ordered:
        # A change that starts inside the token in which the group before it ends must be written with it.
        if groups and change.start.token < ends[-1]:
            groups[-1].append(change)
            ends[-1] = max(ends[-1], change.touched.end)
        else:
            groups.append([change])
            ends.append(change.touched.end)
    edits: list[Edit] = []
    for group, last in zip(groups, ends, strict=True):
        first = group[0].start.token
        # A token without wide text continues the character of the one before it: they go together.
        while last > first and last < count and not wide_of(last):
            last += 1
        out: list[str] = []
        at = Position(first, 0)
        for change in group:
            out.append(_between(at, change.start, wide_of))
            out.append(change.text)
            at = change.end
        out.append(_between(at, Position(last, 0), wide_of))
        edits.append(Edit(first, last, tuple(encode("".join(out)))))
    return _merge_adjacent(edits)


def _between(start: Position, end: Position, wide_of: Callable[[int], str]) -> str:
    if start >= end:
        return ""
    if start.token == end.token:
        return wide_of(start.token)[start.char : end.char]
    parts = [wide_of(start.token)[start.char :]]
    parts += [wide_of(i) for i in range(start.token + 1, end.token)]
    if end.char:
        parts.append(wide_of(end.token)[: end.char])
    return "".join(parts)


def _merge_adjacent(edits: list[Edit]) -> list[Edit]:
    merged: list[Edit] = []
    run: list[Edit] = []  # edits that become one: many may stand at one place
    for edit in edits:
        if run and not (run[-1].end == edit.start and (run[0].start == edit.start or edit.start == edit.end)):
            merged.append(_as_one(run))
            run = []
        run.append(edit)
    return [*merged, _as_one(run)] if run else merged


def _as_one(run: Sequence[Edit]) -> Edit:
    if len(run) == 1:
        return run[0]
    return Edit(run[0].start, run[-1].end, tuple(chain.from_iterable(edit.ids for edit in run)))


Marked = tuple[Edit, tuple[str, ...]]
"""An edit with the keys of the diagnostics that asked for it."""


def compose(first: Sequence[Marked], second: Sequence[Marked], length: int) -> list[Marked]:
    """One list of edits that does what ``first`` and then ``second`` do.

    ``first`` edits a sequence of ``length`` tokens, ``second`` edits the result; both are sorted and without
    overlap. Keys are united where edits grow together.
    """
    # The middle sequence as pieces: a stretch of the original to keep, or literal ids with their keys.
    pieces: list[tuple[int, int, tuple[int, ...] | None, tuple[str, ...]]] = []
    at = 0
    for edit, keys in first:
        if edit.start > at:
            pieces.append((at, edit.start, None, ()))
        pieces.append((edit.start, edit.end, edit.ids, keys))
        at = edit.end
    if at < length:
        pieces.append((at, length, None, ()))
    out = _Composer(length)
    walk = _Walk(pieces, out)
    for edit, keys in second:
        walk.forward(edit.start, copy=True)
        out.mark(keys)
        out.write(edit.ids)
        walk.forward(edit.end, copy=False)
    walk.forward(None, copy=True)
    return out.finish()


class _Walk:
    """Goes through the pieces of the middle sequence once, copying or leaving out."""

    def __init__(self, pieces: list[tuple[int, int, tuple[int, ...] | None, tuple[str, ...]]], out: _Composer) -> None:
        self.pieces = pieces
        self.out = out
        self.index = 0
        self.inside = 0
        self.at = 0

    def forward(self, until: int | None, *, copy: bool) -> None:
        while self.index < len(self.pieces) and (until is None or self.at < until):
            start, end, literal, keys = self.pieces[self.index]
            size = end - start if literal is None else len(literal)
            step = size - self.inside if until is None else min(size - self.inside, until - self.at)
            if literal is not None and not self.inside:
                self.out.mark(keys)  # once: until the original is kept again they stay marked
            if copy and literal is None:
                self.out.keep(start + self.inside, start + self.inside + step)
            elif copy and literal is not None:
                self.out.write(literal[self.inside : self.inside + step])
            self.at += step
            self.inside += step
            if self.inside >= size:
                self.index += 1
                self.inside = 0


class _Composer:
    def __init__(self, length: int) -> None:
        self.length = length
        self.at = 0
        self.ids: list[int] = []
        self.keys: dict[str, None] = {}  # in order, each once
        self.done: list[Marked] = []

    def mark(self, keys: Iterable[str]) -> None:
        self.keys.update(dict.fromkeys(keys))

    def write(self, ids: Iterable[int]) -> None:
        self.ids += ids

    def keep(self, start: int, end: int) -> None:
        if start >= end:
            return
        if start > self.at or self.ids:
            self.done.append((Edit(self.at, start, tuple(self.ids)), tuple(self.keys)))
            self.ids = []
            self.keys = {}
        elif self.at != start:
            raise ValueError("edits are not sorted")
        else:
            self.keys = {}
        self.at = end

    def finish(self) -> list[Marked]:
        if self.at < self.length or self.ids:
            self.done.append((Edit(self.at, self.length, tuple(self.ids)), tuple(self.keys)))
        return self.done


class Origins:
    """The way back through edits: where tokens of the edited sequence stood before."""

    __slots__ = ("_after", "_at", "_starts")

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._starts: list[int] = []  # where each edit begins in the edited sequence
        self._at: list[int] = []  # where it begins in the original
        self._after: list[tuple[int, int]] = []  # where it ends in the edited sequence, and in the original
        shift = 0
        for edit in edits:
            self._starts.append(edit.start + shift)
            self._at.append(edit.start)
            self._after.append((edit.start + shift + len(edit.ids), edit.end))
            shift += len(edit.ids) - (edit.end - edit.start)

    def of(self, position: int) -> int:
        """The original index of a token; one that was written stands where its edit is."""
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return position
        ended, original = self._after[index]
        return self._at[index] if position < ended else position - ended + original
