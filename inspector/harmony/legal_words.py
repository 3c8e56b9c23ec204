"""What is legal, in words: the sentences for markers and for ordinary text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from ..tokens import MARKERS
from .automaton import Part
from .grammar import SPECIALS

_WHY: Final = {
    "start": "A message begins with it.",
    "channel": "The channel comes next.",
    "constrain": "A content type may follow it.",
    "message": "The header is complete, the body may begin.",
    "end": "The message may end here.",
    "return": "The answer may end here, and the turn with it.",
    "call": "The call may end here; the tool's result comes next.",
}


class Marker(NamedTuple):
    """A special token that is legal: its id, its short name, and one sentence why."""

    token: int
    name: str
    why: str


class Wording(NamedTuple):
    """Ordinary text that is legal.

    Attributes:
        what: "role", "author", "channel", "to", "address", "recipient", "constrain", "type" or "body".
        says: what it must say, a phrase for people: "a channel: analysis, commentary or final".
        words: how it may go on, where that is known: the rest of each word.
    """

    what: str
    says: str
    words: tuple[str, ...] = ()


def markers(marks: Mapping[int, str]) -> tuple[Marker, ...]:
    """The special tokens that may follow, from what each is a part of."""
    return tuple(Marker(token, MARKERS[token], _WHY[marks[token]]) for token in SPECIALS if token in marks)


_WHOLE: Final = {
    "role": ("a role", "the rest of the role"),
    "author": ("a tool's name", "more of the tool's name"),
    "channel": ("a channel", "the rest of the channel"),
    "to": ("“ to=” and the recipient of a call", "the rest of “ to=”"),
    "address": ("“ to=assistant”, to whom a result goes", "the rest of “ to=assistant”"),
    "recipient": ("the recipient's name", "more of the recipient's name"),
    "constrain": ("a blank and <|constrain|>", "a blank and <|constrain|>"),
    "type": ("a content type", "the rest of the content type"),
    "body": ("body text, as much as there is to say", "body text, as much as there is to say"),
}
_LISTED: Final = frozenset({"role", "channel"})
"""Parts whose words are all named where one begins."""

_MOST_LISTED: Final = 3
"""So many ways to complete a word are named."""


def wordings(parts: Iterable[Part]) -> tuple[Wording, ...]:
    """The ordinary text that may follow, from the parts that bytes may go on with."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.what, []).append(part)
    return tuple(_wording(what, own) for what, own in found.items())


def _wording(what: str, parts: list[Part]) -> Wording:
    whole, more = _WHOLE[what]
    words = tuple(dict.fromkeys(part.rest for part in parts if part.rest))
    if any(part.begins for part in parts):
        return Wording(what, f"{whole}: {_either(words)}" if what in _LISTED else whole, words)
    if len(words) > _MOST_LISTED:
        return Wording(what, whole, words)
    if all(part.rest for part in parts):
        more += ": " + _either([f"“{rest}”" for rest in words])
    return Wording(what, more, words)


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
