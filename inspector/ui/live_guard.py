"""The guard on the Live page: the same prompt with it and without, what goes wrong, and what it blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from ..live.asked import Asked
from ..live.blocked import blocked_among
from ..live.jobs import Job
from ..live.runs import MAX_SAMPLES
from ..samplers import Rollout
from ..samplers.guarding import Effect, measure
from ..samplers.wilson import Rate
from .live_again import Held, fields, held, put
from .live_job import job_shown, past_run
from .live_prompt import NotYet, keys_asked, wish
from .live_state import NO_ENGINE, LiveBench, live_bench
from .live_view import show_run
from .plain import as_markdown

PART: Final = "guard"
_COUNT: Final = "guard.n"


@dataclass
class HeldGuard(Held):
    """The measurement, whom calls may be for, the run that shows its tokens, and whether what is missing for a
    measurement is filled in under Generate."""

    job: Job[Effect] | None = None
    tools: tuple[str, ...] | None = None
    run: str = ""
    is_elsewhere: bool = False


def guard_section(work: LiveBench) -> None:
    """Draw it."""
    mine = _held()
    st.markdown(
        "A logits processor lets only tokens through that keep the Harmony grammar legal in headers. Here the prompt "
        "and the parameters of *Generate* are sampled without it, and with it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input("Samples of each", 1, MAX_SAMPLES // 2, 16, key=_COUNT, persist_state="session", width=160)
        st.button("Measure", type="primary", key="guard.go", on_click=_start, disabled=not work.can_sample)
    mine.look(_about())
    if not work.can_sample:
        st.caption(f"{NO_ENGINE} It has to have the guard loaded.")
    if mine.problem:
        st.warning(as_markdown(mine.problem))
        if mine.is_elsewhere:
            st.button("Go to Generate", key="guard.elsewhere", on_click=_to_generate)
    done = job_shown(mine.job, "Sampling, first without the guard, then with it …", "guard.stop")
    if done and mine.job is not None and mine.job.result is not None:
        _shown(mine, mine.job.result, work)


def _held() -> HeldGuard:
    return held(PART, HeldGuard)


def _about() -> object:
    return fields((*keys_asked(), _COUNT)), live_bench().asked


def _to_generate() -> None:
    st.session_state["live.part"], st.session_state["live.builder"] = "Generate", True


def _start() -> None:
    mine = _held()
    mine.is_elsewhere = False
    mine.complain(_begin(mine), _about())


def _begin(mine: HeldGuard) -> str:
    """Start to measure; why that was not begun, in a sentence."""
    work = live_bench()
    engine = work.engine
    if engine is None:
        return "Choose an engine first."
    try:
        wanted = wish()
    except NotYet as missing:
        mine.is_elsewhere = True
        return f"{missing} The prompt and its parameters are filled in under Generate."
    if mine.job is not None:
        mine.job.stop()
    prompts = [wanted.prompt] * int(st.session_state.get(_COUNT, 16))
    tools = wanted.tools or None
    job = Job(lambda: measure(engine, prompts, wanted.params, tools))
    fresh = HeldGuard(job=job, tools=tools)
    fresh.keep(Asked(fields((*keys_asked(), _COUNT)), work.asked))
    put(PART, fresh)
    job.start()
    return ""


def _shown(mine: HeldGuard, effect: Effect, work: LiveBench) -> None:
    off, on = effect.off, effect.on
    lines = [
        "| | guard off | guard on |",
        "|---|---:|---:|",
        f"| **strict parse refuses** | {_rate(off.malformed)} | {_rate(on.malformed)} |",
        f"| **illegal in a header** | {_rate(off.illegal)} | {_rate(on.illegal)} |",
    ]
    for name, counts in (
        ("cut off in a header", (off.unfinished, on.unfinished)),
        ("failed", (off.failed, on.failed)),
    ):
        if any(counts):
            lines.append(f"| {name}, in no rate | {counts[0]} | {counts[1]} |")
    with st.container(key="live-table-guard"):
        st.markdown("\n".join(lines))
    st.caption("In brackets Wilson's 95 % interval.")
    failed = next((r.error for r in (*effect.without, *effect.guarded) if r.error), "")
    if failed:
        st.warning(as_markdown(failed))
    if effect.on.illegal.count:
        st.warning("With the guard nothing can be illegal: the engine was started without it.")

    def rollouts() -> tuple[Sequence[Rollout], Sequence[str]]:
        titles = [f"{mode} {n}" for mode in ("off", "on") for n in range(1, len(effect.without) + 1)]
        return (*effect.without, *effect.guarded), titles

    run = past_run(mine.run, rollouts, mine.by(work))
    mine.run = run.id
    show_run(run, key="guard.view", blocked=blocked_among(run, range(len(effect.without)), mine.tools))


def _rate(rate: Rate) -> str:
    return f"{100 * rate.share:.0f} % ({rate.count} of {rate.total}) \\[{100 * rate.low:.0f}, {100 * rate.high:.0f}\\]"
