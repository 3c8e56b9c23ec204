"""From an input to the two messages for the browser: asks the engine, and only for what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import streamlit as st

from ..ingest import Switches, card_of, switches_of
from ..inspection import NEWEST, RELEASES, Inspection
from ..isolation import CutOff
from ..prompt import STYLES
from ..tokens import Transcript
from ..view.feed import Settings
from ..view.screenful import Question, screenful
from ..view.viewmodel import digest
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .samples import find_sample
from .state import Bench

_HELD: Final = "harmonylens.held"


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


class NoAnswer(Exception):
    """An inspection that was cut off; the message is for people.

    ``last`` is the answer before, under other switches, where there is one: the switches are set back to it.
    """

    def __init__(self, why: str, last: Given | None = None) -> None:
        super().__init__(why)
        self.last = last


@dataclass(frozen=True, slots=True)
class _Held:
    """The last answer of a session, with what it was an answer to; a sentence where there is none."""

    asked: Asked
    settings: Settings
    given: Given | str


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
        NoAnswer: it was cut off, and is not tried again before :func:`forget_answer`.
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
        if isinstance(held.given, str):
            raise NoAnswer(held.given)
        return held.given
    last = held.given if isinstance(held, _Held) and held.asked == asked and isinstance(held.given, Given) else None
    try:
        given = _made(work, asked, settings, last)
    except CutOff as error:
        why = why_cut_off(f"Inspecting {len(asked.transcript.ids):,} tokens", error)
        if last is None or not isinstance(held, _Held):
            st.session_state[_HELD] = _Held(asked, settings, why)
            raise NoAnswer(why) from error
        work.off[name], work.choices[name] = held.settings.off, dict(held.settings.choices)
        work.style = held.settings.style
        raise NoAnswer(f"{why} The switches are as they were before.", last) from error
    st.session_state[_HELD] = _Held(asked, settings, given)
    return given


def _made(work: Bench, asked: Asked, settings: Settings, last: Given | None) -> Given:
    """A new answer; ``last`` is the one before about the same transcript."""
    title, story = _sample_words(asked.sample)
    card = card_of(asked.transcript)
    told = replace(
        settings,
        title=title or card.title or own_name(asked.transcript),
        story=story or card.story,
        read_as=asked.read_as,
        turn=work.turn,
    )
    question = Question(asked.transcript, told, options_of(asked.transcript), last.base if last is not None else None)
    made = apart(screenful, inspecting_deadline(len(asked.transcript.ids)), question)
    # The very transcript that was asked about: what others know of it they know by that.
    inspection = replace(made.inspection, transcript=asked.transcript)
    return Given(last.tokens if last is not None else made.tokens, made.feed, inspection, made.base)


def options_of(transcript: Transcript) -> dict[str, Any]:
    """The options that came with a transcript and that no switch changes."""
    carried = switches_of(transcript).options(RELEASES)
    return {name: carried[name] for name in ("select", "ignore", "releases") if name in carried}


def own_name(transcript: Transcript) -> str:
    """What its source calls a transcript; "" where that is only its place there."""
    return "" if transcript.id.startswith(("line ", "row ")) else transcript.id


def forget_answer() -> None:
    """Answer anew: what a sample is called has changed, or somebody tries again."""
    st.session_state.pop(_HELD, None)


def _sample_words(name: str) -> tuple[str, str]:
    """Title and story of a sample, empty for none."""
    sample = find_sample(name) if name else None
    return (sample.title, sample.story) if sample is not None else ("", "")
