"""The two ways to call tools, side by side: outside of the engine (the tool loop) and inside (the injecting processor).

Also the traps of the second one, as far as they can be told from what is asked for and from what came: detected here,
before anybody hits them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..tokens import vocabulary
from .calls import FORMATS
from .engine import Engine
from .injected import PROCESSOR, InjectingToolLoop
from .sampler import Sampler
from .tool_loop import MAX_TURNS, ToolLoop
from .tools import BUILTIN, Tool
from .values import Rollout, SamplingParams

STALL: Final = 0.05
"""The share of a rollout's time in tools from which on a batch that waits for them is worth a word."""

_FORCED: Final = -1e-4
"""A logprob above this is that of a token which had no rival."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one strategy made of one prompt.

    Attributes:
        sampler: its name.
        rollout: what came of it.
        seconds: the requests and tools of this rollout, one after the other; others ran beside them.
        tool_seconds: of these, in tools (for the injecting processor with one step of the model each).
    """

    sampler: str
    rollout: Rollout
    seconds: float
    tool_seconds: float

    @property
    def tokens(self) -> int:
        """How many tokens follow the prompt."""
        return len(self.rollout.ids)

    @property
    def injected(self) -> int:
        """How many of them were put in."""
        return self.tokens - sum(self.rollout.loss_mask)

    @property
    def requests(self) -> int:
        """How many requests went to the engine."""
        return 1 if self.sampler == InjectingToolLoop.name else len(self.rollout.turns)

    @property
    def loss_mask(self) -> tuple[int, ...]:
        """1 for every token that carries a loss in training, 0 for what was put in."""
        return self.rollout.loss_mask

    @property
    def injected_logprobs(self) -> tuple[float | None, ...]:
        """What is reported as the logprob of each token that was put in. The loop has none: nobody sampled them."""
        return tuple(
            self.rollout.logprobs[at] if self.rollout.logprobs else None
            for at, origin in enumerate(self.rollout.origins)
            if origin == "injected"
        )

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """The calls that were answered, in order: the recipient, and the error of the tool or ""."""
        return tuple((turn.tool, turn.error) for turn in self.rollout.turns if turn.tool)


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt by both strategies.

    Attributes:
        parts_at: index of the first token at which they differ, the length of the shorter one where it ends first;
            None when they are the same.
    """

    loop: Side
    injecting: Side

    @property
    def parts_at(self) -> int | None:
        """See the class."""
        first, second = self.loop.rollout.ids, self.injecting.rollout.ids
        if first == second:
            return None
        together = zip(first, second, strict=False)
        return next((at for at, (a, b) in enumerate(together) if a != b), min(len(first), len(second)))

    @property
    def parts_in_injected(self) -> bool:
        """Whether the token at which they part was put in on both sides: the tool answered differently."""
        at = self.parts_at
        sides = (self.loop.rollout.origins, self.injecting.rollout.origins)
        return at is not None and all(at < len(origins) and origins[at] == "injected" for origins in sides)


async def compare_strategies(
    engine: Engine,
    prompts: Sequence[Sequence[int]],
    params: SamplingParams,
    tools: Iterable[Tool] = BUILTIN,
    format: str = "harmony",
    max_turns: int = MAX_TURNS,
    limit_s: float = 10.0,
) -> list[Pair]:
    """The same prompts by the tool loop, and after that by the injecting processor.

    Only at temperature 0 they can be expected to say the same: a seed starts anew with every request of the loop.
    ``max_tokens`` is per request, so the loop has it for every turn and the processor once, with results counted.

    Args:
        engine: has to have been started with :data:`inspector.samplers.injected.PROCESSOR`; rollouts of the second
            kind fail with a sentence otherwise.
        tools: run here for the loop, and by name in the engine.
        format: name of a call format.

    Raises:
        ValueError: an unknown format, or no turn at all.
    """
    chosen = tuple(tools)
    loop = await _sides(ToolLoop(chosen, format, max_turns, limit_s), engine, prompts, params)
    injecting = await _sides(InjectingToolLoop(chosen, format, max_turns, limit_s), engine, prompts, params)
    return [Pair(first, second) for first, second in zip(loop, injecting, strict=True)]


async def _sides(
    sampler: Sampler, engine: Engine, prompts: Sequence[Sequence[int]], params: SamplingParams
) -> list[Side]:
    out = []
    for rollout in await sampler.sample(engine, prompts, params):
        in_tools = sum(turn.tool_seconds for turn in rollout.turns)
        out.append(Side(sampler.name, rollout, sum(turn.seconds for turn in rollout.turns) + in_tools, in_tools))
    return out


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that goes wrong with results put in by a processor.

    Attributes:
        name: a short one, for tests and links.
        is_avoided: whether our sampler takes care of it; the others a person has to.
        sentence: what was found, and what it means.
    """

    name: str
    is_avoided: bool
    sentence: str


def traps(
    params: SamplingParams,
    format: str = "harmony",
    pairs: Iterable[Pair] = (),
    options: Mapping[str, Any] | None = None,
) -> list[Trap]:
    """The traps that lie in these parameters, in what an engine was started with, and in what came of it.

    Args:
        params: as a person gave them, before :meth:`inspector.samplers.injected.InjectingToolLoop.request`.
        format: name of a call format.
        pairs: what :func:`compare_strategies` gave.
        options: of the engine, as ``vllm.LLM`` takes them, where they are known.

    Raises:
        ValueError: an unknown format.
    """
    if format not in FORMATS:
        raise ValueError(f"no call format is called {format!r}: use one of {', '.join(FORMATS)}")
    sides = [pair.injecting for pair in pairs]
    return [*_ends(params, format), *_engine(options), *_stall(sides), *_training(sides), *_budget(params, sides)]


def _ends(params: SamplingParams, format: str) -> Iterable[Trap]:
    calls = FORMATS[format]
    early = [vocabulary().decode([token]) for token in params.stop_token_ids if token in calls.stop_token_ids]
    early += [repr(text) for text in params.stop if text in calls.stop]
    if early:
        yield Trap(
            "stop-at-call",
            True,
            f"{', '.join(early)} ends the request at a call, before a processor can put anything behind it. "
            "The injecting sampler leaves it out.",
        )
    if calls.stop_token_ids and not params.ignore_eos:
        yield Trap(
            "eos-list",
            True,
            "gpt-oss's own configuration ends answers at <|call|> too, before a processor can put anything behind it. "
            "The injecting sampler sends ignore_eos, and names <|return|> and <|endoftext|> instead.",
        )


def _engine(options: Mapping[str, Any] | None) -> Iterable[Trap]:
    if options is None:
        return
    if options.get("async_scheduling") is not False:
        yield Trap(
            "async-scheduling",
            True,
            "Under asynchronous scheduling, vLLM's default on a GPU, the output holds -1 for tokens that have not come "
            "from the device yet; a processor that reads them too early finds no call at all. Ours reads them "
            "when the logits are there, and stops the engine rather than take a -1 for a token.",
        )
    ranks = int(options.get("tensor_parallel_size") or 1) * int(options.get("pipeline_parallel_size") or 1)
    if ranks > 1:
        yield Trap(
            "ranks",
            True,
            f"On {ranks} devices every one of them would run each tool, and all hang when two get different results. "
            "The injecting processor refuses to start there.",
        )
    if PROCESSOR not in (options.get("logits_processors") or ()):
        yield Trap(
            "no-processor", False, f"The engine has no processor that puts results in: start it with {PROCESSOR}."
        )


def _stall(sides: Sequence[Side]) -> Iterable[Trap]:
    whole, in_tools = sum(side.seconds for side in sides), sum(side.tool_seconds for side in sides)
    if whole and in_tools / whole >= STALL:
        yield Trap(
            "batch-stall",
            False,
            f"{in_tools:.2f} s of {whole:.2f} s ({in_tools / whole:.0%}) went by while a processor ran tools, and the "
            "whole batch stood still with it. In the tool loop only the rollout that called waits.",
        )


def _training(sides: Sequence[Side]) -> Iterable[Trap]:
    injected, count = sum(side.injected for side in sides), sum(side.tokens for side in sides)
    if not injected:
        return
    yield Trap(
        "loss-mask",
        True,
        f"The engine reports {injected:,} of {count:,} tokens as sampled that a tool wrote. Without the origins that "
        "our sampler gives them they would be trained on.",
    )
    told = [value for side in sides for value in side.injected_logprobs if value is not None]
    if told:
        forced = sum(value >= _FORCED for value in told)
        yield Trap(
            "logprobs",
            False,
            f"The engine reports logprobs of {len(told):,} tokens that were put in: {forced:,} of them are 0, since "
            f"they had no rival, and {len(told) - forced:,} say what the model thought of a token that it did not "
            f"choose (down to {min(told):.1f}). Neither belongs into a policy ratio.",
        )


def _budget(params: SamplingParams, sides: Sequence[Side]) -> Iterable[Trap]:
    if any(side.injected for side in sides):
        most = max(side.injected for side in sides)
        cut = sum(side.rollout.finish_reason == "length" for side in sides)
        yield Trap(
            "max-tokens",
            False,
            f"What was put in counts against max_tokens: up to {most:,} of {params.max_tokens:,}, and {cut:,} of "
            f"{len(sides):,} rollouts were cut off by length. The tool loop has max_tokens for every turn.",
        )
