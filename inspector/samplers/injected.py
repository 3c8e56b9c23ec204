"""Tools called inside of the engine: one request per rollout, the results forced by a logits processor."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from ..tokens import ENDOFTEXT, RETURN
from .calls import FORMATS, CallFormat
from .draft import Draft, Listener
from .engine import Engine, EngineError
from .injection import INJECT, LIMIT, LIMIT_S, MAX_TURNS, TOOLS, TURNS, Region, Regions
from .limits import checked_loop
from .sampler import ask, each
from .tools import BUILTIN, Tool, installed
from .values import EndedBy, Rollout, SamplingParams, Turn, role_after

PROCESSOR: Final = "inspector.vllm_side.injecting:InjectingLogitsProcessor"
"""What the engine has to have among its logits processors."""

ENDS: Final = (RETURN, ENDOFTEXT)
"""The tokens that end a request. A call must not: nothing could be put behind it."""


class InjectingToolLoop:
    """One request per rollout; a logits processor in the engine runs the tools and forces their results.

    The engine has to have been started with :data:`PROCESSOR`, and runs the tools that *it* has, the built-in ones and
    those installed beside it; here only their names are given. The result's tokens come with the others and are told
    apart by reading the output again (:class:`inspector.samplers.injection.Regions`). They count against
    ``max_tokens``, and they have the logprobs that the engine reports for tokens which the model did not choose. A tool
    that is slow holds up every request in the batch.

    Args:
        tools: what the model may call, by name. A :class:`Tool` of one's own that the engine cannot have is refused: it
            would be told "there is no such tool".
        format: how it calls: the name of one of :data:`inspector.samplers.calls.FORMATS`.
        max_turns: as for the tool loop: the last one's call is not run.
        limit_s: seconds for each call of a tool.
    """

    name = "injecting"

    def __init__(
        self,
        tools: Iterable[Tool | str] = BUILTIN,
        format: str = "harmony",
        max_turns: int = MAX_TURNS,
        limit_s: float = LIMIT_S,
    ) -> None:
        if format not in FORMATS:
            raise ValueError(f"no call format is called {format!r}: use one of {', '.join(FORMATS)}")
        checked_loop(max_turns, limit_s)
        chosen = tuple(tools)
        own = [tool.name for tool in chosen if isinstance(tool, Tool) and tool not in BUILTIN]
        missing = sorted(set(own) - {tool.name for tool in installed()[0]}) if own else []
        if missing:
            raise ValueError(
                f"tools run within the engine here, and {', '.join(missing)} is neither built in nor installed as an "
                "entry point: install it beside vLLM, and give its name"
            )
        self.tools = tuple(tool if isinstance(tool, str) else tool.name for tool in chosen)
        self.format: CallFormat = FORMATS[format]
        self.max_turns = max_turns
        self.limit_s = limit_s

    def request(self, params: SamplingParams) -> SamplingParams:
        """``params`` as they have to be sent, so that no call ends the request before its result is there.

        The tokens that the model's configuration ends answers with are ignored, since gpt-oss's hold ``<|call|>``;
        :data:`ENDS` are named instead.
        """
        stops = (*ENDS, *(token for token in params.stop_token_ids if token not in self.format.stop_token_ids))
        extra = {
            INJECT: self.format.name,
            TURNS: self.max_turns,
            TOOLS: list(self.tools),
            LIMIT: self.limit_s,
        }
        return replace(
            params,
            ignore_eos=True,
            stop_token_ids=tuple(dict.fromkeys(stops)),
            stop=tuple(text for text in params.stop if text not in self.format.stop),
            extra={**params.extra, **extra},
        )

    async def sample(
        self,
        engine: Engine,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        listener: Listener | None = None,
    ) -> list[Rollout]:
        """See :meth:`inspector.samplers.sampler.Sampler.sample`.

        A rollout fails with a sentence when a call is followed by something else than a result: then the engine has
        no such processor.
        """
        request = self.request(params)

        async def one(number: int, draft: Draft) -> None:
            told = _Told(self, draft, listener)
            await ask(engine, draft, request.for_sample(number), number, told.grown)
            told.check_the_end()
            draft.finish(*told.ended)

        return await each(prompts, one, listener)


class _Told:
    """One rollout: divides what comes into turns, and tells the listener of it."""

    def __init__(self, sampler: InjectingToolLoop, draft: Draft, listener: Listener | None) -> None:
        self._sampler = sampler
        self._draft = draft
        self._listener = listener
        self._reading = Regions(sampler.format, role_after(draft.prompt_ids), sampler.max_turns)
        self._came: list[float] = []
        self._began = time.monotonic()

    @property
    def ended(self) -> tuple[EndedBy, str]:
        """Who ended it, and what there is to say about it."""
        last = self._reading.found[-1] if self._reading.found else None
        if last is not None and last.is_ending:
            turns = self._sampler.max_turns
            return "max_turns", f"It called tools in {turns} turns, and was stopped before a further one."
        return "engine", ""

    def grown(self, number: int, draft: Draft) -> None:
        """The draft has grown.

        Raises:
            EngineError: nobody put a result behind a call.
        """
        now = time.monotonic()
        self._came += [now] * (len(draft.ids) - len(self._came))
        self._reading.read(draft.ids)
        draft.divide(self._turns(draft))
        if self._listener is not None:
            self._listener(number, draft)
        last = self._reading.found[-1] if self._reading.found else None
        if last is not None and last.is_missing:
            raise EngineError(_MISSING.format(call=last.call.recipient, processor=PROCESSOR))

    def check_the_end(self) -> None:
        """The request has ended.

        Raises:
            EngineError: it ended at a call, for another reason than its length.
        """
        last = self._reading.found[-1] if self._reading.found else None
        rollout = self._draft.rollout()
        if last is not None and last.start == len(self._draft.ids) and rollout.finish_reason == "stop":
            raise EngineError(
                f"The request ended at the call of {last.call.recipient} (stop_reason {rollout.stop_reason}) although "
                "it asked not to: no result could be put behind it. Start the engine without own stop tokens."
            )

    def _turns(self, draft: Draft) -> list[Turn]:
        count = len(draft.ids)
        turns = []
        start = 0
        for region in self._reading.found:
            turns.append(self._turn(start, region))
            start = region.end
        if start < count or not turns:
            turns.append(Turn(start, count, seconds=self._time(start, count)))
        return turns

    def _turn(self, start: int, region: Region) -> Turn:
        error = region.text.removeprefix("error: ") if region.text.startswith("error: ") else ""
        is_answered = region.end > region.start and not region.is_ending
        return Turn(
            start,
            region.start,
            region.end - region.start,
            tool=region.call.recipient if is_answered else "",
            error=error,
            seconds=self._time(start, region.start),
            # Until the first token of the result: the tool, and one step of the model.
            tool_seconds=self._time(region.start, region.start + 1) if is_answered else 0.0,
        )

    def _time(self, start: int, end: int) -> float:
        """Seconds from the token before ``start`` to the one before ``end``."""
        before = self._came[start - 1] if start else self._began
        return self._came[end - 1] - before if end > start else 0.0


_MISSING: Final = (
    "The engine put no result behind the call of {call}: start vLLM with --logits-processors {processor} "
    "(logits_processors=[...] offline), and with VLLM_USE_V2_MODEL_RUNNER=0 on a GPU."
)
