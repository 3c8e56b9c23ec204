"""The tool loop: stop at the call, run the tool outside of the engine, put the result behind it as tokens, go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from .calls import FORMATS, CallFormat
from .draft import Draft, Listener
from .engine import Engine
from .limits import checked_loop
from .sampler import ask, each
from .tools import BUILTIN, Tool, Toolbox
from .values import Rollout, SamplingParams, open_message

MAX_TURNS: Final = 8


class ToolLoop:
    """Requests and tool calls in turn, until the model does not call any more.

    Token in, token out: what was sampled goes into the next request as the ids that they are. With the engine's
    prefix cache a further turn costs little more than the tokens that are new.

    Args:
        tools: what the model may call.
        format: how it calls: the name of one of :data:`inspector.samplers.calls.FORMATS`.
        max_turns: requests per rollout; the last one's call is not run.
        limit_s: seconds for each call of a tool.
    """

    name = "tool-loop"

    def __init__(
        self,
        tools: Iterable[Tool] = BUILTIN,
        format: str = "harmony",
        max_turns: int = MAX_TURNS,
        limit_s: float = 10.0,
    ) -> None:
        if format not in FORMATS:
            raise ValueError(f"no call format is called {format!r}: use one of {', '.join(FORMATS)}")
        checked_loop(max_turns, limit_s)
        self.toolbox = Toolbox(tools, limit_s=limit_s)
        self.format: CallFormat = FORMATS[format]
        self.max_turns = max_turns

    async def sample(
        self,
        engine: Engine,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        listener: Listener | None = None,
    ) -> list[Rollout]:
        """See :meth:`inspector.samplers.sampler.Sampler.sample`. A slow tool holds up its own rollout only."""
        stopping = replace(
            params,
            stop=tuple(dict.fromkeys((*params.stop, *self.format.stop))),
            stop_token_ids=tuple(dict.fromkeys((*params.stop_token_ids, *self.format.stop_token_ids))),
        )

        async def one(number: int, draft: Draft) -> None:
            await self._run(engine, draft, stopping.for_sample(number), number, listener)

        return await each(prompts, one, listener)

    async def _run(
        self, engine: Engine, draft: Draft, params: SamplingParams, number: int, listener: Listener | None
    ) -> None:
        begins, role = open_message(draft.prompt_ids)
        # A call may have been begun by the prompt already.
        kept = draft.prompt_ids[begins:]
        for turn in range(1, self.max_turns + 1):
            finish = await ask(engine, draft, params, number, listener)
            call = self.format.call((*kept, *draft.ids), role) if finish == "stop" else None
            if call is None:
                draft.finish("engine")
                return
            if turn == self.max_turns:
                break
            answer = await self.toolbox.answer(call)
            told = self.format.result(call, answer.text)
            draft.inject(told, tool=call.recipient, error=answer.error, seconds=answer.seconds)
            if listener is not None:
                listener(number, draft)
        draft.finish("max_turns", f"It called tools in {self.max_turns} turns, and was stopped before a further one.")
