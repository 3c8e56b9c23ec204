"""From an input to the two messages for the browser: asks the engine, and only for what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from ..inspection import Inspection, inspect
from ..prompt import STYLES
from ..tokens import Transcript
from ..view.feed import Settings, pack_feed
from ..view.viewmodel import digest, pack_view
from .samples import all_samples
from .state import Bench

_HELD: Final = "harmonyscope.held"


@dataclass(frozen=True, slots=True)
class Asked:
    """A transcript, the sample it is ("" for none) and what the input was taken for."""

    transcript: Transcript
    sample: str = ""
    read_as: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """The messages for :func:`inspector.ui.component.show_screen`, and what they were made from."""

    tokens: bytes
    feed: bytes
    inspection: Inspection


@dataclass(frozen=True, slots=True)
class _Held:
    """The last answer of a session, with what it was an answer to."""

    asked: Asked
    settings: Settings
    given: Given


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
    inspection = inspect(asked.transcript, off=settings.off, choices=dict(settings.choices), style=settings.style)
    title, story = _sample_words(asked.sample)
    told = replace(settings, title=title, story=story, read_as=asked.read_as)
    tokens = last.given.tokens if last is not None else pack_view(inspection)
    given = Given(tokens, pack_feed(inspection, told), inspection)
    st.session_state[_HELD] = _Held(asked, settings, given)
    return given


def _sample_words(name: str) -> tuple[str, str]:
    """Title and story of a sample, empty for none."""
    sample = next((s for s in all_samples() if s.name == name), None)
    return (sample.title, sample.story) if sample is not None else ("", "")
