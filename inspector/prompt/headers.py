"""The differences between an emitted header and the one that the next prompt has in its place."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from ..tokens import CONSTRAIN, START, vocabulary
from .pieces import EmittedPiece, Fields, emitted_pieces
from .poison import spelled_special
from .render import Kind, Piece

MOVED_START: Final = "moved-start"
"""Stands for the cause of the gap before: a ``<|start|>`` and role that only one side has belong to it."""

_CACHED_UP_TO: Final = 64


class Op(NamedTuple):
    """A difference: tokens ``[e0, e1)`` of one side are tokens ``[r0, r1)`` of the other, and why."""

    cause: str
    e0: int
    e1: int
    r0: int
    r1: int


class Target(NamedTuple):
    """The header that the prompt has: its pieces, and the fields that it says."""

    pieces: tuple[Piece, ...]
    fields: Fields


def header_ops(emitted: tuple[int, ...], read: Fields, target: Target, opened: bool = True) -> tuple[Op, ...]:
    """The differences between the two, in order, offsets relative to the headers' first tokens.

    ``opened`` is False for the header that continues a role, whose ``<|start|>`` was in the prompt. Headers of
    one kind come by the thousand in a transcript, so the answer is remembered.
    """
    if len(emitted) > _CACHED_UP_TO:
        return _header_ops(emitted, read, target, opened)
    return _remembered(emitted, read, target, opened)


@lru_cache(maxsize=4096)
def _remembered(emitted: tuple[int, ...], read: Fields, target: Target, opened: bool) -> tuple[Op, ...]:
    return _header_ops(emitted, read, target, opened)


def _header_ops(emitted: tuple[int, ...], read: Fields, target: Target, opened: bool) -> tuple[Op, ...]:
    ours = emitted_pieces(emitted, read, opened=opened)
    theirs = _placed(target.pieces)
    pairs = _pairs(ours, theirs)
    in_place = _longest_in_order(pairs, ours)
    written = {kind for piece in ours for kind in piece.kinds}
    ops: list[Op] = []
    e = r = 0  # indexes of pieces
    for ours_at, theirs_at in [*in_place, (len(ours), len(theirs))]:
        for piece in ours[e:ours_at]:
            cause = _gone(piece, emitted, theirs, read, target)
            here = theirs[r].start if r < len(theirs) else _end(theirs)
            ops.append(Op(cause, piece.start, piece.end, here, here))
        here = ours[ours_at].start if ours_at < len(ours) else len(emitted)
        for placed in theirs[r:theirs_at]:
            ops.append(Op(_new(placed.kind, written, read, target), here, here, placed.start, placed.end))
        if ours_at < len(ours):
            piece, placed = ours[ours_at], theirs[theirs_at]
            if emitted[piece.start : piece.end] != placed.ids:
                cause = _changed(piece, emitted, placed, read, target)
                ops.append(_trimmed(cause, emitted, piece, placed))
        e, r = ours_at + 1, theirs_at + 1
    return tuple(ops)


class _Placed(NamedTuple):
    kind: Kind
    ids: tuple[int, ...]
    start: int
    end: int


def _placed(pieces: Sequence[Piece]) -> list[_Placed]:
    placed: list[_Placed] = []
    at = 0
    for piece in pieces:
        placed.append(_Placed(piece.kind, piece.ids, at, at + len(piece.ids)))
        at += len(piece.ids)
    return placed


def _end(placed: list[_Placed]) -> int:
    return placed[-1].end if placed else 0


def _pairs(ours: list[EmittedPiece], theirs: list[_Placed]) -> list[tuple[int, int]]:
    """Which emitted piece became which: by kind, each kind at most once."""
    place = {placed.kind: index for index, placed in enumerate(theirs)}
    pairs: list[tuple[int, int]] = []
    for index, piece in enumerate(ours):
        found = [place.pop(kind) for kind in piece.kinds if kind in place]
        if found:
            pairs.append((index, min(found)))
    return pairs


# What stays where it is when pieces changed places: the recipient is what moves.
_WEIGHT: Final = {
    Kind.MESSAGE: 64,
    Kind.START: 32,
    Kind.ROLE: 16,
    Kind.NAME: 16,
    Kind.CHANNEL: 8,
    Kind.CONTENT_TYPE: 4,
}


def _longest_in_order(pairs: list[tuple[int, int]], ours: list[EmittedPiece]) -> list[tuple[int, int]]:
    """The heaviest row of pairs that are in the same order on both sides (there are seven at most)."""
    best: list[tuple[int, list[tuple[int, int]]]] = []
    for pair in pairs:
        before = max((b for b in best if b[1][-1][1] < pair[1]), key=lambda b: b[0], default=(0, []))
        weight = max(_WEIGHT.get(kind, 2) for kind in ours[pair[0]].kinds)
        best.append((before[0] + weight, [*before[1], pair]))
    return max(best, key=lambda b: b[0], default=(0, []))[1]


def _gone(piece: EmittedPiece, emitted: tuple[int, ...], theirs: list[_Placed], read: Fields, target: Target) -> str:
    """Why an emitted piece is not where it was."""
    counterpart = next((p for p in theirs if p.kind in piece.kinds), None)
    if counterpart is not None:
        if emitted[piece.start : piece.end] == counterpart.ids:
            return _order(target)
        return _changed(piece, emitted, counterpart, read, target)
    kind = piece.kinds[0]
    if kind is Kind.START:
        return MOVED_START
    if kind is Kind.ROLE:
        # Only a continued transcript's first header is compared without the prompt's start and role.
        return MOVED_START if emitted[0:1] == (START,) else "header-junk-dropped"
    if kind is Kind.CONTENT_TYPE:
        return "content-type-dropped"
    if kind in (Kind.CHANNEL, Kind.RECIPIENT, Kind.NAME):
        return "not-representable"
    return "header-spacing" if set(piece.kinds) == {Kind.SPACE} else "header-junk-dropped"


def _new(kind: Kind, written: set[Kind], read: Fields, target: Target) -> str:
    """Why the prompt has a piece that is not at this place in the emitted header."""
    if kind in written:
        return _order(target)
    if spelled_special(_value(kind, read)):
        return "poisoned-name"
    if kind in (Kind.START, Kind.ROLE):
        return MOVED_START
    if kind is Kind.MESSAGE or not written:
        return "header-completed"
    if target.fields.role == "tool":
        return "tool-result-unmatched" if kind is Kind.NAME else "tool-result-order"
    if kind is Kind.CONTENT_TYPE:
        return "content-type-forced"
    if kind is Kind.CHANNEL:
        return _channel_changed(read, target)
    # A recipient that stood on both sides of the channel section, which was cut out of it.
    return "header-junk-dropped" if kind is Kind.RECIPIENT else "other"


def _changed(piece: EmittedPiece, emitted: tuple[int, ...], placed: _Placed, read: Fields, target: Target) -> str:
    """Why a piece is written with other tokens."""
    old = piece.text
    new = vocabulary().decode_bytes(placed.ids).decode("latin-1")
    if old == new:
        spelled = placed.kind is not Kind.CHANNEL and placed.kind is not Kind.CONTENT_TYPE
        return "poisoned-name" if spelled and spelled_special(_value(placed.kind, read)) else "retokenised"
    if Kind.JUNK in piece.kinds:
        return "header-junk-dropped"
    if placed.kind is Kind.CONTENT_TYPE:
        return _content_type_changed(old, new, placed.ids)
    if "".join(old.split()) == "".join(new.split()):
        return "header-spacing"
    if spelled_special(_value(placed.kind, read)):
        return "poisoned-name"
    if placed.kind is Kind.CHANNEL:
        return _channel_changed(read, target)
    if placed.kind is Kind.RECIPIENT:
        if "to=" not in old and read.recipient == target.fields.recipient:
            return "bare-recipient"
        if target.fields.role == "tool":
            return "tool-result-order"
        return "recipient-prefixed" if _is_prefixed(read.recipient, target.fields.recipient) else "other"
    if placed.kind is Kind.NAME:
        if _is_prefixed(read.name, target.fields.name):
            return "recipient-prefixed"
        return "tool-result-unmatched" if target.fields.role == "tool" else "other"
    return "other"


def _content_type_changed(old: str, new: str, ids: tuple[int, ...]) -> str:
    marker = "<|constrain|>"
    old_value, new_value = old.replace(marker, "").strip(), new.replace(marker, "").strip()
    if old_value != new_value:
        return "content-type-forced"
    if CONSTRAIN in ids and marker not in old:
        return "constrain-normalised"
    if marker in old and CONSTRAIN not in ids and marker not in new:
        return "constrain-removed"
    return "header-spacing"


def _channel_changed(read: Fields, target: Target) -> str:
    if target.fields.role == "tool":
        return "tool-result-order"
    if target.fields.recipient is not None:
        return "call-moved-to-commentary"
    if target.fields.channel == "final":
        return "preamble-becomes-final"
    if read.channel == "final" and target.fields.channel == "commentary":
        return "final-becomes-preamble"
    return "other"


def _order(target: Target) -> str:
    return "tool-result-order" if target.fields.role == "tool" else "header-order"


def _is_prefixed(old: str | None, new: str | None) -> bool:
    return old is not None and new == f"functions.{old}"


def _value(kind: Kind, read: Fields) -> str | None:
    return {Kind.RECIPIENT: read.recipient, Kind.NAME: read.name, Kind.CHANNEL: read.channel}.get(kind)


def _trimmed(cause: str, emitted: tuple[int, ...], piece: EmittedPiece, placed: _Placed) -> Op:
    """The difference without the tokens that the two pieces begin and end with alike."""
    e0, e1, r0, r1 = piece.start, piece.end, 0, len(placed.ids)
    while e0 < e1 and r0 < r1 and emitted[e0] == placed.ids[r0]:
        e0, r0 = e0 + 1, r0 + 1
    while e0 < e1 and r0 < r1 and emitted[e1 - 1] == placed.ids[r1 - 1]:
        e1, r1 = e1 - 1, r1 - 1
    return Op(cause, e0, e1, placed.start + r0, placed.start + r1)
