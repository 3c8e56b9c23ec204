"""An engine that says what it is told to and puts in results as the logits processor does, without vLLM."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from inspector.samplers.injection import Injection, asked
from inspector.samplers.tools import BUILTIN, Tool, Toolbox
from inspector.samplers.values import Delta, SamplingParams, role_after
from inspector.tokens import CALL, ENDOFTEXT, RETURN, vocabulary


class InjectingEngine:
    """Says the tokens of a script one by one; while a result is put in the script waits.

    Args:
        script: what the model says after a prompt.
        processor: False for an engine that has none.
        obeys: False for an engine that ends answers at ``<|call|>`` whatever it is asked.
        tools: those that the engine has.
    """

    name = "injecting script"

    def __init__(
        self, script: Sequence[int], *, processor: bool = True, obeys: bool = True, tools: Sequence[Tool] = BUILTIN
    ) -> None:
        self.script = tuple(script)
        self.processor = processor
        self.obeys = obeys
        self.tools = tuple(tools)
        self.asked: list[SamplingParams] = []

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        self.asked.append(params)
        wanted = asked(params.extra) if self.processor else None
        injection = Injection(wanted, role_after(prompt_ids)) if wanted is not None else None
        # A further request of a loop goes on in the script behind the call that ended the one before.
        rest = list(self.script)
        for _ in range(sum(token == CALL for token in prompt_ids) if CALL in params.stop_token_ids else 0):
            del rest[: rest.index(CALL) + 1]
        said: list[int] = []
        for at in range(params.max_tokens):
            await asyncio.sleep(0)
            token, logprob = None, -9.5
            if injection is not None and wanted is not None:
                call = injection.wanted()
                if call is not None:
                    tools = [tool for tool in self.tools if wanted.tools is None or tool.name in wanted.tools]
                    injection.answer(call, (await Toolbox(tools, limit_s=wanted.limit_s).answer(call)).text)
                token = injection.next()
            if token is None:
                token, logprob = (rest.pop(0) if rest else RETURN), -0.25
            said.append(token)
            if injection is not None:
                injection.read((token,))
            reason, cause = self._end(said, params)
            if reason is None and at == params.max_tokens - 1:
                reason = "length"
            yield Delta((token,), (logprob,), (((token, logprob),),), reason, cause)
            if reason is not None:
                return

    def _end(self, said: Sequence[int], params: SamplingParams) -> tuple[str | None, str | int | None]:
        ends = set(params.stop_token_ids) | (set() if params.ignore_eos else {RETURN, CALL, ENDOFTEXT})
        if not self.obeys:
            ends.add(CALL)
        if said[-1] in ends:
            return "stop", said[-1]
        text = vocabulary().decode(said)
        cause = next((stop for stop in params.stop if text.endswith(stop)), None)
        return (None, None) if cause is None else ("stop", cause)

    async def close(self) -> None:
        return
