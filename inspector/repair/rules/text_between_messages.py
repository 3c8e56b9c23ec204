r"""Something stands between two messages.

## What it does

Finds ordinary or special tokens between a terminator and the next `<|start|>`: blank lines, a full stop, a
word or two. Longer text that a terminator closes is a message that lost its header instead
([HS104](HS104.md), [HS101](HS101.md)).

## Why is this bad

A strict parser raises on each of these tokens: `Unexpected token 13 while expecting start token 200006`.

## Example

```text
<|channel|>analysis<|message|>Short.<|end|>.<|start|>assistant<|channel|>final<|message|>Yes.<|return|>
```

## Repaired

```text
<|channel|>analysis<|message|>Short.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>
```

## Fix safety

Safe for blanks, punctuation and special tokens. Unsafe when words are taken out, since they may have been
meant for someone.

## Where it was seen

In vllm-project/vllm#22519 (a full stop between two messages), and in the tests of raullenchai/Rapid-MLX and
waybarrios/vllm-mlx (blank lines).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, says_something

RULE: Final = Rule(
    "HS106",
    "text-between-messages",
    Severity.ERROR,
    BREAKS,
    "Something stands between two messages",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What stands there, and whether it says anything."""
    value = problem.data.get("value") or ()
    words = says_something(value)
    return Said(
        f"{quote(value)} stands between two messages and belongs to neither.",
        f"Remove {quote(value)}",
        Applicability.UNSAFE if words else Applicability.SAFE,
        note="So few words between two complete messages are noise rather than a message." if words else "",
    )
