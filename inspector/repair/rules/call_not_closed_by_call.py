r"""A call is not closed by ``<|call|>``.

## What it does

Finds messages with a tool for recipient that end in `<|end|>` or `<|return|>`.

## Why is this bad

Strict parsers accept it, and on the next turn the renderer writes `<|call|>` in its place. But a server that
stops at `<|call|>` only lets the model go on past `<|end|>`, so that it answers for the tool; and after
`<|return|>` the turn is over although a call is waiting.

## Example

```text
<|channel|>commentary to=functions.lookup <|constrain|>json<|message|>{"id":3}<|return|>
```

## Repaired

It is left as it is: the call is read rightly.

## Fix safety

There is nothing to apply.

## Where it was seen

In sgl-project/sglang#10576 (`<|return|>`), in the tests of openai/harmony and of the agent legba (`<|end|>`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript, special_text
from ..said import Said, quote

RULE: Final = Rule(
    "HS404",
    "call-not-closed-by-call",
    Severity.WARNING,
    (Effect.DRIFTS,),
    "A call is not closed by <|call|>",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool, and which terminator."""
    closer = special_text(problem.data["value"])
    recipient = quote(problem.data["recipient"])
    return Said(f"The call of {recipient} ends in {closer}; the next prompt will have <|call|> there.")
