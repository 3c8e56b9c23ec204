"""The parser step by step, for the step debugger of the screen."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ..inspection import NEWEST, Inspection
from ..isolation import CutOff
from ..view.feed import Settings
from ..view.screenful import Question, steps_of
from ..view.viewmodel import digest
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .component import pack_part
from .inspecting import options_of
from .plain import as_markdown

_HELD: Final = "harmonylens.steps"


def pack_steps(inspection: Inspection) -> bytes:
    """The part "steps" (:func:`inspector.view.steps.steps_value`); made once for a transcript of a session.

    Empty, with a sentence on the page, where it was cut off.
    """
    name = digest(inspection.transcript)
    held = st.session_state.get(_HELD)
    if isinstance(held, tuple) and held[0] == name and isinstance(held[1], bytes):
        return held[1]
    transcript = inspection.transcript
    question = Question(transcript, Settings(style=NEWEST), options_of(transcript))
    try:
        packed = pack_part(name, "steps", apart(steps_of, inspecting_deadline(len(transcript.ids)), question))
    except CutOff as error:
        st.caption(as_markdown(why_cut_off("Going through the parser's steps", error)))
        packed = b""
    st.session_state[_HELD] = (name, packed)
    return packed
