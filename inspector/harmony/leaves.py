"""The leaves of a node: runs of tokens of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ..tokens import MARKERS, vocabulary
from .tree import FieldKind, Leaf, LeafKind, MessageNode, Node

_OF_FIELD = {
    FieldKind.ROLE: LeafKind.ROLE,
    FieldKind.NAME: LeafKind.NAME,
    FieldKind.CHANNEL: LeafKind.CHANNEL,
    FieldKind.RECIPIENT: LeafKind.RECIPIENT,
    FieldKind.CONTENT_TYPE: LeafKind.CONTENT_TYPE,
}


def leaves_of(index: int, node: Node, ids: Sequence[int]) -> Iterator[Leaf]:
    """The leaves of one node, in order; a token that holds two fields goes to the one that begins in it first."""
    if not isinstance(node, MessageNode):
        yield Leaf(LeafKind.ERROR, node.start, node.end, index)
        return
    if node.opened is not None:
        yield Leaf(LeafKind.MARKER, node.opened, node.opened + 1, index)
    yield from _header_leaves(index, node, ids)
    if node.separator is not None:
        yield Leaf(LeafKind.MARKER, node.separator, node.separator + 1, index)
    if node.body_end > node.body_start:
        yield Leaf(LeafKind.BODY, node.body_start, node.body_end, index)
    if node.terminator is not None:
        yield Leaf(LeafKind.MARKER, node.terminator, node.terminator + 1, index)


def _header_leaves(index: int, node: MessageNode, ids: Sequence[int]) -> Iterator[Leaf]:
    first = node.header_start
    kinds = [_kind_of(ids[i]) for i in range(first, node.header_end)]
    for field in reversed(node.fields):
        for i in range(field.start, min(field.end, node.header_end)):
            if kinds[i - first] is not LeafKind.MARKER:
                kinds[i - first] = _OF_FIELD[field.kind]
    at = first
    for kind, run in groupby(kinds):
        end = at + sum(1 for _ in run)
        yield Leaf(kind, at, end, index)
        at = end


def _kind_of(token: int) -> LeafKind:
    if token in MARKERS:
        return LeafKind.MARKER
    data = vocabulary().token_bytes(token)
    return LeafKind.SPACE if data is not None and data.isspace() else LeafKind.ERROR
