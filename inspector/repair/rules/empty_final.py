r"""The answer is empty.

## What it does

Finds a message on `final` that is closed without any text.

## Why is this bad

The user is shown an empty answer. Some servers report it as an incomplete response, although nothing was cut.

## Example

```text
<|channel|>analysis<|message|>Done already.<|end|><|start|>assistant<|channel|>final<|message|><|return|>
```

## Repaired

It is left as it is: there is nothing to put there.

## Fix safety

There is nothing to apply.

## Where it was seen

In a study of how few tokens gpt-oss can answer with after a tool's result.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said

RULE: Final = Rule(
    "HS414",
    "empty-final",
    Severity.WARNING,
    (Effect.MISREADS,),
    "The answer is empty",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """There is nothing to say but that."""
    return Said("The final answer is empty.")
