"""Work in the background on a page: how it stands, a button that stops it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import streamlit as st

from ..live.jobs import Job
from ..live.runs import RUNS, LiveRun
from ..samplers import Rollout
from .plain import as_markdown

_AT_ONCE_S: Final = 1.0


def job_shown(job: Job[Any] | None, doing: str, key: str) -> bool:
    """Draw how a job stands, looked at once a second; True once there is a result to be drawn.

    Args:
        job: None before the first.
        doing: what it does, in words.
        key: of the button that stops it.
    """
    if job is None:
        return False
    job.looked()
    if job.state == "running":
        _watch(job, doing, key)
    elif job.error:
        st.error(as_markdown(job.error))
    elif job.state == "stopped":
        st.caption(as_markdown(job.why or "Stopped."))
    return job.state == "done"


@st.fragment(run_every=1.0)
def _watch(job: Job[Any], doing: str, key: str) -> None:
    job.looked()
    if job.state != "running":
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown(doing)
        st.button("Stop", key=key, on_click=_stop, args=(job,))


def _stop(job: Job[Any]) -> None:
    job.stop()
    # Most end at once, and the page then says so at once.
    job.wait(_AT_ONCE_S)


def past_run(name: str, rollouts: Callable[[], tuple[Sequence[Rollout], Sequence[str]]], by: str) -> LiveRun:
    """The run called ``name``, or, where there is none (any more), one of these rollouts and their titles."""
    run = RUNS.find(name)
    if run is None:
        run = LiveRun.ended(*rollouts(), by=by)
        RUNS.add(run)
    return run
