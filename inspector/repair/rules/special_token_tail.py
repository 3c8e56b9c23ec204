r"""A body ends in special tokens that structure nothing.

## What it does

Finds `<|endoftext|>`, padding and reserved tokens at the end of a body, before its terminator or the end of the
output.

## Why is this bad

Inside a body every marker but a terminator is text. The answer ends in `<|reserved_201087|>`, once or a
thousand times, JSON arguments no longer parse, and no error is raised.

## Example

```text
<|channel|>final<|message|>24<|reserved_201087|><|reserved_201087|><|return|>
```

## Repaired

```text
<|channel|>final<|message|>24<|return|>
```

## Fix safety

Safe: these tokens mean nothing in Harmony, and no text ends in them.

## Where it was seen

In sgl-project/sglang#12629, where constrained decoding filled the rest of the output with one unused id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, show_ids
from ._wording import BREAKS

RULE: Final = Rule(
    "HS308",
    "special-token-tail",
    Severity.ERROR,
    BREAKS,
    "A body ends in special tokens that structure nothing",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which token, and how many."""
    value: Sequence[int] = problem.data["value"]
    if len(value) == 1:
        return Said(f"The body ends in {show_ids(value)}, which means nothing.", f"Remove {show_ids(value)}")
    many = f"{show_ids(value[:1])}, {len(value)} times over" if len(set(value)) == 1 else f"{len(value)} special tokens"
    return Said(f"The body ends in {many}, which means nothing.", f"Remove the {len(value)} tokens")
