"""A/B of prompt rendering on the Live page: the same conversations, written in two ways, and how often answers slip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import streamlit as st

from ..ingest.writing import transcript_record
from ..live.asked import Asked
from ..live.jobs import Job
from ..prompt import STYLES
from ..samplers import SamplingParams
from ..samplers.ab import ABError, Experiment
from ..samplers.ab_result import Result
from ..samplers.conversations import Conversation, read_conversations, shipped_conversations
from ..samplers.preamble import PromptError
from .ab_figures import forest_figure, p_words
from .live_again import Held, fields, held, put
from .live_state import NO_ENGINE, LiveBench, live_bench
from .plain import as_markdown

PART: Final = "ab"
_FIELDS: Final = ("ab.source", "ab.styles", "ab.n", "ab.temperature", "ab.max_tokens", "ab.seed")
_OWN: Final = "A file of mine"
_SHIPPED: Final = "Those that come with harmonylens"
_LOOK_S: Final = 1.0


@dataclass
class HeldAB(Held):
    """What is sampled, the work on it, and what could not be read of the conversations."""

    experiment: Experiment | None = None
    job: Job[Result] | None = None
    notes: tuple[str, ...] = ()


def ab_section(work: LiveBench) -> None:
    """Draw it."""
    mine = _held()
    st.markdown(
        "The same conversations are rendered in each style, and answers drawn behind every prompt with the same "
        "seeds. Malformed is what the newest strict parse refuses, or a rule calls an error."
    )
    with st.container(border=True):
        left, right = st.columns([1.6, 1], gap="medium")
        with left:
            source = st.radio(
                "Conversations", (_SHIPPED, _OWN), key="ab.source", persist_state="session", horizontal=True
            )
            if source == _OWN:
                st.file_uploader(
                    "JSON Lines: chat requests, Harmony messages or transcripts of whole conversations", key="ab.file"
                )
            st.multiselect("Styles", STYLES, list(STYLES[:2]), key="ab.styles", persist_state="session")
        with right:
            st.number_input("Samples of each", 1, 1000, 10, key="ab.n", persist_state="session")
            st.number_input("Temperature", 0.0, 100.0, 1.0, 0.1, key="ab.temperature", persist_state="session")
            st.number_input("Max tokens", 1, 131_072, 256, key="ab.max_tokens", persist_state="session")
            st.text_input("Seed", key="ab.seed", placeholder="drawn, and told", persist_state="session")
        st.button("Run the experiment", type="primary", key="ab.go", on_click=_start, disabled=not work.can_sample)
    mine.look(_about())
    if not work.can_sample:
        st.caption(NO_ENGINE)
    if mine.problem:
        st.warning(as_markdown(mine.problem))
    for note in mine.notes[:5]:
        st.caption(as_markdown(note))
    if mine.job is not None:
        if mine.job.state == "running":
            _watch()
        else:
            _ended(mine)


def _held() -> HeldAB:
    return held(PART, HeldAB)


def _start() -> None:
    mine = _held()
    mine.notes = ()
    mine.complain(_begin(mine), _about())


def _about() -> object:
    file = st.session_state.get("ab.file")
    return fields(_FIELDS), file.file_id if file is not None else "", live_bench().asked


def _begin(mine: HeldAB) -> str:
    """Start an experiment; why none was started, in a sentence."""
    work, said = live_bench(), st.session_state
    engine = work.engine
    if engine is None:
        return "Choose an engine first."
    conversations, problem = _conversations(mine)
    if not conversations:
        return problem or "There are no conversations in this file."
    seed = str(said.get("ab.seed") or "").strip()
    try:
        params = SamplingParams(
            max_tokens=int(said["ab.max_tokens"]),
            temperature=float(said["ab.temperature"]),
            seed=int(seed) if seed else None,
            logprobs=None,
        )
    except ValueError:
        return f"The seed is {seed[:40]!r}: expected a whole number, or nothing."
    try:
        experiment = Experiment(conversations, said["ab.styles"], int(said["ab.n"]), params)
    except (ABError, PromptError) as error:
        left = f" {len(mine.notes):,} lines of the file could not be used: {mine.notes[0]}" if mine.notes else ""
        return f"{error}{left}"
    if mine.job is not None:
        mine.job.stop()
    job = Job(lambda: experiment.run(engine))
    fresh = HeldAB(experiment=experiment, job=job, notes=mine.notes)
    fresh.keep(Asked(fields(_FIELDS), work.asked))
    put(PART, fresh)
    job.start()
    return ""


def _conversations(mine: HeldAB) -> tuple[list[Conversation], str]:
    """What is to be rendered, and why there is nothing."""
    if st.session_state.get("ab.source") != _OWN:
        return shipped_conversations(), ""
    file = st.session_state.get("ab.file")
    if file is None:
        return [], "Give the file with the conversations."
    conversations, problems = read_conversations(file.getvalue(), file.name)
    mine.notes = tuple(problems)
    return conversations, problems[0] if problems and not conversations else ""


@st.fragment(run_every=_LOOK_S)
def _watch() -> None:
    """The experiment while it runs, looked at once a second."""
    mine = _held()
    if mine.job is None or mine.experiment is None or mine.job.state != "running":
        st.rerun()
    mine.job.looked()
    result = mine.experiment.result()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(result.done / max(1, result.planned), f"{result.done:,} of {result.planned:,} samples")
        st.button("Stop", key="ab.stop", on_click=mine.job.stop)
    if result.done:
        _shown(result)


def _ended(mine: HeldAB) -> None:
    if mine.experiment is None or mine.job is None:
        return
    result = mine.experiment.result()
    if mine.job.error:
        st.error(as_markdown(mine.job.error))
    if result.gave_up:
        st.error(as_markdown(result.gave_up))
    for sentence, count in result.failures[:3]:
        st.warning(as_markdown(f"{count:,} requests failed: {sentence}"))
    if mine.job.state == "stopped":
        st.caption(as_markdown(f"Stopped after {result.done:,} of {result.planned:,} samples. {mine.job.why}".strip()))
    if result.done:
        _shown(result)
        lines = "\n".join(json.dumps(transcript_record(t), ensure_ascii=False) for t in mine.experiment.transcripts())
        st.download_button(
            "All samples, as records", lines.encode("utf-8", "replace"), "ab-samples.jsonl", key="ab.download"
        )


def _shown(result: Result) -> None:
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.plotly_chart(forest_figure(result, theme), key="ab.figure", config={"displayModeBar": False})
    left = [f"{len(result.same)} rendered alike in every style, so not sampled"] if result.same else []
    left += [f"{len(result.refusals)} left out, which a style refuses"] if result.refusals else []
    failed = sum(arm.failed for arm in result.arms)
    left += [f"{failed:,} requests failed and are in no rate"] if failed else []
    told = "; ".join((f"{result.sampled} conversations", *left, f"seed {result.params.seed}"))
    st.caption(f"{as_markdown(told)}. Bars are Wilson's 95 % intervals.")
    lines = ["| | " + " | ".join(as_markdown(arm.style) for arm in result.arms) + " | difference | p (Holm) |"]
    lines.append("|---|" + "---:|" * (len(result.arms) + 2))
    for row in result.rows:
        rates = " | ".join(f"{100 * rate.share:.1f} % ({rate.count}/{rate.total})" for rate in row.rates)
        first = row.comparisons[0] if row.comparisons else None
        gap = "" if first is None else f"{100 * first.difference.value:+.1f} points"
        p = "" if first is None else p_words(first.p_holm).removeprefix("= ")
        name = row.title if row.severity is None else f"{row.code} {row.title}"
        lines.append(f"| {as_markdown(name)} | {rates} | {gap} | {p} |")
    with st.container(key="live-table-ab"):
        st.markdown("\n".join(lines))
    st.caption(
        "The difference is of the first two styles. p is Fisher's exact test; that of a rule is raised for the number "
        "of rules that were compared (Holm), that of the first two lines is not."
    )
