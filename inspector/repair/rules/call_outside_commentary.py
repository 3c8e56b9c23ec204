r"""A call stands on another channel than expected.

## What it does

Finds tool calls on the channel `final` or without any channel. Calls on `analysis` are common, in particular of
the built-in tools, and are not told.

## Why is this bad

It is read rightly by most. On the next turn servers write every call on `commentary`, so the prompt differs
from what was sampled; parsers that look for calls on commentary only do not find it.

## Example

```text
<|channel|>final to=functions.bash <|constrain|>json<|message|>{"command":"x"}<|call|>
```

## Repaired

It is left as it is: recipient and arguments are plain.

## Fix safety

There is nothing to apply.

## Where it was seen

In tests of tool-call promotion (`final to=bash code`) and of the agent legba (a recipient and no channel).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS413",
    "call-outside-commentary",
    Severity.INFO,
    (Effect.DRIFTS,),
    "A call stands on another channel than expected",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool, and where."""
    channel = problem.data.get("value")
    where = f"on {quote(channel)}" if channel else "without a channel"
    return Said(f"The call of {quote(problem.data['recipient'])} stands {where} instead of on commentary.")
