"""What the Live page holds for a session: the engine, and the run that is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from ..live.asked import EngineAsked
from ..live.jobs import Job
from ..live.runs import RUNS, STOP_S, LiveRun
from ..samplers import Replay
from ..samplers.engine import Engine
from ..samplers.server import ServerInfo, VllmServer
from .state import in_session

_KEY: Final = "harmonylens.live"

NO_ENGINE: Final = "Choose a vLLM engine first: a replay says the same whatever it is asked."
"""Why an experiment cannot be run yet."""


@dataclass(slots=True)
class Connecting:
    """A server that is asked what it is."""

    server: VllmServer
    asked: EngineAsked
    job: Job[ServerInfo]


@dataclass(slots=True)
class LiveBench:
    """The work on the Live page.

    Attributes:
        engine: what samples, None before one was chosen. It may hold an API key: it is never shown, kept or exported.
        about: what is known of it, in a sentence.
        asked: how it was chosen.
        connecting: the one that may become the engine.
        problem: why the last one could not be had, in a sentence.
        problem_at: the tab of the engine panel that the sentence belongs to.
        run: id of the run that is shown, "" for none.
        before: the runs that were shown before it, the last one last.
        prompt: the prompt as it was last rendered or used.
        notice: why nothing was started, in a sentence.
        noticed: what that sentence speaks of; it goes when this changes.
        is_open: whether what the address named was looked for.
        seen: what an engine was asked beside the runs, by what for.
    """

    engine: Engine | None = None
    about: str = ""
    asked: EngineAsked | None = None
    connecting: Connecting | None = None
    problem: str = ""
    problem_at: str = ""
    run: str = ""
    before: list[str] = field(default_factory=list)
    prompt: tuple[int, ...] = ()
    notice: str = ""
    noticed: object = None
    is_open: bool = False
    seen: dict[str, object] = field(default_factory=dict)

    @property
    def can_sample(self) -> bool:
        """Whether what is chosen answers by chance: a replay says the same whatever it is asked."""
        return self.engine is not None and not isinstance(self.engine, Replay)

    @property
    def shown(self) -> LiveRun | None:
        """The run that is shown, if the server still has it."""
        return RUNS.find(self.run) if self.run else None

    def begin(self, run: LiveRun) -> None:
        """Start a run and show it; one that is under way is stopped."""
        before = self.shown
        if before is not None:
            before.stop()
            self.before.append(before.id)
        self.before = [name for name in self.before if RUNS.find(name) is not None]
        RUNS.add(run)
        self.run, self.notice = run.id, ""
        run.start()

    def go_back(self) -> None:
        """Show the run before the one that is shown."""
        while self.before:
            self.run = self.before.pop()
            if self.shown is not None:
                return


def stop_sampling(work: LiveBench, is_meant: Callable[[Engine], bool]) -> None:
    """Stop what certain engines sample, and return when it has stopped: for before they are closed or ended.

    Runs of every session are meant, and the experiments of this one.
    """
    if work.engine is not None and is_meant(work.engine):
        held = [getattr(value, "job", None) for value in st.session_state.to_dict().values()]
        # An experiment that is under way asks the engine of now: it is stopped when another is chosen.
        jobs = [job for job in held if isinstance(job, Job) and job.state == "running"]
        for job in jobs:
            job.stop()
        for job in jobs:
            job.wait(STOP_S)
    RUNS.stop_those_of(is_meant)


def live_bench() -> LiveBench:
    """The work of this session."""
    return in_session(_KEY, LiveBench)
