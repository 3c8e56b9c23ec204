r"""A call names no tool.

## What it does

Finds messages that end in `<|call|>`, or hold a JSON object on commentary, but name no recipient.

## Why is this bad

The model waits for a tool's result, and nobody knows which tool it meant. Servers return the arguments as text
to the user, or nothing, and report `stop`. When the last token is `<|call|>` and a server returns no tool call,
this is one of the causes.

## Example

```text
<|channel|>commentary<|message|>{"path":"/","name_pattern":"*x*"}<|call|>
```

## Repaired

It is left as it is: a name that stands nowhere is not invented.

## Fix safety

There is nothing to apply.

## Where it was seen

In NVIDIA/TensorRT-LLM#9256.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said

RULE: Final = Rule(
    "HS401",
    "call-without-recipient",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A call names no tool",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What shows that it is a call."""
    closed, json = problem.data.get("closed"), problem.data.get("json")
    why = "ends in <|call|>" if closed else "holds a JSON object on commentary"
    if closed and json:
        why = "holds a JSON object and ends in <|call|>"
    return Said(f"This message {why}, but names no tool.")
