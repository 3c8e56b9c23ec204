r"""A body holds a special token as text.

## What it does

Finds real special tokens inside a body that open no message: a model that explains Harmony, or a marker in a
tool's arguments.

## Why is this bad

Parsers turn them into characters, `<|channel|>`, so the message is read as it was meant. On the next turn the
text is encoded again, and ordinary tokens that spell the marker take its place: the prompt is no longer what
was sampled. Text that was decoded with `skip_special_tokens=True` lacks the marker altogether.

## Example

```text
<|channel|>final<|message|>The <|channel|> marker names the channel.<|return|>
```

## Repaired

It is left as it is: the marker may well have been meant.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests that raullenchai/Rapid-MLX wrote for its issue 513, which pass markers through a tool's arguments.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS309",
    "special-token-in-body",
    Severity.WARNING,
    (Effect.DRIFTS,),
    "A body holds a special token as text",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tokens."""
    value = problem.data["value"]
    return Said(f"{quote(value)} in this body is read as text, but the next prompt will spell it with other tokens.")
