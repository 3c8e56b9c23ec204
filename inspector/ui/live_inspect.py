"""On the Inspect page, with an engine at hand: draw again from a token on, and see what the model nearly said there."""

from __future__ import annotations

import json
from dataclasses import replace
from math import exp
from typing import Final

import streamlit as st

from ..finding import Severity
from ..harmony.legal import Walk, grammar
from ..live.asked import Asked
from ..live.gate import GATE
from ..live.loop import live_loop
from ..live.runs import MAX_SAMPLES, LiveRun
from ..samplers import Draft, EngineError, OneShot, SamplingParams
from ..samplers.sampler import ask
from ..samplers.values import MAX_LOGPROBS, Alternatives
from ..tokens import START, Transcript, vocabulary
from .chrome import page_file
from .inspecting import Given
from .live_state import LiveBench, live_bench
from .plain import as_markdown
from .state import Bench

OPEN: Final = "w.live"
"""Session state: whether the panel is open."""

_ASK_S: Final = 60
_SHOWN: Final = 12


_DRAWN: Final = "drawn"
"""In :attr:`LiveBench.seen`: the digest of the transcript that was opened from the Live page, and its parameters."""


def drawn_with(digest: str, params: SamplingParams) -> None:
    """Remember how a transcript was sampled that is opened now."""
    live_bench().seen[_DRAWN] = (digest, params)


def _params(live: LiveBench, digest: str) -> SamplingParams:
    """How to draw on by default: as the transcript was drawn, else as is filled in on the Live page."""
    held = live.seen.get(_DRAWN)
    if isinstance(held, tuple) and held[0] == digest and isinstance(held[1], SamplingParams):
        return held[1]
    heat = st.session_state.get("live.temperature")
    return SamplingParams(256, 1.0 if heat is None else float(heat))


def live_panel(work: Bench, given: Given) -> None:
    """Draw the panel, where live generation is allowed."""
    if GATE.reason:
        return
    panel = st.popover("Live", key=OPEN, icon=":material/bolt:", on_change="rerun")
    if panel.open:
        with panel, st.container(key="live-inspect", gap="small"):
            _content(work, given)


def _content(work: Bench, given: Given) -> None:
    live = live_bench()
    transcript = given.inspection.transcript
    token = chosen_token(work, given)
    if not transcript.ids:
        st.markdown("There are no tokens to go on from.")
        return
    st.markdown(f"**Token {token}** {as_markdown(_words(transcript.ids[token]))}, {_why(work, given)}")
    if live.engine is None:
        st.markdown("No engine is connected: choose one on the Live page, and come back.")
        if st.button("To the Live page", key="w.live.go"):
            st.switch_page(page_file("live"))
        _nearly(live, given, token)
        return
    st.caption(as_markdown(live.about))
    _nearly(live, given, token)
    _resample(live, given, token)


def chosen_token(work: Bench, given: Given) -> int:
    """The chosen token; before one was chosen that of the first error, or whatever was found first."""
    inspection = given.inspection
    last = max(0, len(inspection.transcript.ids) - 1)
    chosen = work.selection.get(given.digest)
    if chosen is not None:
        return min(chosen, last)
    return min(_failure(given), last)


def _failure(given: Given) -> int:
    inspection = given.inspection
    grave = [found.span.start for found in inspection.diagnostics if found.severity is Severity.ERROR]
    others = [found.span.start for found in inspection.diagnostics]
    raised = [verdict.error.token for verdict in inspection.strict if verdict.error is not None]
    return min(grave or raised or others or [0])


def _why(work: Bench, given: Given) -> str:
    if work.selection.get(given.digest) is not None:
        return "the one you chose"
    return "where it first goes wrong; choose another in the tokens" if given.inspection.diagnostics else "the first"


def prompt_before(transcript: Transcript, token: int) -> tuple[int, ...]:
    """What a model is given so that it goes on at ``token``: the prompt, where the record has it, and what precedes.

    Where the record has none, the answer begins behind ``<|start|>assistant`` alone.
    """
    head: tuple[int, ...] = tuple(transcript.prompt_ids or ())
    if not head and transcript.role is not None:
        head = (START, *vocabulary().encode(transcript.role))
    return (*head, *transcript.ids[:token])


def _nearly(live: LiveBench, given: Given, token: int) -> None:
    """The likeliest tokens at the chosen place: as they were recorded, else as the engine says now."""
    transcript = given.inspection.transcript
    recorded = transcript.top[token] if transcript.top is not None else ()
    held = live.seen.get("nearly")
    mine = held[1] if isinstance(held, tuple) and held[0] == (given.digest, token) else None
    if recorded:
        _alternatives(transcript, token, recorded, "recorded with the transcript")
    elif isinstance(mine, str):
        st.error(as_markdown(mine))
    elif isinstance(mine, tuple):
        _alternatives(transcript, token, mine, "as the connected engine says now")
    elif live.engine is not None:
        if st.button("What did it nearly say here?", key="w.live.nearly"):
            live.seen["nearly"] = ((given.digest, token), _asked(live, transcript, token))
            st.rerun(scope="fragment")
        if not transcript.prompt_ids and transcript.role is not None:
            st.caption("The record has no prompt: the engine is asked behind `<|start|>assistant` alone.")


def _asked(live: LiveBench, transcript: Transcript, token: int) -> Alternatives | str:
    """The alternatives at a place, or a sentence why there are none."""
    if live.engine is None:
        return "The engine is gone: choose one on the Live page."
    draft = Draft(prompt_before(transcript, token))
    params = SamplingParams(max_tokens=1, temperature=1.0, logprobs=MAX_LOGPROBS)
    try:
        live_loop().wait(ask(live.engine, draft, params, 0, None), _ASK_S)
    except EngineError as error:
        return str(error)
    except TimeoutError:
        return f"The engine did not answer within {_ASK_S} s: try again."
    top = draft.rollout().top
    return top[0] if top else "The engine gave no alternatives: it reports none."


def _alternatives(transcript: Transcript, token: int, top: Alternatives, how: str) -> None:
    rules = grammar(tuple(transcript.tools))
    legal = Walk(transcript.ids, transcript.role, rules).at(token)
    emitted = transcript.ids[token]
    rows = ["| | token | id | probability | grammar |", "|---|---|---|---:|---|"]
    for number, logprob in sorted(top, key=lambda pair: -pair[1])[:_SHOWN]:
        fits = "–" if legal is None else "legal" if legal.is_legal(number) else "not legal"
        mark = "said" if number == emitted else ""
        rows.append(
            f"| {mark} | {as_markdown(_words(number))} | {number} | {100 * exp(min(0.0, logprob)):.2f} % | {fits} |"
        )
    if emitted not in {number for number, _ in top}:
        rows.append(f"| said | {as_markdown(_words(emitted))} | {emitted} | not among the first {len(top)} | |")
    st.markdown("\n".join(rows))
    st.caption(f"What it nearly said, {how}; probabilities before temperature and filters.")


def _words(token: int) -> str:
    text = vocabulary().decode([token])
    # Quoted and escaped as JSON does: blanks and line breaks can be seen.
    return text if text.startswith("<|") else json.dumps(text, ensure_ascii=not text.isprintable())


def _resample(live: LiveBench, given: Given, token: int) -> None:
    usual = _params(live, given.digest)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = st.number_input("Samples", 1, MAX_SAMPLES, 8, key="w.live.n", width=120)
        # A key for each transcript: another one begins with what it was drawn with.
        heat = st.number_input(
            "Temperature", 0.0, 100.0, usual.temperature, 0.1, key=f"w.live.t.{given.digest}", width=130
        )
        most = st.number_input("Max tokens", 1, 131_072, usual.max_tokens, key=f"w.live.max.{given.digest}", width=130)
        pressed = st.button(f"Resample from token {token}", type="primary", key="w.live.resample")
    st.caption(
        "Keeps what stands before the token and draws on from there; says how often the same failure comes back."
    )
    if not pressed or live.engine is None:
        return
    start_resampling(live, given, token, int(count), replace(usual, max_tokens=int(most), temperature=float(heat)))
    st.switch_page(page_file("live"))


def start_resampling(live: LiveBench, given: Given, token: int, count: int, params: SamplingParams) -> LiveRun:
    """Draw ``count`` continuations from ``token`` on, watching for what was found from there on.

    Raises:
        ValueError: no engine is connected.
    """
    if live.engine is None:
        raise ValueError("no engine is connected")
    inspection = given.inspection
    # The finish reasons of the record say nothing of what is drawn now.
    watched = {found.code for found in inspection.diagnostics if found.span.end >= token}
    prompt = prompt_before(inspection.transcript, token)
    run = LiveRun(
        live.engine,
        OneShot(),
        [prompt] * count,
        params,
        tools=inspection.transcript.tools,
        watched=watched,
        note=f"Drawn again from token {token} of what is open in Inspect.",
        asked=Asked({}, live.asked),
    )
    live.prompt = prompt
    live.begin(run)
    # The page may have been left elsewhere than where a run is shown.
    st.session_state["live.part"], st.session_state["live.builder"] = "Generate", False
    return run
