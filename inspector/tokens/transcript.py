"""A transcript: the token ids that everything else here is about, with what is known of where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..budgets import first_beyond, is_id

Origin = Literal["prompt", "sampled", "injected"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """An immutable sequence of token ids and what was reported with it.

    Attributes:
        ids: any ints of 64 bits (-2**63 to 2**64 - 1); unknown and negative ones are kept and shown as unknown.
        role: the role it continues ("assistant" when the prompt ended in ``<|start|>assistant``), or None for
            a whole conversation that begins with ``<|start|>``.
        id: what its source calls it.
        origins: per token, where it came from; None when not known (all sampled, as far as anyone can tell).
        logprobs: per token, natural logarithm of its probability; None entries where not reported.
        top: per token, the most likely alternatives as (id, logprob); None when not reported.
        finish_reason: as the server reported it (OpenAI's words).
        stop_reason: as the server reported it (vLLM's: a stop string, a token id or None).
        reported: which of the two reasons the source stated at all (a reported null is not a missing one).
        prompt_ids: the prompt before the transcript, when known.
        tools: names of the declared tools ("functions.bash"), when a person or a server gave them.
        meta: whatever else the source had.
        source: a short phrase for people, "pasted text", "runs.jsonl line 7".

    Raises:
        ValueError: an id, one of the prompt or a stop reason beyond 64 bits, or not one entry for each token.
    """

    ids: tuple[int, ...]
    role: str | None = "assistant"
    id: str = ""
    origins: tuple[Origin, ...] | None = None
    logprobs: tuple[float | None, ...] | None = None
    top: tuple[tuple[tuple[int, float], ...], ...] | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    reported: frozenset[str] = frozenset()
    prompt_ids: tuple[int, ...] | None = None
    tools: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("origins", "logprobs", "top"):
            values: Sequence[object] | None = getattr(self, name)
            if values is not None and len(values) != len(self.ids):
                raise ValueError(f"{name} has {len(values)} entries for {len(self.ids)} tokens")
        for name in ("ids", "prompt_ids"):
            beyond = first_beyond(getattr(self, name) or ())
            if beyond is not None:
                raise ValueError(f"{name}[{beyond}] is beyond 64 bits: token ids are -2**63 to 2**64 - 1")
        if isinstance(self.stop_reason, int) and not is_id(self.stop_reason):
            raise ValueError("stop_reason is beyond 64 bits: a stop token is an id, -2**63 to 2**64 - 1")

    def __len__(self) -> int:
        return len(self.ids)
