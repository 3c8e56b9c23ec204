r"""The output ends before its last message does.

## What it does

Finds a last message without a terminator: generation was cut by a token limit or a stop string, or the
terminator is not part of the recorded tokens.

## Why is this bad

For a strict parser a message that was cut off and one that is complete are the same. On the next turn the
renderer closes it, so the model is shown that it said this and no more. A call that was cut off has broken
arguments.

## Example

```text
<|channel|>final<|message|>I'm in the middle of answe
```

## Repaired

It is left as it is: what would have followed is not known.

## Fix safety

There is nothing to apply.

## Where it was seen

Wherever `max_tokens` is set. In ai-dynamo/frontend-crates#47 the second of two calls was cut off, and
vllm-project/vllm#58228 reports calls that were cut off as complete ones.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said

RULE: Final = Rule(
    "HS406",
    "truncated-message",
    Severity.INFO,
    (Effect.DRIFTS,),
    "The output ends before its last message does",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whether it is a call that was cut off."""
    what = "This call" if problem.data.get("call") else "This message"
    return Said(f"{what} has no terminator: the output ends here.")
