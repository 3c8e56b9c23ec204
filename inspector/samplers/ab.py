"""The A/B experiment: the same conversations rendered in several ways, sampled and judged.

Does a model slip more often behind one rendering of the history than behind another? Each conversation is rendered in
each style; n answers are drawn behind every prompt, under the same seeds; each answer is judged by the newest
release's strict parse and by our rules. The result can be read at any time while the samples come in.
"""

from __future__ import annotations

import secrets
import time
from asyncio import TaskGroup
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..finding import Severity
from ..harmony.message import Message
from ..inspection import NEWEST, inspect
from ..tokens import Transcript
from ..unread import reading
from .ab_result import MALFORMED, REFUSED, Arm, Refusal, Result, tabulate
from .conversations import Conversation, as_conversation
from .engine import Engine
from .preamble import PromptError
from .prompts import render_prompt
from .sampler import OneShot
from .values import Rollout, SamplingParams

PARALLEL: Final = 32
"""Requests at once, unless told otherwise."""

_GIVE_UP: Final = 10
"""Failures in a row, none of them followed by an answer, after which nothing more is asked."""

_OF_THE_CUT: Final = frozenset({"HS102", "HS406"})
"""Findings that say no more than that the output ended: where the limit of tokens cut it, the model has not slipped."""


class ABError(ValueError):
    """An experiment that would show nothing; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer, judged.

    Attributes:
        arm: number of the style; ``conversation``: of the conversation; ``number``: of the sample, from 0.
        transcript: what was sampled, with the arm in its ``meta``.
        malformed: the newest release refuses it, or a rule finds an error in it.
        refused: the newest release refuses it.
        cut: the limit of tokens ended it. Being cut alone is not malformed.
        unfinished: it was cut within a header in which nothing was wrong so far; such a sample is not judged.
        codes: of the rules that found something.
        error: the engine's failure, "" when there was none; such a sample is not judged.
    """

    arm: int
    conversation: int
    number: int
    transcript: Transcript
    malformed: bool = False
    refused: bool = False
    cut: bool = False
    unfinished: bool = False
    codes: frozenset[str] = frozenset()
    error: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether it counts in the rates."""
        return not self.error and not self.unfinished


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    conversation: int
    arm: int


Watcher = Callable[["Experiment"], None]
"""Told after every sample. Called in the event loop: it must be quick."""


class Experiment:
    """Conversations in several renderings, and what has been sampled of them so far.

    Args:
        conversations: whatever :func:`inspector.samplers.conversations.as_conversation` takes.
        styles: two or more of :data:`inspector.prompt.STYLES`, the first is the one that others are compared with.
        n: samples for each conversation in each style.
        params: how to sample; without a seed one is drawn (see :attr:`params`), so that it can be done again.
        parallel: requests at once.

    Attributes:
        params: with the seed. Sample ``k`` of conversation ``c`` has the seed ``seed + c * n + k`` in every arm.
        prompts: by conversation the prompt of each style, None where some style refuses the conversation.
        same: numbers of the conversations that all styles render alike: no arm can differ, so they are not sampled.
        refusals: conversations that some style refuses to render: they are left out of every arm.
        samples: what has been sampled, in the order in which it was finished.

    Raises:
        ABError: fewer than two styles, no samples, or no conversation that is rendered in two ways.
        PromptError: something that is no conversation.
        ValueError: no such style.
    """

    def __init__(
        self,
        conversations: Sequence[Conversation | Sequence[Message] | Transcript | Mapping[str, Any]],
        styles: Sequence[str],
        n: int,
        params: SamplingParams,
        *,
        parallel: int = PARALLEL,
    ) -> None:
        self.styles = tuple(dict.fromkeys(styles))
        if len(self.styles) < 2:
            raise ABError("An experiment compares two styles or more: name them.")
        if n < 1 or parallel < 1:
            raise ABError(f"n is {n} and parallel {parallel}: expected at least one sample, and one request at a time.")
        self.conversations = _with_ids([as_conversation(one) for one in conversations])
        if not self.conversations:
            raise ABError("There is no conversation to sample.")
        self.n = n
        self.parallel = parallel
        self.refusals: list[Refusal] = []
        self.prompts = [self._rendered(one) for one in self.conversations]
        self.same = tuple(at for at, prompts in enumerate(self.prompts) if prompts is not None and _alike(prompts))
        self.sampled = tuple(
            at for at, prompts in enumerate(self.prompts) if prompts is not None and not _alike(prompts)
        )
        if not self.sampled:
            raise ABError(self._nothing_to_compare())
        room = len(self.conversations) * n
        seed = secrets.randbelow(2**31 - room) if params.seed is None else params.seed
        self.params = replace(params, seed=seed)
        self.samples: list[Sample] = []
        self.gave_up = ""
        self._engine = ""
        self._in_a_row = 0
        self._began: float | None = None
        self._seconds = 0.0

    @property
    def planned(self) -> int:
        """How many samples it takes."""
        return len(self.sampled) * self.n * len(self.styles)

    async def run(self, engine: Engine, watcher: Watcher | None = None) -> Result:
        """Draw all samples, and give the result. Cancelling keeps what was finished: :meth:`result` tells.

        The arms are sampled side by side, so that what is there early has something of each. An engine that fails
        again and again is not asked any further: the result's ``gave_up`` says why.
        """
        self._engine = engine.name
        self._began = time.monotonic()
        jobs = self._jobs()

        async def work() -> None:
            for job in jobs:
                if self.gave_up:
                    return
                self._add(await self._ask(engine, job))
                if watcher is not None:
                    watcher(self)

        try:
            async with TaskGroup() as group:
                for _ in range(min(self.parallel, self.planned)):
                    group.create_task(work())
        finally:
            self._seconds = time.monotonic() - self._began
            self._began = None
        return self.result()

    def result(self) -> Result:
        """The rates so far, with their intervals and tests."""
        seconds = self._seconds if self._began is None else time.monotonic() - self._began
        return Result(
            engine=self._engine,
            params=self.params,
            n=self.n,
            conversations=len(self.conversations),
            sampled=len(self.sampled),
            same=tuple(self.conversations[at].id for at in self.same),
            refusals=tuple(self.refusals),
            planned=self.planned,
            arms=tuple(self._arm(at, style) for at, style in enumerate(self.styles)),
            rows=tabulate(self._counts(), len(self.styles)),
            failures=tuple(Counter(one.error for one in self.samples if one.error).most_common()),
            gave_up=self.gave_up,
            tokens=sum(len(one.transcript) for one in self.samples),
            seconds=seconds,
        )

    def transcripts(self) -> list[Transcript]:
        """All samples with any token, by conversation, number and arm."""
        ordered = sorted(self.samples, key=lambda one: (one.conversation, one.number, one.arm))
        return [one.transcript for one in ordered if one.transcript.ids]

    def _rendered(self, conversation: Conversation) -> tuple[tuple[int, ...], ...] | None:
        prompts = []
        for style in self.styles:
            try:
                prompts.append(render_prompt(conversation, style))
            except PromptError as error:
                self.refusals.append(Refusal(conversation.id, style, str(error)))
                return None
        return tuple(prompts)

    def _nothing_to_compare(self) -> str:
        if self.refusals:
            first = self.refusals[0]
            return f"No conversation is left to compare: {first.conversation}: {first.why}"
        count = len(self.conversations)
        what = f"all {count} conversations" if count > 1 else "the only conversation"
        return (
            f"{' and '.join(self.styles)} render {what} alike, so no arm can "
            "differ: take conversations with tool calls in their history, or other styles."
        )

    def _jobs(self) -> Iterator[_Job]:
        return (
            _Job(number, conversation, arm)
            for number in range(self.n)
            for conversation in self.sampled
            for arm in range(len(self.styles))
        )

    async def _ask(self, engine: Engine, job: _Job) -> Sample:
        prompts = self.prompts[job.conversation]
        assert prompts is not None
        params = self.params.for_sample(job.conversation * self.n + job.number)
        (rollout,) = await OneShot().sample(engine, [prompts[job.arm]], params)
        return self._judged(job, rollout, params.seed)

    def _judged(self, job: _Job, rollout: Rollout, seed: int | None) -> Sample:
        conversation, style = self.conversations[job.conversation], self.styles[job.arm]
        meta: dict[str, Any] = {"arm": style, "conversation": conversation.id, "sample": job.number, "seed": seed}
        if rollout.error:
            meta["error"] = rollout.error
        transcript = replace(
            rollout.transcript(id=f"{conversation.id} / {style} / {job.number}", tools=conversation.tools), meta=meta
        )
        if rollout.ended_by == "failed":
            return Sample(job.arm, job.conversation, job.number, transcript, error=rollout.error)
        found, problem = reading(lambda one: inspect(one, releases=(NEWEST,), next_prompt=False), transcript)
        if problem:
            return Sample(job.arm, job.conversation, job.number, transcript, error=problem)
        cut = rollout.finish_reason == "length" or rollout.ended_by == "cut_off"
        error = found.verdict(NEWEST).error
        open_end = cut and error is not None and error.token >= len(transcript)
        refused = error is not None and not open_end
        diagnostics = [one for one in found.diagnostics if not (cut and one.code in _OF_THE_CUT)]
        malformed = refused or any(one.severity is Severity.ERROR for one in diagnostics)
        return Sample(
            job.arm,
            job.conversation,
            job.number,
            replace(transcript, meta={**meta, "malformed": malformed}),
            malformed,
            refused,
            cut,
            open_end and not malformed,
            frozenset(one.code for one in diagnostics),
        )

    def _add(self, sample: Sample) -> None:
        self.samples.append(sample)
        self._in_a_row = self._in_a_row + 1 if sample.error else 0
        if self._in_a_row >= _GIVE_UP:
            self.gave_up = f"The engine failed {_GIVE_UP} times in a row: {sample.error}"

    def _arm(self, at: int, style: str) -> Arm:
        own = [one for one in self.samples if one.arm == at]
        judged = [one for one in own if one.is_judged]
        failed = sum(1 for one in own if one.error)
        return Arm(style, len(judged), failed, len(own) - len(judged) - failed, sum(one.cut for one in judged))

    def _counts(self) -> Mapping[tuple[int, int], tuple[tuple[int, Counter[str]], tuple[int, Counter[str]]]]:
        """By pair of arms, what each of the two has: samples judged, and of those how many have what.

        Only conversations that the two render differently count for the pair. The pair of an arm with itself holds
        all that the arm has.
        """
        counts: dict[tuple[int, int], tuple[tuple[int, Counter[str]], tuple[int, Counter[str]]]] = {}
        for first in range(len(self.styles)):
            for second in range(first, len(self.styles)):
                counts[first, second] = (self._tally(first, second), self._tally(second, first))
        return counts

    def _tally(self, arm: int, other: int) -> tuple[int, Counter[str]]:
        total = 0
        found: Counter[str] = Counter()
        for one in self.samples:
            if one.arm != arm or not one.is_judged:
                continue
            prompts = self.prompts[one.conversation]
            assert prompts is not None
            if arm != other and prompts[arm] == prompts[other]:
                continue
            total += 1
            found.update(one.codes)
            found.update([MALFORMED] * one.malformed + [REFUSED] * one.refused)
        return total, found


async def run_ab(
    engine: Engine,
    conversations: Sequence[Conversation | Sequence[Message] | Transcript | Mapping[str, Any]],
    styles: Sequence[str],
    n: int,
    params: SamplingParams,
    listener: Watcher | None = None,
    *,
    parallel: int = PARALLEL,
) -> Result:
    """An :class:`Experiment` from beginning to end; see there for the arguments and what it raises.

    Who wants what was finished when it is cancelled, or the samples themselves, keeps the experiment that the listener
    is told of, or makes one.
    """
    return await Experiment(conversations, styles, n, params, parallel=parallel).run(engine, listener)


def _alike(prompts: Sequence[tuple[int, ...]]) -> bool:
    return all(prompt == prompts[0] for prompt in prompts)


def _with_ids(conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """Each with an id of its own: those without one, or with one that was taken, are numbered."""
    taken: set[str] = set()
    named = []
    for number, one in enumerate(conversations, 1):
        id = one.id or f"conversation {number}"
        if id in taken:
            id = f"{id} ({number})"
        taken.add(id)
        named.append(replace(one, id=id))
    return tuple(named)
