"""The shape of a transcript as a strip: what a thumbnail shows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypedDict

from ..harmony.tree import MessageNode, Tree
from ..tokens import CALL, CHANNEL, END, MESSAGE, RETURN, START, Scan, is_special, vocabulary

MOST_STRETCHES: Final = 120
"""Stretches that a strip shows one by one; what has more is put into columns."""

COLUMNS: Final = 96
"""Columns of the strip of a long transcript."""

MOST_TICKS: Final = 160
"""Markers that are shown as ticks; with more of them they would be a blur."""

MOST_HURTS: Final = 100
"""Parts of a strip that are told apart where it is damaged."""

_LETTERS: Final = {"analysis": "a", "commentary": "c", "final": "f"}
_WHOLE_BODY: Final = 16


class Strip(TypedDict):
    """A strip, compact: thousands of them travel at once.

    ``k`` has a letter for each stretch: a, c and f for the channels, o for other messages, s for what is no message;
    a capital one is a header. ``w`` are the stretches' widths (in no unit: their sum is the strip), ``c`` their token
    counts. ``e`` are the damaged places as start, end, start, end ... in tokens, ``t`` the tokens that are markers.
    """

    k: str
    w: list[int]
    c: list[int]
    e: list[int]
    t: list[int]


def strip(tree: Tree) -> Strip:
    """The shape of a transcript. Long bodies are drawn shorter than they are, so that headers stay visible."""
    return _strip(_stretches(tree), tree.transcript.ids, _damaged(tree))


def quick_strip(ids: Sequence[int]) -> Strip:
    """The shape as the markers alone tell it, for what is too long to be read for a thumbnail: no damaged places."""
    return _strip(_marked(ids), ids, [])


def _strip(found: Iterable[tuple[str, int, int]], ids: Sequence[int], damaged: list[int]) -> Strip:
    stretches = [(letter, last - first) for letter, first, last in found if last > first]
    in_columns = len(stretches) > MOST_STRETCHES
    if in_columns:
        stretches = _columns(stretches)
    ticks = [] if in_columns else [index for index, token in enumerate(ids) if is_special(token)]
    return {
        "k": "".join(letter for letter, _ in stretches),
        "w": [_width(letter, count) for letter, count in stretches],
        "c": [count for _, count in stretches],
        "e": damaged,
        "t": ticks if len(ticks) <= MOST_TICKS else [],
    }


def shape(tree: Tree, most: int = 6) -> list[str]:
    """The messages in a few words each ("commentary → functions.bash"), the last entry counts those left out.

    Texts come from the transcript: they are as hostile as it is.
    """
    words: list[str] = []
    messages = 0
    for node in tree.nodes:
        messages += 1
        if len(words) < most:
            words.append(_words(node.message) if isinstance(node, MessageNode) else "stray text")
    return [*words, f"{messages - most} more"] if messages > most else words


def _words(message: object) -> str:
    channel = getattr(message, "channel", None)
    role = getattr(message, "role", None)
    recipient = getattr(message, "recipient", None)
    what = channel or (role if role and role != "assistant" else "no channel")
    return f"{str(what)[:24]} → {str(recipient)[:40]}" if recipient else str(what)[:24]


def _stretches(tree: Tree) -> Iterator[tuple[str, int, int]]:
    for node in tree.nodes:
        if not isinstance(node, MessageNode):
            yield "s", node.start, node.end
            continue
        channel = node.message.channel if node.message is not None else None
        letter = _LETTERS.get(channel or "", "o")
        yield letter.upper(), node.start, node.body_start
        yield letter, node.body_start, node.end


def _marked(ids: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Stretches by markers: a header goes up to its ``<|message|>``, a body to the next marker that is none of its."""
    first, letter, in_body = 0, "O", False
    scan = Scan(ids)
    for at in scan.specials:
        token = ids[at]
        if token == MESSAGE and not in_body:
            yield letter, first, at + 1
            first, letter, in_body = at + 1, letter.lower(), True
        elif token == CHANNEL and not in_body:
            letter = _channel_letter(ids, at) if letter == "O" else letter
        elif token in (START, CHANNEL, END, CALL, RETURN):
            # What closes a message is a part of it, what opens one is not.
            edge = at if token in (START, CHANNEL) else at + 1
            yield letter, first, edge
            first, in_body = edge, False
            letter = _channel_letter(ids, at) if token == CHANNEL else "O"
    yield letter, first, len(ids)


def _channel_letter(ids: Sequence[int], at: int) -> str:
    """The letter of a header whose ``<|channel|>`` is token ``at``; a channel's name has one or two tokens."""
    name = vocabulary().decode(ids[at + 1 : at + 3])
    return next((letter.upper() for channel, letter in _LETTERS.items() if name.startswith(channel)), "O")


def _width(letter: str, count: int) -> int:
    if letter.isupper() or count <= _WHOLE_BODY:
        return min(count, 3 * _WHOLE_BODY)
    return round(_WHOLE_BODY + 10 * math.log2(count / _WHOLE_BODY))


def _columns(stretches: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """About as many neighbouring stretches in each column; it looks like the longest of them."""
    columns = []
    for number in range(COLUMNS):
        first, last = (len(stretches) * n // COLUMNS for n in (number, number + 1))
        part = stretches[first:last]
        letter = max(part, key=lambda stretch: stretch[1])[0].lower()
        columns.append((letter, sum(count for _, count in part)))
    return columns


def _damaged(tree: Tree) -> list[int]:
    """Start and end of every place where the reader stumbled; those that are hardly apart are one."""
    count = len(tree.transcript.ids)
    apart = count // MOST_HURTS
    last = max(0, count - 1)
    spans = sorted((min(p.span.start, last), max(p.span.end, p.span.start + 1)) for p in tree.problems)
    found: list[int] = []
    for start, end in spans:
        if found and start <= found[-1] + apart:
            found[-1] = max(found[-1], min(end, count))
        else:
            found += [start, min(end, count)]
    return found
