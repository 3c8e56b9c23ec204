"""What the input was read as, held as long as a session that shows it: large records take seconds to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

import streamlit as st

from ..ingest import Loaded, Problem
from ..isolation import CutOff
from ..workers import why_cut_off
from .state import SAMPLE, START, Bench

_HELD: Final = "harmonylens.loaded"


@dataclass(frozen=True, slots=True)
class _Source:
    """All that reading depends on, and the input's own name."""

    id: str
    data: str | bytes
    format: str
    role: str
    markers: bool
    tools: tuple[str, ...]
    filename: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _Read:
    source: _Source
    loaded: Loaded
    cut_off: bool = False


_SHOWN: Final[WeakValueDictionary[str, _Read]] = WeakValueDictionary()
"""By an input's own name what some session holds of it: a reload begins another session. It keeps nothing alive."""


def known(work: Bench) -> Loaded | None:
    """What this input was read as, if it was; a person's place among the revisions does not matter."""
    source = _source(work)
    held = st.session_state.get(_HELD)
    # A name that nobody guesses: what one session has read is found by those alone that open the same input.
    for read in (held, _SHOWN.get(work.id)):
        if isinstance(read, _Read) and read.source == source:
            st.session_state[_HELD] = read
            return read.loaded
    return None


def load(work: Bench) -> Loaded:
    """Read the input, and hold what was read instead of what was held before.

    Reading that was cut off is held too, as a problem: it would take as long again, each time that the page is drawn.
    """
    st.session_state.pop(_HELD, None)
    try:
        read = _Read(_source(work), work.load())
    except CutOff as error:
        problem = Problem(1, 1, why_cut_off("Reading the input", error))
        read = _Read(_source(work), Loaded((), "text", "", (problem,)), cut_off=True)
    st.session_state[_HELD] = read
    if work.id not in (START, SAMPLE) and not read.cut_off:
        _SHOWN[work.id] = read
    return read.loaded


def was_cut_off() -> bool:
    """Whether the input of this session could not be read to its end."""
    held = st.session_state.get(_HELD)
    return isinstance(held, _Read) and held.cut_off


def forget() -> None:
    """Read the input anew."""
    st.session_state.pop(_HELD, None)


def _source(work: Bench) -> _Source:
    data: str | bytes = work.text if work.upload is None else work.upload
    return _Source(work.id, data, work.format, work.role, work.markers, work.tool_names, work.filename)
