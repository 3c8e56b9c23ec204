r"""Tokens follow the end of the turn.

## What it does

Finds what stands behind the last terminator of the output and opens no message: text that was generated past
`<|return|>`, or a tail of special tokens such as `<|endoftext|>`.

## Why is this bad

A strict parser raises on the first of these tokens and loses the complete answer before them.

## Example

```text
<|channel|>final<|message|>The answer is four.<|return|>

And more text after the end
```

## Repaired

```text
<|channel|>final<|message|>The answer is four.<|return|>
```

## Fix safety

Safe for special tokens and blanks. Unsafe for words: nothing can follow the end of a turn, but they are words
that were sampled.

## Where it was seen

With `ignore_eos` in the tests of Rebellions' vllm-rbln, and in raullenchai/Rapid-MLX (`<|endoftext|>` behind
`<|call|>`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, says_something

RULE: Final = Rule(
    "HS108",
    "text-after-end",
    Severity.ERROR,
    BREAKS,
    "Tokens follow the end of the turn",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What follows, and whether it says anything."""
    value = problem.data.get("value") or ()
    words = says_something(value)
    return Said(
        f"{quote(value)} follows the last terminator and opens no message.",
        "Remove what follows the end",
        Applicability.UNSAFE if words else Applicability.SAFE,
        note="The turn was over: text behind its end belongs to no message." if words else "",
    )
