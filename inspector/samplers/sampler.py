"""The protocol of samplers, the one that asks once, and how others are found by name.

In the spirit of the RolloutSampler that was proposed for verl: an engine, prompts as token ids and parameters go in,
rollouts come out; what happens between (tools, search, several turns) is the sampler's own affair.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib import import_module, invalidate_caches
from typing import Any, Final, Protocol, runtime_checkable

from ..renamed import NAME, plugins
from .draft import Draft, Listener
from .engine import Engine, EngineError
from .limits import MOST_TOKENS, CutOff, fitting, too_long, too_many
from .theirs import TheirError, first, load, raised
from .values import Rollout, SamplingParams

ROWS: Final = 201_088
"""Of gpt-oss's vocabulary, as the model has it: ids from here on stand for nothing there."""

GROUP: Final = f"{NAME}.samplers"
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
        CutOff: the engine sent more tokens than it was asked for, or more than a rollout may have; what fits is kept.
    """
    draft.begin_turn()
    finish: str | None = None
    most = min(params.max_tokens, MOST_TOKENS - len(draft.ids))
    if most < 1:
        raise too_long(len(draft.ids))
    count = 0
    async with aclosing(engine.stream(draft.context, params)) as pieces:
        async for delta in pieces:
            is_over = count + len(delta.ids) > most
            draft.add(fitting(delta, most - count) if is_over else delta)
            count += len(delta.ids)
            finish = delta.finish_reason
            if listener is not None:
                listener(number, draft)
            if is_over:
                raise too_many(engine.name, most) if most == params.max_tokens else too_long(len(draft.ids))
            if finish is not None:
                break
    if finish is None:
        raise EngineError(f"{engine.name} ended its answer without a finish reason.")
    return finish


def prompt_problem(prompt_ids: Sequence[int]) -> str:
    """Why a model cannot continue this, in a sentence; "" when it can. Unused and special ids are fine.

    >>> prompt_problem([200006, 201088])
    'Token 1 of the prompt is 201088, which gpt-oss does not have: expected ids from 0 to 201087.'
    """
    if not prompt_ids or 0 <= min(prompt_ids) <= max(prompt_ids) < ROWS:
        return ""
    at = next(at for at, token in enumerate(prompt_ids) if not 0 <= token < ROWS)
    return (
        f"Token {at} of the prompt is {prompt_ids[at]}, which gpt-oss does not have: expected ids from 0 to {ROWS - 1}."
    )


async def each(prompts: Sequence[Sequence[int]], one: Any, listener: Listener | None) -> list[Rollout]:
    """Run ``one(number, draft)`` for every prompt at once; an engine's failure ends the draft it happens in.

    A prompt that no engine could take is not sent: an engine's own words about it depend on where it notices.
    """
    drafts = [Draft(prompt) for prompt in prompts]

    async def guarded(number: int, draft: Draft) -> None:
        try:
            problem = prompt_problem(draft.prompt_ids)
            if problem:
                raise EngineError(problem)
            await one(number, draft)
        except CutOff as error:
            draft.finish("cut_off", str(error))
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


class SamplerError(ValueError):
    """A sampler that cannot be had by this name, or somebody else's that fails; the message is one sentence.

    The cause, where there is one, is what their code raised.
    """


async def draw(
    sampler: Sampler,
    engine: Engine,
    prompts: Sequence[Sequence[int]],
    params: SamplingParams,
    listener: Listener | None = None,
) -> list[Rollout]:
    """:meth:`Sampler.sample` of anybody's sampler, which may raise anything and return anything.

    What the listener raises is raised as it is.

    Raises:
        SamplerError: somebody else's sampler raised, or did not return a rollout for each prompt.
        EngineError: it let a failure of the engine through, or would be given a prompt that no engine can take.
    """
    faults: list[Exception] = []

    def hear(number: int, draft: Draft) -> None:
        try:
            if listener is not None:
                listener(number, draft)
        except Exception as error:
            faults.append(error)
            raise

    kind = type(sampler)
    name = f"{kind.__module__}:{kind.__qualname__}"
    if not _is_ours(kind.__module__):
        # Ours look at each prompt when its turn comes (:func:`each`).
        for problem in filter(None, map(prompt_problem, prompts)):
            raise EngineError(problem)
    try:
        made = await sampler.sample(engine, prompts, params, hear)
    except Exception as error:
        if faults:
            raise faults[0] from None
        cause = first(error)
        if isinstance(cause, EngineError):
            raise cause from None
        if _is_ours(kind.__module__):
            raise
        raise SamplerError(f"The sampler {name} raised {raised(error, kind.__module__)}: mend it there.") from cause
    if not isinstance(made, list) or not all(isinstance(rollout, Rollout) for rollout in made):
        raise SamplerError(f"The sampler {name} returned {type(made).__name__}: expected a list of Rollout.")
    if len(made) != len(prompts):
        raise SamplerError(f"The sampler {name} returned {len(made)} of {len(prompts)} rollouts: expected all of them.")
    return made


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]


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


def known_samplers() -> tuple[str, ...]:
    """What :func:`find_sampler` can be given beside ``module:Class``: ours, and those that entry points name."""
    own = _own()
    return (*own, *sorted({entry.name for entry in plugins(GROUP)} - own.keys()))


def find_sampler(name: str, **options: Any) -> Sampler:
    """The sampler of this name: one of ours, an entry point of :data:`GROUP`, or ``module:Class``.

    Raises:
        SamplerError: there is none, it cannot be loaded, or it is no sampler.
    """
    make = _own().get(name)
    if make is None:
        make = _imported(name) if ":" in name else _installed(name)
    module = getattr(make, "__module__", None) or ""
    try:
        found = make(**options)
    except Exception as error:
        if not _is_ours(module):
            raise SamplerError(f"The sampler {name} cannot be made: it raised {raised(error, module)}.") from error
        if isinstance(error, TypeError | ValueError):
            raise SamplerError(f"The sampler {name} cannot be made: {str(error).removesuffix('.')}.") from None
        raise
    if not isinstance(found, Sampler):
        raise SamplerError(f"{name} is no sampler: it needs a name and an async method sample().")
    return found


def _own() -> dict[str, Any]:
    from .injected import InjectingToolLoop
    from .tool_loop import ToolLoop

    return {one.name: one for one in (OneShot, ToolLoop, InjectingToolLoop)}


def _installed(name: str) -> Any:
    entries = {entry.name: entry for entry in plugins(GROUP)}
    if name not in entries:
        raise SamplerError(f"No sampler is called {name!r}: use one of {', '.join(known_samplers())}, or module:Class.")
    return _loaded(entries[name].value, entries[name].load)


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        # As with `python -m`: what lies here can be named.
        sys.path.append(here)
    # It may have been written since the folder was looked at.
    invalidate_caches()
    try:
        return _loaded(name, lambda: getattr(import_module(module), attribute))
    except SamplerError as error:
        missing = error.__cause__.name if isinstance(error.__cause__, ModuleNotFoundError) else None
        if missing is None or not f"{module}.".startswith(f"{missing}."):
            raise
        raise SamplerError(
            f"The sampler {name} cannot be loaded: there is no module {missing!r} among the installed packages or in "
            f"{here}, the folder that harmonylens was started in; put its file there, or install its package."
        ) from None


def _loaded(what: str, loader: Callable[[], Any]) -> Any:
    try:
        return load(loader)
    except TheirError as error:
        raise SamplerError(f"The sampler {what} cannot be loaded: {error}.") from error.__cause__
