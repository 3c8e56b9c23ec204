r"""A message of the assistant has no channel.

## What it does

Finds messages of the assistant that name neither a channel nor a recipient. In a completion this is a warning;
in a whole conversation, where older turns are often written without, it is only told.

## Why is this bad

Strict parsers accept it. But the channel says whether a text is reasoning or an answer, and servers differ in
what they do without: vLLM drops the message, others show it.

## Example

```text
<|message|>Hi! How can I help?<|return|>
```

## Repaired

It is left as it is: whether the text was meant to be seen is not known.

## Fix safety

There is nothing to apply.

## Where it was seen

In vllm-project/vllm#35540, in the tests of Ollama, and in ggml-org/llama.cpp#25321 (bare JSON).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said

RULE: Final = Rule(
    "HS409",
    "missing-channel",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A message of the assistant has no channel",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Less bad in a conversation that was written by hand or by a template."""
    return Said(
        "This message names no channel, so servers disagree on whether to show it.",
        severity=Severity.INFO if transcript.role is None else None,
    )
