"""All that the screen is sent of one transcript, made in one go: by a worker, whose answer is this value.

The worker remembers the reading that it made last, so that a flipped switch does not have everything read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..inspection import Inspection, inspect
from ..tokens import Transcript
from ..unread import reading
from .feed import Settings, pack_change, pack_feed
from .steps import steps_value
from .viewmodel import View, pack_view, view_of

LONG_FEED: Final = 800
"""Bytes of a feed from which it is sent whole once, and then only what a switch changes of it."""

_RECENT: Final[list[tuple[Mapping[str, Any], Inspection]]] = []
"""The options and the inspection that were made last in this process: one, and in a worker alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be made.

    Attributes:
        transcript: of what.
        settings: what a person chose, with the words that stand beside it.
        options: ``select``, ``ignore`` and ``releases`` of :func:`inspector.inspection.inspect`.
        base: the whole feed that the browser has of this transcript; None when it has nothing of it yet.
    """

    transcript: Transcript
    settings: Settings
    options: Mapping[str, Any] = field(default_factory=dict)
    base: bytes | None = None


@dataclass(frozen=True, slots=True)
class Screenful:
    """The inspection and the messages: ``tokens`` (empty where the browser has them), and ``feed``, a change to
    ``base`` where that is not empty."""

    inspection: Inspection
    tokens: bytes
    feed: bytes
    base: bytes


def screenful(question: Question) -> Screenful:
    """What the screen is sent.

    Raises:
        inspector.tokens.VocabularyError: the vocabulary cannot be loaded.
    """
    settings = question.settings
    inspection = _inspected(question)
    if question.base is not None:
        tokens, base = b"", question.base
    else:
        whole = pack_feed(inspection, settings)
        tokens, base = pack_view(inspection), whole if len(whole) > LONG_FEED else b""
    feed = pack_change(inspection, settings, base) if base else pack_feed(inspection, settings)
    return Screenful(inspection, tokens, feed, base)


def steps_of(question: Question) -> dict[str, Any]:
    """The value of the part "steps"; it does not depend on the switches."""
    known = _known(question)
    return steps_value(known if known is not None else _inspected(question))


def prompt_view(ids: Sequence[int]) -> View:
    """A prompt as the browser shows it: a whole conversation, which has no next prompt of its own."""
    found, _ = reading(lambda prompt: inspect(prompt, next_prompt=False), Transcript(tuple(ids), role=None))
    return view_of(found)


def _inspected(question: Question) -> Inspection:
    known = _known(question)
    settings = question.settings
    inspection = inspect(
        # An earlier inspection is one of the very transcript, not of its like.
        question.transcript if known is None else known.transcript,
        **question.options,
        off=settings.off,
        choices=dict(settings.choices),
        style=settings.style,
        known=known,
    )
    _RECENT[:] = [(question.options, inspection)]
    return inspection if known is None else replace(inspection, transcript=question.transcript)


def _known(question: Question) -> Inspection | None:
    for options, inspection in _RECENT:
        if options == question.options and inspection.transcript == question.transcript:
            return inspection
    return None
