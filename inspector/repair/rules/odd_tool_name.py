r"""A tool's namespace is odd.

## What it does

Finds recipients in a namespace that resembles `functions.` but is not it: `function.`, `tool.`, `tools.`, or
`functions.functions.`.

## Why is this bad

Servers take `functions.` off the name and look for the rest. With another prefix they find no tool, and on the
next turn the name comes back with one more: `functions.function.get_weather`.

## Example

```text
<|channel|>commentary to=function.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>
```

## Repaired

It is left as it is: there may be such a namespace.

## Fix safety

There is nothing to apply.

## Where it was seen

In cubist38/mlx-openai-server#51 (`function.`) and in tests of an OpenRouter client (`tool.web.search`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS411",
    "odd-tool-name",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A tool's namespace is odd",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which name."""
    return Said(f"{quote(problem.data['value'])} is not in the namespace functions, where servers look for tools.")
