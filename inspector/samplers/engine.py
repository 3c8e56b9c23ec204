"""What samples tokens: the protocol that every engine keeps, and how engines fail."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from .values import Delta, SamplingParams


class EngineError(Exception):
    """An engine that cannot do what it was asked; the message is one sentence for a person, with what to do."""


class EngineGone(EngineError):
    """The engine ended or was cut off in the middle of an answer; what had come until then is kept."""


@runtime_checkable
class Engine(Protocol):
    """Samples answers to prompts of token ids.

    An engine is used within one event loop; any number of answers may be streamed at once.

    Attributes:
        name: a short phrase for people: "vLLM 0.32 at 127.0.0.1:8000", "replay of runs.jsonl".
    """

    name: str

    def stream(self, prompt_ids: Sequence[int], params: SamplingParams) -> AsyncGenerator[Delta, None]:
        """The answer to one prompt, in pieces; the last piece has a ``finish_reason``.

        Closing the iterator cancels the request: the engine stops working on it.

        Raises:
            EngineError: the request was refused, or the engine is not what it seems.
            EngineGone: the engine ended in the middle.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and processes. What is still streamed ends with :class:`EngineGone`."""
        ...
