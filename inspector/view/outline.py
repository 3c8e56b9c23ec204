"""Messages for the browser without their text: what the tokens already say is not sent again.

The tree's nodes travel with the tokens. A message of a verdict, of the repair or of the next prompt that is one of
them is named by its node; a row of such messages is one range. Only what differs is written out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any, TypedDict

from ..harmony.message import Message
from ..harmony.tree import MessageNode, Tree
from ..tokens import Edit, vocabulary


class Written(TypedDict, total=False):
    """A message that is no node: its fields, its place in the sequence it was read from, its text if need be."""

    role: str
    name: str | None
    channel: str | None
    recipient: str | None
    content_type: str | None
    at: list[int]
    content: str


Outline = list[list[int] | Written]
"""Rows of nodes as ``[first, last]`` (inclusive) and messages that are written out."""


class NodeIndex:
    """Finds the node that a message is."""

    def __init__(self, tree: Tree) -> None:
        self.by_start = {
            node.start: (index, node.message)
            for index, node in enumerate(tree.nodes)
            if isinstance(node, MessageNode) and node.message is not None
        }
        order = sorted(index for index, _ in self.by_start.values())
        # Nodes that follow each other among the messages, whatever strays lie between them.
        self.next_message = dict(pairwise(order))

    def find(self, message: Message) -> int | None:
        """The node's index, or None when no node says exactly this in exactly this place."""
        index, found = self.by_start.get(message.start, (-1, None))
        return index if found is not None and found == message else None


def outline(messages: Sequence[Message], index: NodeIndex, ids: Sequence[int]) -> Outline:
    """``messages`` for the browser; their places are in ``ids``, the transcript."""
    return _outline([(m, index.find(m)) for m in messages], index, ids)


def outline_after(messages: Sequence[Message], index: NodeIndex, edits: Sequence[Edit], ids: Sequence[int]) -> Outline:
    """As :func:`outline`, for messages whose places are in ``ids``, the transcript after ``edits``."""
    shifts = _Shifts(edits)
    found: list[tuple[Message, int | None]] = []
    for message in messages:
        shift = shifts.of(message.start, message.end)
        if message.start < 0 or shift is None:
            found.append((message, None))
            continue
        moved = message if not shift else _moved(message, shift)
        found.append((message, index.find(moved)))
    return _outline(found, index, ids)


def _moved(message: Message, shift: int) -> Message:
    return replace(
        message,
        start=message.start - shift,
        end=message.end - shift,
        body_start=message.body_start - shift,
        body_end=message.body_end - shift,
    )


def _outline(found: Sequence[tuple[Message, int | None]], index: NodeIndex, ids: Sequence[int]) -> Outline:
    rows: Outline = []
    for message, node in found:
        if node is None:
            rows.append(_written(message, ids))
            continue
        last = rows[-1] if rows else None
        if isinstance(last, list) and index.next_message.get(last[1]) == node:
            last[1] = node
        else:
            rows.append([node, node])
    return rows


def _written(message: Message, ids: Sequence[int]) -> Written:
    out: Written = {"role": message.role}
    # Absent means None: most fields are, and the browser reads a missing key as such.
    if message.name is not None:
        out["name"] = message.name
    if message.channel is not None:
        out["channel"] = message.channel
    if message.recipient is not None:
        out["recipient"] = message.recipient
    if message.content_type is not None:
        out["content_type"] = message.content_type
    if message.start >= 0:
        out["at"] = [message.start, message.end, message.body_start, message.body_end]
    if message.body_start < 0 or vocabulary().decode(ids[message.body_start : message.body_end]) != message.content:
        out["content"] = message.content
    return out


class _Shifts:
    """How far tokens outside of the edits moved."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        growth = [len(e.ids) - (e.end - e.start) for e in edits]
        before = [0, *accumulate(growth)]
        self.starts = [e.start + before[i] for i, e in enumerate(edits)]
        self.ends = [start + len(e.ids) for start, e in zip(self.starts, edits, strict=True)]
        self.before = before

    def of(self, start: int, end: int) -> int | None:
        """How far ``[start, end)`` of the edited sequence moved, or None when an edit lies in it."""
        at = bisect_right(self.ends, start)
        # A pure deletion is a point: one at the very start of the range lies before it.
        if at < len(self.starts) and self.starts[at] < end:
            return None
        return self.before[at]


def fields_of(message: Message) -> dict[str, Any]:
    """The fields of a message that are there, for a label."""
    record = message.record()
    return {key: record[key] for key in ("role", "name", "channel", "recipient", "content_type") if record[key]}
