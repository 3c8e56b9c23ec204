"""What goes into a sampler and what comes out of it, as plain values.

Token in, token out: prompts and rollouts are token ids. What an engine sampled is never decoded and encoded again
on its way to the next turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from ..harmony.message import ROLES
from ..tokens import FIRST_SPECIAL, START, STOPS, Transcript, vocabulary
from ..tokens.transcript import Origin

Alternatives = tuple[tuple[int, float], ...]
"""The likeliest tokens at a place: (id, natural logarithm of its probability), the likeliest first."""

EndedBy = Literal["engine", "max_turns", "max_tokens", "cut_off", "cancelled", "failed"]

MAX_LOGPROBS: Final = 20
"""Alternatives per token that vLLM gives out unless it was started with ``--max-logprobs``."""


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to sample; field names and meanings are vLLM's.

    Attributes:
        max_tokens: at most so many tokens of the answer, per request (per turn of a loop).
        temperature: 0 is greedy.
        top_p, top_k, min_p: 1.0, 0 and 0.0 switch them off.
        seed: None lets the engine choose.
        stop: strings that end the answer, found in its text.
        stop_token_ids: tokens that end it, beside those that the model's own configuration names.
        ignore_eos: go on after the tokens that the model's configuration names; ``stop_token_ids`` hold all the same.
        logprobs: how many alternatives to report per token; None reports no logprobs at all.
        extra: arguments for logits processors (``extra_args`` offline, ``vllm_xargs`` over HTTP).

    Raises:
        ValueError: a value that no engine takes.
    """

    max_tokens: int = 512
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_token_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    logprobs: int | None = 5
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks = (
            (self.max_tokens >= 1, f"max_tokens is {self.max_tokens}: at least one token is sampled"),
            (0 <= self.temperature <= 100, f"temperature is {self.temperature}: expected 0 (greedy) to 100"),
            (0 < self.top_p <= 1, f"top_p is {self.top_p}: expected more than 0 and at most 1"),
            (self.top_k >= 0, f"top_k is {self.top_k}: expected 0 (off) or more"),
            (0 <= self.min_p <= 1, f"min_p is {self.min_p}: expected 0 to 1"),
            (
                self.seed is None or -(2**63) <= self.seed < 2**63,
                f"seed is {self.seed}: expected a whole number of 64 bits",
            ),
            (
                all(-(2**63) <= token < 2**63 for token in self.stop_token_ids),
                "stop_token_ids holds a number of more than 64 bits, which is no id",
            ),
            (all(self.stop), "stop holds an empty text: every answer would end at once"),
            (
                self.logprobs is None or 0 <= self.logprobs <= MAX_LOGPROBS,
                f"logprobs is {self.logprobs}: expected 0 to {MAX_LOGPROBS}, or none",
            ),
        )
        for holds, sentence in checks:
            if not holds:
                raise ValueError(sentence)

    def for_sample(self, number: int) -> SamplingParams:
        """These for sample ``number`` of several: a fixed seed would give the same one each time."""
        return self if self.seed is None or not number else replace(self, seed=self.seed + number)


@dataclass(frozen=True, slots=True)
class Delta:
    """Tokens that an engine has just sampled, in order, and how the answer ended if it did.

    Attributes:
        ids: the new tokens; the one that ended the answer is among them.
        logprobs: one for each, or empty when not asked for.
        top: the alternatives of each, or empty.
        finish_reason: None while the answer goes on; else the engine's own word.
        stop_reason: vLLM's: the string or the token that ended it, None for the primary end-of-sequence token.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float | None, ...] = ()
    top: tuple[Alternatives, ...] = ()
    finish_reason: str | None = None
    stop_reason: str | int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One request to the engine within a rollout, and what was put in after it.

    Attributes:
        start, end: the tokens it sampled, as indexes into the rollout's ids.
        injected: how many tokens follow ``end`` that a tool or a sampler put there.
        finish_reason, stop_reason: as the engine reported them.
        tool: name of the tool that was called after it, "" for none.
        error: why the tool gave no result, "" when it did.
        seconds: of the request; ``tool_seconds`` of the tool.
    """

    start: int
    end: int
    injected: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    tool: str = ""
    error: str = ""
    seconds: float = 0.0
    tool_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """What came of one prompt.

    Attributes:
        prompt_ids: the prompt it continues.
        ids: everything after the prompt, in order.
        origins: "sampled" or "injected" for each of ``ids``.
        logprobs: one for each of ``ids``, None where the engine gave none; empty when it gave none at all.
        top: the alternatives of each, or empty.
        turns: the requests it took.
        finish_reason, stop_reason: of the last one.
        ended_by: who ended it: the engine, a limit of the sampler, we because it did not end ("cut_off", see
            :mod:`inspector.samplers.limits`), a person, or a failure.
        error: what failed, in a sentence, "" when nothing did.
    """

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...] = ()
    origins: tuple[Origin, ...] = ()
    logprobs: tuple[float | None, ...] = ()
    top: tuple[Alternatives, ...] = ()
    turns: tuple[Turn, ...] = ()
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    ended_by: EndedBy = "engine"
    error: str = ""

    @property
    def loss_mask(self) -> tuple[int, ...]:
        """1 for every token that the model sampled and would be trained on, 0 for what was put in."""
        return tuple(int(origin == "sampled") for origin in self.origins)

    def transcript(self, *, id: str = "", source: str = "", tools: Iterable[str] = ()) -> Transcript:
        """The rollout as a transcript that continues the role which the prompt ends in.

        Where the prompt ends in the middle of a message, what it has of that message comes first, with the origin
        "prompt": only so can the answer be read.
        """
        reported = {"finish_reason", "stop_reason"} if self.finish_reason is not None else set()
        begins, role = open_message(self.prompt_ids)
        kept = self.prompt_ids[begins:]
        unknown: tuple[None, ...] = (None,) * len(kept)
        given: list[Origin] = ["prompt"] * len(kept)
        return Transcript(
            (*kept, *self.ids),
            role=role,
            id=id,
            origins=(*given, *self.origins),
            logprobs=(*unknown, *self.logprobs) if self.logprobs else None,
            top=(*((),) * len(kept), *self.top) if self.top else None,
            finish_reason=self.finish_reason,
            stop_reason=self.stop_reason,
            reported=frozenset(reported),
            prompt_ids=self.prompt_ids[:begins],
            # The reasons are the engine's own words.
            meta={"endpoint": "engine", **({"cut_off": self.error} if self.ended_by == "cut_off" else {})},
            tools=tuple(tools),
            source=source,
        )


def open_message(prompt_ids: Sequence[int]) -> tuple[int, str | None]:
    """Where the message begins that a prompt ends within, and its role: behind ``<|start|>ROLE``.

    Where something else follows the ``<|start|>`` (a tool's name, nothing yet), it begins with that and has no role; a
    prompt that ends in no message has none of them open, and (its length, None) is the answer.

    >>> open_message(vocabulary().encode_markers("<|start|>user<|message|>Hi.<|end|><|start|>assistant<|channel|>"))
    (8, 'assistant')
    """
    start = next((at for at in range(len(prompt_ids) - 1, -1, -1) if prompt_ids[at] == START), None)
    if start is None or any(token in STOPS for token in prompt_ids[start:]):
        return len(prompt_ids), None
    said = vocabulary().decode(prompt_ids[start + 1 : start + 2])
    return (start + 2, said) if said in ROLES else (start, None)


def role_after(prompt_ids: Sequence[int]) -> str | None:
    """The role that an answer to this prompt continues: the one behind an open last ``<|start|>``, else None.

    >>> role_after(vocabulary().encode_markers("<|start|>user<|message|>Hi.<|end|><|start|>assistant"))
    'assistant'
    """
    special = next((at for at in range(len(prompt_ids) - 1, -1, -1) if prompt_ids[at] >= FIRST_SPECIAL), None)
    if special is None or prompt_ids[special] != START:
        return None
    said = vocabulary().decode(prompt_ids[special + 1 :])
    return said if said in ROLES else None
