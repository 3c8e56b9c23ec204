"""The protocol of samplers, the one that asks once, and how others are found by name.

In the spirit of the RolloutSampler that was proposed for verl: an engine, prompts as token ids and parameters go in,
rollouts come out; what happens between (tools, search, several turns) is the sampler's own affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, Protocol, runtime_checkable

from .draft import Draft, Listener
from .engine import Engine, EngineError
from .values import Rollout, SamplingParams

GROUP: Final = "harmonyscope.samplers"
"""The entry-point group of other people's samplers: each entry is a class or a function that makes one."""


@runtime_checkable
class Sampler(Protocol):
    """Makes rollouts of prompts.

    Attributes:
        name: what people choose it by.
    """

    name: str

    async def sample(
        self,
        engine: Engine,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        listener: Listener | None = None,
    ) -> list[Rollout]:
        """One rollout for each prompt, in order, all at once.

        Failures end the rollout that they happen in, not the others: its ``error`` says why, and what had come is in
        it. Cancelling the task cancels every request, and the drafts that the listener holds say "cancelled".
        """
        ...


class OneShot:
    """One request for each prompt."""

    name = "one-shot"

    async def sample(
        self,
        engine: Engine,
        prompts: Sequence[Sequence[int]],
        params: SamplingParams,
        listener: Listener | None = None,
    ) -> list[Rollout]:
        """See :meth:`Sampler.sample`. Prompts that are the same get seeds of their own."""

        async def one(number: int, draft: Draft) -> None:
            await ask(engine, draft, params.for_sample(number), number, listener)
            draft.finish("engine")

        return await each(prompts, one, listener)


async def ask(
    engine: Engine, draft: Draft, params: SamplingParams, number: int, listener: Listener | None
) -> str | None:
    """One request that continues ``draft``: adds what comes to it. Its finish reason.

    Raises:
        EngineError: as the engine raised it, or when the answer ended without a finish reason.
    """
    draft.begin_turn()
    finish: str | None = None
    async with aclosing(engine.stream(draft.context, params)) as pieces:
        async for delta in pieces:
            draft.add(delta)
            finish = delta.finish_reason
            if listener is not None:
                listener(number, draft)
    if finish is None:
        raise EngineError(f"{engine.name} ended its answer without a finish reason.")
    return finish


async def each(prompts: Sequence[Sequence[int]], one: Any, listener: Listener | None) -> list[Rollout]:
    """Run ``one(number, draft)`` for every prompt at once; an engine's failure ends the draft it happens in."""
    drafts = [Draft(prompt) for prompt in prompts]

    async def guarded(number: int, draft: Draft) -> None:
        try:
            await one(number, draft)
        except EngineError as error:
            draft.finish("failed", str(error))
        except asyncio.CancelledError:
            draft.finish("cancelled")
            raise
        finally:
            if listener is not None:
                listener(number, draft)

    async with asyncio.TaskGroup() as group:
        for number, draft in enumerate(drafts):
            group.create_task(guarded(number, draft))
    return [draft.rollout() for draft in drafts]


def run(
    sampler: Sampler,
    engine: Engine,
    prompts: Sequence[Sequence[int]],
    params: SamplingParams,
    listener: Listener | None = None,
) -> list[Rollout]:
    """:meth:`Sampler.sample` for scripts: returns when all is done.

    The event loop has a thread of its own, so that it works in a notebook too, where one is running already.
    """

    def work() -> list[Rollout]:
        return asyncio.run(sampler.sample(engine, prompts, params, listener))

    with ThreadPoolExecutor(1, thread_name_prefix="rollouts") as thread:
        return thread.submit(work).result()


class SamplerError(ValueError):
    """A sampler that cannot be had by this name; the message is one sentence."""


def find_sampler(name: str, **options: Any) -> Sampler:
    """The sampler of this name: one of ours, an entry point of :data:`GROUP`, or ``module:Class``.

    Raises:
        SamplerError: there is none, it cannot be loaded, or it is no sampler.
    """
    from .injected import InjectingToolLoop
    from .tool_loop import ToolLoop

    own: dict[str, Any] = {one.name: one for one in (OneShot, ToolLoop, InjectingToolLoop)}
    make = own.get(name)
    if make is None:
        make = _imported(name) if ":" in name else _installed(name, own)
    try:
        found = make(**options)
    except TypeError as error:
        raise SamplerError(f"The sampler {name} cannot be made: {error}.") from None
    if not isinstance(found, Sampler):
        raise SamplerError(f"{name} is no sampler: it needs a name and an async method sample().")
    return found


def _installed(name: str, own: dict[str, Any]) -> Any:
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        known = ", ".join(sorted({*own, *entries}))
        raise SamplerError(f"No sampler is called {name!r}: use one of {known}, or module:Class.")
    return _loaded(entries[name].value, entries[name].load)


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return _loaded(name, lambda: getattr(import_module(module), attribute))


def _loaded(what: str, load: Any) -> Any:
    try:
        return load()
    except Exception as error:
        # Other people's code may raise anything while it is imported.
        raise SamplerError(f"The sampler {what} cannot be loaded: {type(error).__name__}: {error}.") from error
