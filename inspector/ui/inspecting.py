"""From an input to the two messages for the browser: asks the engine, and only for what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from ..inspection import Inspection, inspect
from ..prompt import STYLES
from ..tokens import Transcript
from .feed import Settings, pack_feed
from .samples import all_samples
from .state import Bench
from .viewmodel import digest, pack_view

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
    if isinstance(held, _Held) and held.asked == asked and held.settings == settings:
        return held.given
    inspection = inspect(
        asked.transcript, off=settings.off, choices=dict(settings.choices), style=settings.style
    )
    told = replace(settings, **_source(asked))
    if isinstance(held, _Held) and held.asked == asked:
        tokens = held.given.tokens
    else:
        tokens = pack_view(inspection)
    given = Given(tokens, pack_feed(inspection, told), inspection)
    st.session_state[_HELD] = _Held(asked, settings, given)
    return given


def _source(asked: Asked) -> dict[str, str]:
    sample = next((s for s in all_samples() if s.name == asked.sample), None)
    title, story = (sample.title, sample.story) if sample is not None else ("", "")
    return {"title": title, "story": story, "read_as": asked.read_as}
