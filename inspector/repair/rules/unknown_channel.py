r"""A channel is none of analysis, commentary and final.

## What it does

Finds a word behind `<|channel|>` that is no known channel, resembles none and names no tool.

## Why is this bad

Strict parsers accept it, so nothing is raised. But servers show `final`, hide `analysis` and look for calls on
`commentary`: what is on another channel reaches nobody. vLLM's Responses endpoint answers HTTP 400 for it.

## Example

```text
<|channel|>123invalid<|message|>Content<|end|>
```

## Repaired

It is left as it is: nothing in the header says which channel was meant.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of a proxy for malformed output (`123invalid`, `invalid@channel`), and in unslothai/unsloth#3254,
where a broken fine-tune wrote noise in the channel's place.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS216",
    "unknown-channel",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A channel is none of analysis, commentary and final",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which word."""
    return Said(f"{quote(problem.data['value'])} is no channel that a server knows, so this message may reach nobody.")
