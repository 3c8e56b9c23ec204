"""Where a body ends, when the tokens do not make it plain.

For the strict parser only a terminator ends a body: any other marker in it is text. So a message whose
``<|end|>`` was left out swallows the one that follows, without an error. On the other hand a model that writes
*about* Harmony, or passes markers in a tool's arguments, means them as text. The two are told apart by what
follows: a boundary is a marker with a believable header behind it, and JSON that is open at a marker and closed
behind it holds the marker as text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from ..tokens import (
    CALL,
    CHANNEL,
    CONSTRAIN,
    END,
    MESSAGE,
    RETURN,
    START,
    STOPS,
    vocabulary,
    wide_text,
)
from ..tokens.wide import W_CALL, W_END
from .header import read_header
from .message import ROLES
from .words import Names

STRUCTURAL: Final = frozenset({START, CHANNEL, CONSTRAIN, MESSAGE, END, CALL, RETURN})
_QUOTES: Final = frozenset("`'\"“‘«")
_LONGEST_HEADER: Final = 120
_MOST_BEHIND: Final = 48
"""Markers that may stand behind one in open JSON that only the end of the transcript closes: text about Harmony that
holds more of them, and was cut off right behind its last bracket, has not been seen."""

_NO_NAMES: Final = Names()


def is_json_object(text: str) -> bool:
    """True when ``text`` is one JSON object, blanks around it allowed."""
    stripped = text.strip()
    if not stripped.startswith("{") or not stripped.endswith("}"):
        return False
    try:
        return isinstance(json.loads(stripped), dict)
    except (ValueError, RecursionError):
        return False


def is_json(text: str) -> bool:
    """True when ``text`` is a JSON object or array."""
    stripped = text.strip()
    if not stripped or stripped[0] not in "{[":
        return False
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return False
    return True


def opens_json_string(text: str) -> bool:
    """True when ``text`` begins as JSON and ends inside one of its strings."""
    stripped = text.lstrip()
    if not stripped or stripped[0] not in "{[":
        return False
    inside = False
    escaped = False
    for char in stripped:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = inside
        elif char == '"':
            inside = not inside
    return inside


def _text(ids: Sequence[int], start: int, end: int) -> str:
    return vocabulary().decode(ids[start:end])


def terminator_is_text(
    ids: Sequence[int], start: int, position: int, specials: Sequence[int], index: int
) -> int | None:
    """Whether a terminator was meant as text: the index (into ``specials``) of the real one behind it, or None.

    It is when the body before it is open JSON and a later terminator, with nothing like a new message in
    between, closes it.
    """
    if not opens_json_string(_text(ids, start, position)):
        return None
    for later in range(index + 1, min(index + 8, len(specials))):
        token = ids[specials[later]]
        if token == START:
            return None
        if token in STOPS and is_json(_text(ids, start, specials[later])):
            return later
    return None


def boundary(
    ids: Sequence[int], start: int, position: int, specials: Sequence[int], index: int, *, look: bool
) -> int | None:
    """Where the next message begins when the marker at ``position`` opens one inside a body, else None.

    ``look`` says whether to look for JSON that is open there; a body is looked through a few times only, so that
    cost stays linear however many markers stand in it.
    """
    token = ids[position]
    first = position + 1 if token == START else position
    end = len(ids)
    closed = False
    for later in range(index + 1, len(specials)):
        found = ids[specials[later]]
        if specials[later] - first > _LONGEST_HEADER:
            return None
        if found in STOPS or found in (MESSAGE, START):
            end = specials[later]
            closed = found == MESSAGE
            break
    if end - first > _LONGEST_HEADER:
        return None
    text = wide_text(ids[first:end])
    pieces = read_header(text, continued=token != START, aborted=not closed, names=_NO_NAMES)
    channels = pieces.of("channel")
    if token == START:
        roles = [p for p in pieces.of("role") if p.value in ROLES]
        believable = bool(roles) and (closed or bool(channels) or pieces.content is None)
        believable = believable or (closed and bool(channels or pieces.of("channel-word")))
    else:
        believable = bool(channels) and (
            closed or _is_call_without_message(pieces.content, text, pieces.of("recipient"))
        )
    if not believable or len(pieces.of("word")) > 3:
        return None
    if position > start and _text(ids, position - 1, position)[-1:] in _QUOTES:
        return None  # a header in quotes is talked about
    if look and _closes_as_json(ids, start, position, specials, index):
        return None
    if token == CHANNEL and position > start and _text(ids, position - 1, position).strip() == "assistant":
        return position - 1
    return position


def _is_call_without_message(content: int | None, text: str, recipients: Sequence[object]) -> bool:
    return bool(recipients) and content is not None and text[content : content + 1] in ("{", "[")


def _closes_as_json(ids: Sequence[int], start: int, position: int, specials: Sequence[int], index: int) -> bool:
    """True when the body is open JSON at ``position`` and the next few terminators show that it closes later."""
    if not opens_json_string(_text(ids, start, position)):
        return False
    for later in range(index + 1, min(index + 12, len(specials))):
        if ids[specials[later]] in STOPS and is_json(_text(ids, start, specials[later])):
            return True
    # To the end of the transcript only where that is near: every body would read all that follows otherwise.
    return len(specials) - index <= _MOST_BEHIND and is_json(_text(ids, start, len(ids)))


def closer_for(ids: Sequence[int], start: int, end: int) -> str:
    """The terminator that a body should have had: ``<|call|>`` for JSON, ``<|end|>`` for anything else."""
    return W_CALL if is_json_object(_text(ids, start, end)) else W_END
