"""The live view as a Streamlit component: it is told which run to show, and streams it by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ..isolation import CutOff
from ..live.route import PREFIX
from ..live.runs import LiveRun
from ..view.assets import live_code, live_style
from ..view.screenful import prompt_view
from ..view.viewmodel import View
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .component import registered
from .plain import as_markdown


def show_run(
    run: LiveRun | None,
    *,
    key: str,
    prompt: Sequence[int] = (),
    beside: bool = False,
    on: Mapping[str, Callable[[], None]] | None = None,
    blocked: Mapping[str, Any] | None = None,
) -> None:
    """Mount it.

    Args:
        run: what to stream; None shows ``prompt`` alone.
        key: of the session state, whose triggers ``open``, ``save`` and ``resample`` then hold {run, sample, token},
            ``open_rule`` the code of a rule, and whose ``ended`` the id of a run that has ended while it was watched.
        prompt: where there is no run.
        beside: whether several samples are shown side by side at first.
        on: callbacks by the name of what changed.
        blocked: what the guard would have blocked, from :mod:`inspector.live.blocked`.
    """
    if run is not None:
        run.looked()
    ids = run.prompts[0] if run is not None else tuple(prompt)
    try:
        view = apart(prompt_view, inspecting_deadline(len(ids)), ids)
    except CutOff as error:
        st.error(as_markdown(why_cut_off("Reading the prompt", error)))
        view = prompt_view(())
    told = {"run": run.id if run is not None else "", "base": PREFIX, "beside": beside, "acts": on is not None}
    told["blocked"] = blocked
    heard = on or {}
    names = ("open", "save", "resample", "ended", "open_rule")
    registered("harmonylens_live", js=live_code, css=live_style)(
        key=key,
        data=View({**view.head, **told}, view.sections).pack(),
        **{f"on_{name}_change": heard.get(name, _nothing) for name in names},
    )


def _nothing() -> None:
    """A change of state needs a listener to be reported at all."""
