"""A generation under way: several samples of one prompt, or one of each of several, growing in the background."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from secrets import token_urlsafe
from threading import Lock
from typing import Final

from ..samplers import Delta, Draft, Engine, EngineError, OneShot, Rollout, Sampler, SamplingParams
from ..samplers.limits import HELD_BYTES, RUN_BYTES, TOO_LARGE, UNWATCHED, memory_of
from ..samplers.sampler import draw
from ..samplers.values import open_message
from ..tokens import Transcript
from .asked import Asked
from .jobs import Job, State
from .loop import Loop

MAX_SAMPLES: Final = 64
"""Samples of one run: what one page can still be watched for."""

KEPT_RUNS: Final = 12
"""Runs that are kept after they have ended, the newest, as far as :data:`HELD_BYTES` of memory allow; those under way
are kept besides."""

STOP_S: Final = 2.0
"""Seconds that a run has to stop before its engine goes away."""


class LiveRun:
    """One press of "Generate".

    Safe to look at from any thread. ``version`` counts what has changed; :meth:`listen` tells of it.

    Args:
        engine, sampler, params: who samples, and how.
        prompts: one for each sample.
        tools: names of the declared tools, for the findings.
        titles: of the samples, "" or none where their number says it all.
        note: a sentence about it, "" for none.
        watched: codes of rules; the summary counts the samples in which one of them is found.
        asked: what a person had filled in, None where nobody had.
    """

    def __init__(
        self,
        engine: Engine,
        sampler: Sampler,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        *,
        tools: Sequence[str] = (),
        titles: Sequence[str] = (),
        watched: Iterable[str] = (),
        note: str = "",
        asked: Asked | None = None,
    ) -> None:
        if not 1 <= len(prompts) <= MAX_SAMPLES:
            raise ValueError(f"{len(prompts)} samples: expected 1 to {MAX_SAMPLES} in one run")
        self.id = token_urlsafe(16)
        self.engine = engine
        self.sampler = sampler
        self.prompts = [tuple(prompt) for prompt in prompts]
        self.params = params
        self.tools = tuple(tools)
        self.titles = tuple(titles) or ("",) * len(self.prompts)
        self.watched = frozenset(watched)
        self.note = note
        self.asked = asked
        self.kept = [len(prompt) - open_message(prompt)[0] for prompt in self.prompts]
        """Of each prompt, how many tokens at its end belong to the message that goes on: its transcript begins so."""
        self.state: State = "running"
        self.error = ""
        self.version = 0
        self.began = time.monotonic()
        self.seconds: float | None = None
        self.drafts: list[Draft | None] = [None] * len(self.prompts)
        self._heard_of = [0] * len(self.prompts)
        self._tokens = 0
        self._lock = Lock()
        self._listeners: list[Callable[[], None]] = []
        self._past: tuple[Rollout, ...] = ()
        self._job = Job(lambda: draw(self.sampler, self.engine, self.prompts, self.params, self._heard), self._end)

    @classmethod
    def ended(
        cls, rollouts: Sequence[Rollout], titles: Sequence[str], *, by: str, tools: Sequence[str] = ()
    ) -> LiveRun:
        """A run of rollouts that somebody else has drawn, to be looked at like any other."""
        run = cls(
            _Past(by),
            OneShot(),
            [rollout.prompt_ids for rollout in rollouts],
            SamplingParams(),
            tools=tools,
            titles=titles,
        )
        run._past = tuple(rollouts)
        run._tokens = sum(len(rollout.ids) for rollout in rollouts)
        # They were drawn side by side: it took as long as the longest.
        run.seconds = max(sum(turn.seconds + turn.tool_seconds for turn in r.turns) for r in rollouts)
        run.state = "done"
        return run

    def start(self, loop: Loop | None = None) -> None:
        """Begin to sample, in the background."""
        self._job.start(loop)

    def stop(self, why: str = "") -> None:
        """Let it be: the engine stops working on every sample, and what has come is kept. Returns at once.

        Args:
            why: a sentence that the run's ``error`` then is, where it was not a person who wanted it.
        """
        self._job.stop(why)

    def looked(self) -> None:
        """Somebody looks at it: it is not stopped for want of a watcher."""
        self._job.looked()

    @property
    def memory(self) -> int:
        """Bytes that its tokens take, roughly."""
        return memory_of(self._tokens, self.params.logprobs)

    def wait(self, limit_s: float | None = None) -> None:
        """Return once it has ended, however it did.

        Raises:
            TimeoutError: it has not, after ``limit_s`` seconds.
        """
        ended: Future[None] = Future()

        def look() -> None:
            if self.state != "running" and not ended.done():
                ended.set_result(None)

        stop = self.listen(look)
        try:
            look()
            ended.result(limit_s)
        finally:
            stop()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have ``listener`` called after every change, from whichever thread makes it; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave

    def rollout(self, number: int) -> Rollout:
        """What has come of a sample so far."""
        if self._past:
            return self._past[number]
        draft = self.drafts[number]
        return draft.rollout() if draft is not None else Rollout(self.prompts[number])

    def count(self, number: int) -> int:
        """How many tokens a sample's transcript has."""
        if self._past:
            return self.kept[number] + len(self._past[number].ids)
        draft = self.drafts[number]
        return self.kept[number] + (len(draft.ids) if draft is not None else 0)

    def is_done(self, number: int) -> bool:
        """Whether nothing more will come of a sample."""
        draft = self.drafts[number]
        return self.state != "running" or (draft is not None and draft.is_done)

    def transcript(self, number: int) -> Transcript:
        """A sample as a transcript, as far as it has come; where more may come it says that nothing ended it yet."""
        name = self.titles[number] or f"sample {number + 1}"
        found = self.rollout(number).transcript(id=name, source=self.engine.name, tools=self.tools)
        if self.is_done(number):
            return found
        return replace(found, reported=frozenset(("finish_reason", "stop_reason")), finish_reason=None)

    def _heard(self, number: int, draft: Draft) -> None:
        self.drafts[number] = draft
        self._tokens += len(draft.ids) - self._heard_of[number]
        self._heard_of[number] = len(draft.ids)
        if self.memory > RUN_BYTES:
            self.stop(TOO_LARGE)
        self._changed()

    def _end(self) -> None:
        self.seconds = time.monotonic() - self.began
        failed = [draft.rollout().error for draft in self.drafts if draft is not None and draft.is_failed]
        if self._job.state == "done" and len(failed) == len(self.prompts):
            self.state, self.error = "failed", failed[0]
        else:
            self.state, self.error = self._job.state, self._job.error or self._job.why
            if self.error == UNWATCHED:
                self.error += " Resample goes on from a token that you choose, Generate again begins anew."
        self._changed()

    def _changed(self) -> None:
        with self._lock:
            self.version += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()


class _Past:
    """The engine of rollouts that are there already."""

    def __init__(self, name: str) -> None:
        self.name = name

    def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        raise EngineError(f"{self.name} is not asked any more.")

    async def close(self) -> None:
        return


class Runs:
    """The runs of this process, by their id, which nobody can guess."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, LiveRun] = OrderedDict()
        self._lock = Lock()

    def add(self, run: LiveRun) -> None:
        """Keep a run; the oldest that have ended give way, for their number or for the memory that they hold."""
        with self._lock:
            self._runs[run.id] = run
            held = count = 0
            for known in reversed([one for one in self._runs.values() if one.state != "running"]):
                count, held = count + 1, held + known.memory
                if known is not run and (count > KEPT_RUNS or held > HELD_BYTES):
                    del self._runs[known.id]

    def find(self, name: str) -> LiveRun | None:
        """The run of this id, None where there is none (any more)."""
        with self._lock:
            return self._runs.get(name)

    def stop_those_of(self, is_meant: Callable[[Engine], bool]) -> None:
        """Stop what certain engines sample, before they go away: it is stopped then, and has not failed."""
        with self._lock:
            meant = [run for run in self._runs.values() if run.state == "running" and is_meant(run.engine)]
        for run in meant:
            run.stop()
        for run in meant:
            # One whose sampler does not let itself be stopped ends with the engine, as a failure.
            with contextlib.suppress(TimeoutError):
                run.wait(STOP_S)


RUNS: Final = Runs()
"""All of them."""
