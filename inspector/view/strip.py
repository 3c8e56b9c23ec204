"""The shape of a transcript as a strip: what a thumbnail shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..harmony.tree import MessageNode, Tree


def strip(tree: Tree) -> list[list[Any]]:
    """The shape of a transcript: ``[kind, tokens, broken]`` for each stretch of it, in order.

    The kind is a channel's name, ``other`` or ``stray``, with ``-header`` for the part before the body; ``broken``
    is 1 where the reader stumbled.
    """
    count = len(tree.transcript.ids)
    troubled = bytearray(count)
    for problem in tree.problems:
        start = min(problem.span.start, max(0, count - 1))
        end = max(problem.span.end, start + 1)
        troubled[start:end] = b"\1" * (min(end, count) - start)
    parts: list[list[Any]] = []
    for kind, first, last in _stretches(tree):
        for index in range(first, last):
            if parts and index > first and parts[-1][2] == troubled[index]:
                parts[-1][1] += 1
            else:
                parts.append([kind, 1, troubled[index]])
    return parts


def _stretches(tree: Tree) -> Iterator[tuple[str, int, int]]:
    for node in tree.nodes:
        if not isinstance(node, MessageNode):
            yield "stray", node.start, node.end
            continue
        channel = node.message.channel if node.message is not None else None
        kind = channel if channel in ("analysis", "commentary", "final") else "other"
        yield f"{kind}-header", node.start, node.body_start
        yield kind, node.body_start, node.end
