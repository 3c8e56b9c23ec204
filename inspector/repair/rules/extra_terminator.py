r"""A terminator closes nothing.

## What it does

Finds `<|end|>`, `<|call|>` or `<|return|>` where the message before has been closed already.

## Why is this bad

A strict parser raises, `Unexpected token 200007 while expecting start token 200006`, and a batch parse loses
every message of the output, although all of them were complete.

## Example

```text
<|channel|>final<|message|>The answer is four.<|end|><|end|>
```

## Repaired

```text
<|channel|>final<|message|>The answer is four.<|end|>
```

## Fix safety

Safe: the message ends at its first terminator. When `<|call|>` follows `<|end|>`, the call itself is read
from its recipient, not from its terminator.

## Where it was seen

In vllm-project/vllm#22519 and #50690 (`<|end|><|return|>`, a doubled `<|end|>`), and in charmbracelet/crush#611
(`<|call|>` behind `<|end|>`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, show_ids
from ._wording import BREAKS

RULE: Final = Rule(
    "HS107",
    "extra-terminator",
    Severity.ERROR,
    BREAKS,
    "A terminator closes nothing",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which terminators are too many."""
    value = problem.data.get("value") or ()
    closed = "the message before is closed already" if problem.span.start else "no message is open yet"
    if len(value) > 3:
        return Said(
            f"{len(value)} terminators stand here, but {closed}.",
            f"Remove the {len(value)} terminators",
        )
    shown = show_ids(value)
    return Said(f"This {shown} closes nothing: {closed}.", f"Remove {shown}")
