"""A transcript in the place of an engine: streamed token by token through the same code that live tokens take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ..tokens import END, RETURN, STOPS, Transcript
from .engine import EngineGone
from .values import Delta, SamplingParams


class Replay:
    """Gives the tokens of a transcript, whatever the prompt.

    Args:
        transcript: its logprobs, alternatives and reasons are given with the tokens.
        rate: tokens per second; None is as fast as it goes.
    """

    def __init__(self, transcript: Transcript, rate: float | None = 40.0) -> None:
        if rate is not None and rate <= 0:
            raise ValueError(f"the rate is {rate}: expected more than 0 tokens per second, or none")
        self.transcript = transcript
        self.rate = rate
        self.name = f"replay of {transcript.id or transcript.source or 'a transcript'}"
        self._closed = asyncio.Event()

    async def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """See :meth:`inspector.samplers.engine.Engine.stream`; of ``params`` only ``max_tokens`` matters."""
        said = self.transcript
        count = min(len(said.ids), params.max_tokens)
        whole = count == len(said.ids)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at in range(count):
            await self._until(began + at / self.rate if self.rate is not None else began)
            last = at == count - 1
            yield Delta(
                said.ids[at : at + 1],
                said.logprobs[at : at + 1] if said.logprobs is not None else (),
                said.top[at : at + 1] if said.top is not None else (),
                (said.finish_reason or "stop" if whole else "length") if last else None,
                self._stop_reason() if last and whole else None,
            )
        if not count:
            yield Delta((), finish_reason=said.finish_reason or "stop", stop_reason=said.stop_reason)

    def _stop_reason(self) -> str | int | None:
        """As it was reported, or as vLLM reports the last token: all but the primary end of sequence by their id."""
        said = self.transcript
        if said.stop_reason is not None or "stop_reason" in said.reported:
            return said.stop_reason
        return said.ids[-1] if said.ids[-1] in STOPS and said.ids[-1] not in (RETURN, END) else None

    async def _until(self, moment: float) -> None:
        """Return at a moment of the event loop's clock, unless the replay is closed before.

        Raises:
            EngineGone: it was.
        """
        wait = max(0.0, moment - asyncio.get_running_loop().time())
        # Others get their turn also where nothing is waited for.
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(self._closed.wait(), wait)
        except TimeoutError:
            return
        raise EngineGone(f"The {self.name} was closed.")

    async def close(self) -> None:
        """See :meth:`inspector.samplers.engine.Engine.close`."""
        self._closed.set()
