"""What the Live page remembers beyond a reload: the address names runs and experiments, and they what had been asked.

An address says no more than it names: who has it can look at these, and finds the fields as they were filled in. No
API key is kept. Where only this machine reaches the app, the engine is connected again, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import Lock
from typing import Any, Final, TypeVar

import streamlit as st

from ..live.asked import Asked
from ..live.gate import GATE
from ..live.runs import RUNS
from .live_engines import connect_again
from .live_state import LiveBench

PART: Final = "part"
"""In the address: which part of the page is shown, where it is not the first."""

_MOST: Final = 32
"""Experiments that are kept, the newest."""

_KEPT: Final[dict[str, Any]] = {}
_LOCK: Final = Lock()

T = TypeVar("T")


@dataclass
class Held:
    """What a part of the page holds of its experiment. A new one is made for each, so that an address goes on to name
    the one that it was made for.

    Attributes:
        id: in the address, "" before there is an experiment.
        asked: what had been filled in.
        problem: why none was started, in a sentence.
        about: what that sentence speaks of; it goes when this changes.
    """

    id: str = ""
    asked: Asked | None = None
    problem: str = ""
    about: object = None

    def complain(self, problem: str, about: object) -> None:
        """Say why none was started, "" for nothing, and what the sentence speaks of."""
        self.problem, self.about = problem, about

    def look(self, about: object) -> None:
        """Drop the sentence once what it speaks of is another."""
        if about != self.about:
            self.problem = ""

    def by(self, work: LiveBench) -> str:
        """Who was asked, in a sentence: the engine of then, which may not be that of now."""
        return self.asked.engine.about if self.asked is not None and self.asked.engine is not None else work.about

    def keep(self, asked: Asked) -> None:
        """Let the server keep it, under a name that nobody guesses."""
        self.id, self.asked = token_urlsafe(16), asked
        with _LOCK:
            _KEPT[self.id] = self
            for name in list(_KEPT)[:-_MOST]:
                del _KEPT[name]


def held(part: str, kind: type[T]) -> T:
    """What this session holds for a part of the page, found by the address after a reload."""
    key = f"harmonylens.{part}"
    found = st.session_state.get(key)
    if not isinstance(found, kind):
        with _LOCK:
            found = _KEPT.get(st.query_params.get(part, ""))
        if not isinstance(found, kind):
            found = kind()
        st.session_state[key] = found
    return found


def put(part: str, what: Held) -> None:
    """Hold another one for a part."""
    st.session_state[f"harmonylens.{part}"] = what


def fields(names: Iterable[str]) -> dict[str, Any]:
    """What the widgets of these keys say."""
    return {name: st.session_state[name] for name in names if name in st.session_state}


def remember(work: LiveBench, kinds: Mapping[str, type[Held]], parts: Mapping[str, str]) -> None:
    """Open what the address names, once in a session, and let the address name what there is now.

    Args:
        kinds: what the parts hold, by the part's name in the address.
        parts: the names in the address by what the page calls them, "" for the first.
    """
    name = st.query_params.get("run", "")
    if not work.is_open:
        work.is_open = True
        wanted = st.query_params.get(PART, "")
        for title, part in parts.items():
            if part and part == wanted:
                st.session_state.setdefault("live.part", title)
        _open(work, name, [held(part, kind) for part, kind in kinds.items()])
    elif not work.run and RUNS.find(name) is not None:
        work.run = name
    if work.shown is not None and name != work.run:
        st.query_params["run"] = work.run
    for part, kind in kinds.items():
        known = held(part, kind).id
        if known and st.query_params.get(part) != known:
            st.query_params[part] = known
    shown = parts.get(st.session_state.get("live.part", ""), "")
    if shown != st.query_params.get(PART, ""):
        if shown:
            st.query_params[PART] = shown
        else:
            st.query_params.pop(PART, None)


def _open(work: LiveBench, name: str, others: list[Held]) -> None:
    run = RUNS.find(name)
    if run is not None and not work.run:
        work.run, work.prompt = name, run.prompts[0]
        st.session_state.setdefault("live.builder", False)
    asked = [one for one in (run.asked if run is not None else None, *(other.asked for other in others)) if one]
    for one in asked:
        for key, value in one.fields.items():
            st.session_state.setdefault(key, value)
    engine = next((one.engine for one in asked if one.engine is not None), None)
    if engine is None or work.engine is not None:
        return
    if engine.url and not engine.is_own:
        st.session_state.setdefault("live.url", engine.url)
        st.session_state.setdefault("live.model", engine.model)
    if GATE.is_private:
        # On an app that others reach, an address must not make the app contact anybody.
        connect_again(work, engine)
