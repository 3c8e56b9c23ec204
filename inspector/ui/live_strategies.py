"""Two ways to call tools, on the same prompts: outside of the engine, and inside by a logits processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from ..live.asked import Asked
from ..live.jobs import Job
from ..samplers import BUILTIN, FORMATS, Rollout, SamplingParams
from ..samplers.compare import Pair, Side, Trap, compare_strategies, traps
from ..samplers.engine import Engine
from ..samplers.preamble import PromptError
from ..samplers.prompts import build_prompt
from ..tokens import vocabulary
from .live_again import Held, fields, held, put
from .live_job import job_shown, past_run
from .live_servers import running
from .live_state import NO_ENGINE, LiveBench, live_bench
from .live_view import show_run
from .plain import as_markdown

PART: Final = "strategies"
_FIELDS: Final = ("strategies.users", "strategies.format", "strategies.temperature", "strategies.max_tokens")
_EXAMPLES: Final = "What is 3 times 302?\nWhat is 3 plus 302?"
_TAGGED: Final = """Question: {user}
Call tools like this: <function> multiply(2, 4) </function> and read <result> 8 </result>.
Answer:"""
_MOST: Final = 16


@dataclass
class HeldStrategies(Held):
    """The comparison, and the run that shows its tokens once it is over."""

    job: Job[list[Pair]] | None = None
    params: SamplingParams | None = None
    format: str = "harmony"
    options: dict[str, Any] | None = None
    run: str = ""


def strategies_section(work: LiveBench) -> None:
    """Draw it."""
    mine = _held()
    st.markdown(
        "The tool loop stops at a call, runs the tool outside and sends the result as tokens. The injecting processor "
        "runs the tool within the engine and forces the result's tokens, in one request. Same prompts, both ways. "
        f"The tools at hand are those that come with harmonylens: {', '.join(tool.name for tool in BUILTIN)}."
    )
    with st.container(border=True):
        left, right = st.columns([1.6, 1], gap="medium")
        with left:
            st.text_area(
                "What the user says, a line for each prompt",
                _EXAMPLES,
                key="strategies.users",
                height=184,
                persist_state="session",
            )
        with right:
            st.selectbox(
                "How tools are called",
                list(FORMATS),
                key="strategies.format",
                persist_state="session",
                help="harmony: each prompt declares all of these tools. The others declare none: the prompt shows "
                "how one of them is called.",
            )
            st.number_input("Temperature", 0.0, 100.0, 0.0, 0.1, key="strategies.temperature", persist_state="session")
            st.number_input("Max tokens", 1, 131_072, 256, key="strategies.max_tokens", persist_state="session")
        st.button("Compare", type="primary", key="strategies.go", on_click=_start, disabled=not work.can_sample)
    mine.look(_about())
    if not work.can_sample:
        st.caption(f"{NO_ENGINE} It has to have the injecting processor loaded.")
    if mine.problem:
        st.warning(as_markdown(mine.problem))
    done = job_shown(mine.job, "Sampling, first by the tool loop, then by the processor …", "strategies.stop")
    if done and mine.job is not None and mine.job.result is not None:
        _shown(mine, mine.job.result, work)


def _held() -> HeldStrategies:
    return held(PART, HeldStrategies)


def _about() -> object:
    return fields(_FIELDS), live_bench().asked


def _start() -> None:
    mine = _held()
    mine.complain(_begin(mine), _about())


def _begin(mine: HeldStrategies) -> str:
    """Start a comparison; why none was started, in a sentence."""
    work, said = live_bench(), st.session_state
    engine = work.engine
    if engine is None:
        return "Choose an engine first."
    users = [line.strip() for line in str(said["strategies.users"]).splitlines() if line.strip()][:_MOST]
    if not users:
        return "Write what the user says, a line for each prompt."
    form = said["strategies.format"]
    try:
        prompts = [_prompt(user, form) for user in users]
    except PromptError as error:
        return str(error)
    params = SamplingParams(
        max_tokens=int(said["strategies.max_tokens"]), temperature=float(said["strategies.temperature"]), logprobs=1
    )
    if mine.job is not None:
        mine.job.stop()
    job = Job(lambda: compare_strategies(engine, prompts, params, BUILTIN, form))
    fresh = HeldStrategies(job=job, params=params, format=form, options=_options(engine))
    fresh.keep(Asked(fields(_FIELDS), work.asked))
    put(PART, fresh)
    job.start()
    return ""


def _prompt(user: str, form: str) -> tuple[int, ...]:
    if form == "harmony":
        return build_prompt(None, None, BUILTIN, user)
    return tuple(vocabulary().encode(_TAGGED.format(user=user)))


def _options(engine: Engine) -> dict[str, Any] | None:
    """What the engine was started with, where this app started it."""
    server = running()
    if server is None or server.state != "ready" or server.base_url not in engine.name:
        return None
    return {"logits_processors": [word for word in server.options if ":" in word]}


def _shown(mine: HeldStrategies, pairs: Sequence[Pair], work: LiveBench) -> None:
    heads = (
        "prompt", "", "tokens", "put in by tools", "requests", "seconds", "of these in tools",
        "trained on (loss mask 1)", "logprobs of the tokens put in", "end",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---:|---|---:|---:|---:|---:|---:|---:|---|---|"]
    for number, pair in enumerate(pairs, 1):
        lines += [_line(number, "Tool loop", pair.loop), _line(number, "Injected", pair.injecting)]
    with st.container(key="live-table-strategies"):
        st.markdown("\n".join(lines))
    # Each once: what fails for one prompt mostly fails for all.
    for sentence in dict.fromkeys(s.rollout.error for pair in pairs for s in (pair.loop, pair.injecting)):
        if sentence:
            st.warning(as_markdown(sentence))
    st.caption(as_markdown(" ".join(f"Prompt {number}: {_parting(pair)}" for number, pair in enumerate(pairs, 1))))
    _traps(traps(mine.params or SamplingParams(), mine.format, pairs, mine.options))

    def rollouts() -> tuple[Sequence[Rollout], Sequence[str]]:
        titles = [f"{n} {name}" for n in range(1, len(pairs) + 1) for name in ("loop", "injected")]
        return [side.rollout for pair in pairs for side in (pair.loop, pair.injecting)], titles

    run = past_run(mine.run, rollouts, mine.by(work))
    mine.run = run.id
    show_run(run, key="strategies.view", beside=True)


def _line(number: int, name: str, side: Side) -> str:
    rollout = side.rollout
    end = "failed" if rollout.error else rollout.finish_reason or rollout.ended_by
    mask = sum(side.loss_mask)
    cells = (number, name, side.tokens, side.injected, side.requests, f"{side.seconds:.2f}", f"{side.tool_seconds:.2f}")
    return "| " + " | ".join(as_markdown(str(cell)) for cell in (*cells, mask, _logprobs(side), end)) + " |"


def _logprobs(side: Side) -> str:
    """What the engine said of the tokens that the model did not choose."""
    told = [value for value in side.injected_logprobs if value is not None]
    if not told:
        return "not given" if side.injected else "–"
    forced = sum(value > -1e-4 for value in told)
    if forced == len(told):
        return "all 0 (forced)"
    own = f"the model's own, lowest {min(told):.1f}"
    return own if not forced else f"{forced} of {len(told)} are 0 (forced), the others down to {min(told):.1f}"


def _parting(pair: Pair) -> str:
    at = pair.parts_at
    if at is None:
        return "both ways gave the same tokens."
    where = ", in what a tool said" if pair.parts_in_injected else ""
    return f"the two part at token {at}{where}."


def _traps(found: Sequence[Trap]) -> None:
    if not found:
        return
    st.markdown("**Traps of injected results**")
    for trap in found:
        st.markdown(f"- {'Avoided' if trap.is_avoided else '**Look out**'}: {as_markdown(trap.sentence)}")
