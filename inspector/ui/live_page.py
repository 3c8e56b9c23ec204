"""The Live page: a prompt, an engine, and the tokens as they come."""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from ..ingest.writing import transcript_record
from ..inspection import inspect
from ..isolation import CutOff
from ..live.asked import Asked
from ..live.blocked import blocked_in
from ..live.gate import GATE
from ..live.runs import LiveRun
from ..samplers import Replay
from ..samplers.limits import RUN_WORDS
from ..tokens import Transcript
from ..unread import reading
from ..view.viewmodel import digest
from ..workers import inspecting_deadline, why_cut_off
from .apart import apart
from .chrome import guarded, page_file
from .live_ab import HeldAB, ab_section
from .live_again import fields, remember
from .live_engines import connecting, engine_panel, settle
from .live_guard import HeldGuard, guard_section
from .live_inspect import drawn_with, prompt_before
from .live_prompt import NotYet, keep_tab, keys_asked, parameters, prompt_of, prompt_panel, wish
from .live_state import LiveBench, live_bench
from .live_strategies import HeldStrategies, strategies_section
from .live_view import show_run
from .plain import as_markdown
from .state import bench, session_value

KEY: Final = "live.view"
ADDRESSED: Final = {"Generate": "", "A/B of renderings": "ab", "Tool strategies": "strategies", "Guard": "guard"}
"""The parts of the page, and what they are called in its address."""

PARTS: Final = tuple(ADDRESSED)
KINDS: Final = {"ab": HeldAB, "strategies": HeldStrategies, "guard": HeldGuard}
AGAIN: Final = 8
"""Samples that are drawn from a chosen token on."""


@guarded
def show() -> None:
    """Draw the page."""
    if GATE.reason:
        st.markdown("#### Live generation")
        st.info(GATE.reason)
        return
    work = live_bench()
    remember(work, KINDS, ADDRESSED)
    keep_tab()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live-bar"):
        engine_panel(work)
        part = st.segmented_control(
            "Part", PARTS, default=PARTS[0], required=True, key="live.part", persist_state="session",
            label_visibility="collapsed",
            wrap=True,
        )  # fmt: skip
        connecting(work)
        if part == PARTS[0]:
            _again(work)
    if part == PARTS[1]:
        ab_section(work)
        return
    if part == PARTS[2]:
        strategies_section(work)
        return
    if part == PARTS[3]:
        guard_section(work)
        return
    builder = st.expander("Prompt and parameters", expanded=True, key="live.builder", on_change="rerun")
    with builder:
        left, right = st.columns([2.4, 1], gap="medium")
        with left:
            prompt_panel()
        with right, st.container(gap="small", key="live-parameters"):
            parameters()
            st.button("Generate", type="primary", key="live.generate", width="stretch", on_click=_generate)
            st.button("Show the prompt as tokens", key="live.preview", width="stretch", on_click=_preview)
            st.caption(RUN_WORDS)
    if work.notice and work.noticed is not None and work.noticed != _speaks_of(work):
        work.notice, work.noticed = "", None
    if work.notice:
        st.warning(as_markdown(work.notice))
    _run(work)


def _speaks_of(work: LiveBench) -> object:
    """What a notice may complain of: once this changes it may have been mended."""
    return fields(keys_asked()), work.asked, work.connecting


def _notice(work: LiveBench, sentence: str) -> None:
    work.notice, work.noticed = sentence, _speaks_of(work)


def _again(work: LiveBench) -> None:
    """What can be done beside the run that is shown."""
    if work.run and not st.session_state.get("live.builder", True):
        st.button("Generate again", key="live.again", icon=":material/replay:", on_click=_generate)
    if work.before:
        st.button("Back to the run before", key="live.back", icon=":material/undo:", on_click=_back)


def _generate() -> None:
    work = live_bench()
    replayed = work.engine.transcript if isinstance(work.engine, Replay) else None
    try:
        # A replay needs no prompt: it is shown with the one that it was recorded behind, if any.
        wanted = wish(prompt_before(replayed, 0) if replayed is not None else None)
    except NotYet as missing:
        _notice(work, str(missing))
        return
    settle(work)
    if work.connecting is not None:
        where = work.connecting.server.address.shown
        _notice(work, f"Still connecting to {where}: press Generate again when it is there.")
        return
    if work.engine is None:
        _notice(work, "Choose an engine first: connect a vLLM server, start one, or replay a transcript.")
        return
    work.prompt = wanted.prompt
    run = LiveRun(
        work.engine,
        wanted.sampler,
        [wanted.prompt] * wanted.count,
        wanted.params,
        tools=wanted.tools,
        asked=Asked(fields(keys_asked()), work.asked),
    )
    work.begin(run)
    st.session_state["live.builder"] = False


def _back() -> None:
    work = live_bench()
    work.go_back()
    shown = work.shown
    if shown is not None:
        work.prompt = shown.prompts[0]


def _preview() -> None:
    work = live_bench()
    try:
        work.prompt, work.notice, work.run = prompt_of(), "", ""
    except NotYet as missing:
        _notice(work, str(missing))


def _run(work: LiveBench) -> None:
    """The run that is shown; what a person asked for in it is done first."""
    run = work.shown
    if run is None and not work.prompt:
        return
    on = {"open": _open, "save": _open, "resample": _resample, "open_rule": _rule}
    show_run(run, key=KEY, prompt=work.prompt, on=on, blocked=blocked_in(run) if run is not None else None)
    target = st.session_state.pop("live.goto", None)
    if target:
        st.switch_page(page_file(target[0]), query_params=target[1])


def _asked(name: str) -> tuple[LiveRun, int, int | None] | None:
    """The run, the sample and the token that the browser asks about; None for the token where none was chosen."""
    said = session_value(KEY, name)
    run = live_bench().shown
    if run is None or not isinstance(said, dict) or said.get("run") != run.id:
        return None
    number, token = said.get("sample"), said.get("token")
    if not isinstance(number, int) or not 0 <= number < len(run.prompts) or not isinstance(token, int | None):
        return None
    return run, number, token


def _open() -> None:
    """Take a sample to the Inspect page, as far as it has come."""
    name = "save" if session_value(KEY, "save") else "open"
    asked = _asked(name)
    if asked is None:
        return
    run, number, token = asked
    transcript = run.transcript(number)
    open_in_inspect(transcript, f"live sample {number + 1}", token)
    drawn_with(digest(transcript), run.params)
    if name == "save":
        st.session_state["w.save"] = True
    st.session_state["live.goto"] = ("inspect", None)


def open_in_inspect(transcript: Transcript, name: str, token: int | None) -> None:
    """Make a transcript the input of the Inspect page, at a token if one was chosen."""
    work = bench()
    record = json.dumps(transcript_record(transcript), ensure_ascii=False)
    work.open_file(record.encode("utf-8", "replace"), name)
    if token is not None:
        work.places[digest(transcript)] = token


def _resample() -> None:
    """Keep what stands before the chosen token, and draw on from there as the run was drawn."""
    asked = _asked("resample")
    if asked is None:
        return
    run, number, token = asked
    work = live_bench()
    if token is None:
        return
    if work.engine is None:
        # The run may be known by its address alone, its engine another person's, with a key of theirs.
        _notice(work, "Choose an engine first: it draws on from the chosen token.")
        return
    transcript = run.transcript(number)
    prompt = (*(transcript.prompt_ids or ()), *transcript.ids[:token])
    try:
        deadline = inspecting_deadline(len(transcript.ids))
        inspection, _ = reading(lambda one: apart(inspect, deadline, one, next_prompt=False), transcript)
    except CutOff as error:
        _notice(work, why_cut_off("Inspecting the sample", error))
        return
    found = inspection.diagnostics
    work.prompt = prompt
    again = LiveRun(
        work.engine,
        run.sampler,
        [prompt] * AGAIN,
        run.params,
        tools=run.tools,
        watched={one.code for one in found if one.span.end >= token},
        note=f"Drawn again from token {token} of {transcript.id}.",
        asked=Asked(run.asked.fields if run.asked is not None else {}, work.asked),
    )
    work.begin(again)


def _rule() -> None:
    code = session_value(KEY, "open_rule")
    if isinstance(code, str):
        st.session_state["live.goto"] = ("rules", {"rule": code})
