r"""A message that calls no tool ends in ``<|call|>``.

## What it does

Finds messages that are addressed to somebody who is no tool (`to=user`, `to=assistant`) and end in `<|call|>`.
For messages to nobody see [HS401](HS401.md).

## Why is this bad

A server stops at `<|call|>` to run a tool; there is none, and the `stop_reason` 200012 without a tool call
looks like a lost call. On the next turn the renderer writes `<|end|>` in its place.

## Example

```text
<|channel|>final to=user<|message|>All set.<|call|>
```

## Repaired

It is left as it is: the message is read rightly.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of a Rust parser that descends from llama.cpp's, which strips `<|call|>` from the end of answers.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS405",
    "call-closes-text",
    Severity.WARNING,
    (Effect.DRIFTS,),
    "A message that calls no tool ends in <|call|>",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """On which channel."""
    channel = problem.data.get("channel")
    where = f"A message on {quote(channel)}" if channel else "A message without a channel"
    return Said(f"{where} ends in <|call|>, but calls no tool.")
