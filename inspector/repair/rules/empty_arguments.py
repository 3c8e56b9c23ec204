r"""A call has no arguments at all.

## What it does

Finds calls of functions whose body is empty, not even `{}`.

## Why is this bad

An empty text is no JSON. Some servers pass it on, so that the client fails to read it, some make `{}` of it,
some drop the call.

## Example

```text
<|channel|>commentary to=functions.ping <|constrain|>json<|message|><|call|>
```

## Repaired

It is left as it is: a tool without parameters may be called like this, and whoever runs it can tell.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of a C# parser for Harmony calls, which reads it as `{}`.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS403",
    "empty-arguments",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A call has no arguments at all",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool."""
    return Said(f"The call of {quote(problem.data['recipient'])} has an empty body, which is no JSON.")
