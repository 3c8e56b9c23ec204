"""From an input to the two messages for the browser: asks the engine, and only for what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from ..ingest import Switches, card_of, switches_of
from ..inspection import NEWEST, RELEASES, Inspection, inspect
from ..prompt import STYLES
from ..tokens import Transcript
from ..view.feed import Settings, pack_change, pack_feed
from ..view.viewmodel import digest, pack_view
from .samples import find_sample
from .state import Bench

_HELD: Final = "harmonylens.held"

LONG_FEED: Final = 800
"""Bytes of a feed from which it is sent whole once, and then only what a switch changes of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A transcript, the sample it is ("" for none) and what the input was taken for."""

    transcript: Transcript
    sample: str = ""
    read_as: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """The messages for :func:`inspector.ui.component.show_screen`, and what they were made from.

    ``base`` is the whole feed that ``feed`` is a change to, empty when ``feed`` itself is whole.
    """

    tokens: bytes
    feed: bytes
    inspection: Inspection
    base: bytes = b""

    @property
    def digest(self) -> str:
        """What the browser calls the transcript."""
        return digest(self.inspection.transcript)


@dataclass(frozen=True, slots=True)
class _Held:
    """The last answer of a session, with what it was an answer to."""

    asked: Asked
    settings: Settings
    given: Given


def adopt(work: Bench, transcript: Transcript) -> None:
    """Take the switches that came with a transcript, the first time that it is shown of an input."""
    name = digest(transcript)
    if (work.id, name) in work.adopted:
        return
    work.adopted.add((work.id, name))
    switches = switches_of(transcript)
    # A file says how it was looked at, also by saying nothing: it opens to the inspection that it was saved from.
    if switches != Switches() or work.upload is not None:
        work.off[name], work.choices[name] = switches.off, dict(switches.choices)
        work.style = switches.style or NEWEST


def answer(work: Bench, asked: Asked) -> Given:
    """The messages for a transcript under the switches that are set.

    Raises:
        inspector.tokens.VocabularyError: the vocabulary cannot be loaded.
    """
    name = digest(asked.transcript)
    settings = Settings(
        off=work.off.get(name, frozenset()),
        choices=work.choices.get(name, {}),
        style=work.style,
        styles=tuple(STYLES),
    )
    held = st.session_state.get(_HELD)
    last = held if isinstance(held, _Held) and held.asked == asked else None
    if last is not None and last.settings == settings:
        return last.given
    carried = switches_of(asked.transcript).options(RELEASES)
    inspection = inspect(
        asked.transcript,
        **{name: carried[name] for name in ("select", "ignore", "releases") if name in carried},
        off=settings.off,
        choices=dict(settings.choices),
        style=settings.style,
        known=last.given.inspection if last is not None else None,
    )
    title, story = _sample_words(asked.sample)
    card = card_of(asked.transcript)
    told = replace(
        settings,
        title=title or card.title or own_name(asked.transcript),
        story=story or card.story,
        read_as=asked.read_as,
        turn=work.turn,
    )
    tokens = last.given.tokens if last is not None else pack_view(inspection)
    base = last.given.base if last is not None else _base(inspection, told)
    feed = pack_change(inspection, told, base) if base else pack_feed(inspection, told)
    given = Given(tokens, feed, inspection, base)
    st.session_state[_HELD] = _Held(asked, settings, given)
    return given


def own_name(transcript: Transcript) -> str:
    """What its source calls a transcript; "" where that is only its place there."""
    return "" if transcript.id.startswith(("line ", "row ")) else transcript.id


def forget_answer() -> None:
    """Answer anew: what a sample is called has changed."""
    st.session_state.pop(_HELD, None)


def _base(inspection: Inspection, settings: Settings) -> bytes:
    """The whole feed, to be sent once, where it is too long to be sent with each flipped switch; else nothing."""
    whole = pack_feed(inspection, settings)
    return whole if len(whole) > LONG_FEED else b""


def _sample_words(name: str) -> tuple[str, str]:
    """Title and story of a sample, empty for none."""
    sample = find_sample(name) if name else None
    return (sample.title, sample.story) if sample is not None else ("", "")
