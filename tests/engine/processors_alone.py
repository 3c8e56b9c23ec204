"""Run in vLLM's Python: our logits processors with batches made by hand, for what a small engine cannot be made to do.

Prints one JSON object.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import torch
from vllm import SamplingParams
from vllm.v1.sample.logits_processor import BatchUpdate, MoveDirectionality

from inspector.samplers.tools import BUILTIN
from inspector.tokens import CALL, VOCABULARY_SIZE, vocabulary
from inspector.vllm_side.guard import Guard
from inspector.vllm_side.injecting import InjectingLogitsProcessor
from inspector.vllm_side.interface import LogitsProcessorV2 as V2
from inspector.vllm_side.scripted import Scripted

encode = vocabulary().encode_markers
PROMPT = encode("<|start|>user<|message|>Hi.<|end|><|start|>assistant")
CALLED = encode('<|channel|>commentary to=functions.multiply <|constrain|>json<|message|>{"a": 3, "b": 302}<|call|>')
ALL = (Scripted, Guard, InjectingLogitsProcessor)


def params(**extra: Any) -> SamplingParams:
    return SamplingParams(ignore_eos=True, extra_args=extra)


def update(processor: Any, *, added: Any = (), removed: Any = (), moved: Any = (), rows: int = 4) -> None:
    processor.update_state(BatchUpdate(rows, list(removed), list(added), list(moved)))


def forced(processor: Any, rows: int = 4) -> list[int | None]:
    """By row, the only token that is left, None where there are more."""
    logits = processor.apply(torch.zeros(rows, VOCABULARY_SIZE))
    finite = (logits > float("-inf")).sum(dim=1).tolist()
    return [int(row.argmax()) if count == 1 else None for row, count in zip(logits, finite, strict=True)]


def refusals() -> dict[str, str]:
    out = {}
    for make in ALL:
        try:
            make(None, None)  # as Model Runner V2 makes them
        except ValueError as error:
            out[make.__name__] = str(error)
    return out


def placeholder(make: Any, extra: dict[str, Any]) -> str:
    processor = make(None, torch.device("cpu"), False)
    output: list[int] = [-1]
    update(processor, added=[(0, params(**extra), PROMPT, output)])
    try:
        return str(forced(processor, 1)[0])
    except RuntimeError as error:
        return str(error)


def moves() -> list[list[int | None]]:
    """Scripts of three requests, while rows are swapped, moved down and given to others."""
    processor = Scripted(None, torch.device("cpu"), False)
    outputs: list[list[int]] = [[], [], []]
    script = [[10, 11], [20, 21], [30, 31]]
    update(processor, added=[(n, params(harmonylens_script=script[n]), PROMPT, outputs[n]) for n in range(3)])
    seen = [forced(processor, 3)]
    for output in outputs:
        output.append(0)
    update(processor, moved=[(0, 2, MoveDirectionality.SWAP)])
    seen.append(forced(processor, 3))
    update(processor, removed=[0], moved=[(1, 0, MoveDirectionality.UNIDIRECTIONAL)])
    seen.append(forced(processor, 3))
    update(processor, added=[(0, params(), PROMPT, [])])
    seen.append(forced(processor, 3))
    return seen


def preempted() -> dict[str, Any]:
    """A request that leaves the batch in the middle of a result, and comes back with another list of its output."""
    ran = []
    processor = InjectingLogitsProcessor(None, torch.device("cpu"), False)
    multiply = next(tool for tool in BUILTIN if tool.name == "multiply")

    def counted(a: float, b: float) -> str:
        ran.append((a, b))
        return f"{a * b}, run number {len(ran)}"

    processor._tools["multiply"] = replace(multiply, run=counted)
    asking = params(harmonylens_inject="harmony")
    first, other = list(CALLED), list(CALLED)
    update(processor, added=[(0, asking, PROMPT, first), (1, asking, PROMPT, other)], rows=2)
    for _ in range(5):
        for output, token in zip((first, other), forced(processor, 2), strict=True):
            assert token is not None
            output.append(token)
    update(processor, removed=[0], rows=2)
    again = list(first)
    update(processor, added=[(0, asking, PROMPT, again)], rows=2)
    del again[-2:]  # and it has lost some
    while (token := forced(processor, 2)[0]) is not None:
        again.append(token)
    return {
        "ran": len(ran),
        "said": vocabulary().decode(again[again.index(CALL) + 1 :]),
        "same": again[: len(first)] == first,
    }


def main() -> None:
    print(
        json.dumps(
            {
                "has_v2": V2.__module__.startswith("vllm."),
                "v2": [issubclass(make, V2) for make in ALL],
                "refusals": refusals(),
                "placeholders": {
                    "Scripted": placeholder(Scripted, {"harmonylens_script": [5, 6]}),
                    "Guard": placeholder(Guard, {"harmonylens_guard": "on"}),
                    "InjectingLogitsProcessor": placeholder(
                        InjectingLogitsProcessor, {"harmonylens_inject": "harmony"}
                    ),
                },
                "moves": moves(),
                "preempted": preempted(),
            }
        )
    )


if __name__ == "__main__":
    main()
