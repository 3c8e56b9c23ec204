"""The guard on the Live page: the same prompt with and without it, and how often answers are malformed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from ..live.jobs import Job
from ..live.runs import MAX_SAMPLES
from ..samplers import Rollout
from ..samplers.guarding import Effect, Judged, measure
from ..samplers.wilson import Rate
from .live_job import job_shown, past_run
from .live_prompt import NotYet, wish
from .live_state import NO_ENGINE, LiveBench, live_bench
from .live_view import show_run
from .plain import as_markdown
from .state import in_session

_KEY: Final = "harmonyscope.guard"


@dataclass(slots=True)
class _Held:
    """The measurement of a session, and the run that shows its tokens."""

    job: Job[Effect] | None = None
    run: str = ""
    problem: str = ""


def guard_section(work: LiveBench) -> None:
    """Draw it."""
    held = _held()
    st.markdown(
        "A logits processor lets only tokens through that keep the Harmony grammar legal in headers. Here the prompt "
        "and the parameters of *Generate* are sampled without it, and with it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input("Samples of each", 1, MAX_SAMPLES // 2, 16, key="guard.n", persist_state="session", width=160)
        st.button("Measure", type="primary", key="guard.go", on_click=_start, disabled=not work.can_sample)
    if not work.can_sample:
        st.caption(f"{NO_ENGINE} It has to have the guard loaded.")
    if held.problem:
        st.warning(as_markdown(held.problem))
    done = job_shown(held.job, "Sampling, first without the guard, then with it …", "guard.stop")
    if done and held.job is not None and held.job.result is not None:
        _shown(held, held.job.result, work)


def _held() -> _Held:
    return in_session(_KEY, _Held)


def _start() -> None:
    held, engine = _held(), live_bench().engine
    held.problem = ""
    if engine is None:
        held.problem = "Choose an engine first."
        return
    try:
        wanted = wish()
    except NotYet as missing:
        held.problem = str(missing)
        return
    if held.job is not None:
        held.job.stop()
    prompts = [wanted.prompt] * int(st.session_state.get("guard.n", 16))
    held.run = ""
    held.job = Job(lambda: measure(engine, prompts, wanted.params, wanted.tools or None))
    held.job.start()


def _shown(held: _Held, effect: Effect, work: LiveBench) -> None:
    lines = [
        "| guard | strict parse refuses | illegal in headers | cut in a header | failed |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, judged in (("off", effect.off), ("on", effect.on)):
        lines.append(f"| {name} | {_rate(judged.malformed)} | {_rate(judged.illegal)} | {_others(judged)} |")
    st.markdown("\n".join(lines))
    st.caption("In brackets Wilson's 95 % interval. What was cut in a header that was legal so far is in no rate.")
    failed = next((r.error for r in (*effect.without, *effect.guarded) if r.error), "")
    if failed:
        st.warning(as_markdown(failed))
    if effect.on.illegal.count:
        st.warning("With the guard nothing can be illegal: the engine was started without it.")

    def rollouts() -> tuple[Sequence[Rollout], Sequence[str]]:
        titles = [f"{mode} {n}" for mode in ("off", "on") for n in range(1, len(effect.without) + 1)]
        return (*effect.without, *effect.guarded), titles

    run = past_run(held.run, rollouts, work.about)
    held.run = run.id
    show_run(run, key="guard.view")


def _rate(rate: Rate) -> str:
    return f"{100 * rate.share:.0f} % ({rate.count} of {rate.total}) \\[{100 * rate.low:.0f}, {100 * rate.high:.0f}\\]"


def _others(judged: Judged) -> str:
    return f"{judged.unfinished} | {judged.failed}"
