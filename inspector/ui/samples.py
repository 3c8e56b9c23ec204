"""The gallery's samples as the screen shows them: cards with a strip of the transcript's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from ..gallery import FAMILIES, Sample, load_samples
from ..harmony.reader import read
from ..harmony.tree import MessageNode, Tree
from ..tokens import Transcript

EXAMPLES: Final = (
    "chatter-in-brackets",
    "duplicate-channel-lost-call",
    "aborted-plan-in-header",
    "channel-as-role",
    "markers-spelled-as-text",
    "invisible-in-channel",
    "invented-tool-result",
    "healthy-tool-call",
)
"""The samples that an empty page offers, where they are there: one of each kind of trouble, and a healthy one."""


@lru_cache(maxsize=1)
def all_samples() -> tuple[Sample, ...]:
    """The samples that ship.

    Raises:
        inspector.gallery.SampleError: one cannot be read.
    """
    return tuple(load_samples())


def examples() -> list[Sample]:
    """The samples for an empty page."""
    by_name = {sample.name: sample for sample in all_samples()}
    return [by_name[name] for name in EXAMPLES if name in by_name] or list(all_samples()[:6])


def sample_card(sample: Sample) -> dict[str, Any]:
    """One sample as its card shows it."""
    return {
        "name": sample.name,
        "title": sample.title,
        "story": sample.story,
        "family": sample.family,
        "tags": list(sample.tags),
        "rules": list(sample.rules),
        "count": len(sample.transcript.ids),
        "raises": sorted(sample.errors),
        "founding": sample.founding,
        "strip": _strip_of(sample.name, sample.transcript),
    }


def family_titles(samples: Sequence[Sample]) -> dict[str, str]:
    """The families that have samples, with their titles, in order."""
    present = {sample.family for sample in samples}
    return {family: title for family, title in FAMILIES.items() if family in present}


_STRIPS: Final[dict[str, list[list[Any]]]] = {}


def _strip_of(name: str, transcript: Transcript) -> list[list[Any]]:
    if name not in _STRIPS:
        _STRIPS[name] = strip(read(transcript))
    return _STRIPS[name]


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
