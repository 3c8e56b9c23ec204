"""The parser step by step, for the step debugger of the screen."""

from __future__ import annotations

from typing import Final

import streamlit as st

from ..inspection import Inspection
from ..view.steps import steps_value
from ..view.viewmodel import digest
from .component import pack_part

_HELD: Final = "harmonylens.steps"


def pack_steps(inspection: Inspection) -> bytes:
    """The part "steps" (:func:`inspector.view.steps.steps_value`); made once for a transcript of a session."""
    name = digest(inspection.transcript)
    held = st.session_state.get(_HELD)
    if isinstance(held, tuple) and held[0] == name and isinstance(held[1], bytes):
        return held[1]
    packed = pack_part(name, "steps", steps_value(inspection))
    st.session_state[_HELD] = (name, packed)
    return packed
