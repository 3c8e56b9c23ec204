r"""A token id stands for nothing.

## What it does

Finds ids in a body that the vocabulary does not have: negative ones, and 201089 and above.

## Why is this bad

The releases replace the rest of the message, from the unknown id on, by one U+FFFD, without an error: text or
arguments behind it are lost. Ids below 0 and above 4294967295 make them raise before they have parsed anything.

## Example

```ids
[200005, 17196, 200008, 1494, 201089, 5123, 13, 200002]
```

## Repaired

```text
<|channel|>final<|message|>24 hours.<|return|>
```

## Fix safety

Safe: an unknown id stands for no text.

## Where it was seen

No public report is known. It happens when ids of another model's vocabulary, or of padding beyond it, are taken
for this one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS307",
    "unknown-token",
    Severity.ERROR,
    BREAKS,
    "A token id stands for nothing",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which ids."""
    value: Sequence[int] = problem.data["value"]
    if len(value) == 1:
        return Said(f"The id {_short(value[0])} stands for nothing in this vocabulary.", "Remove the unknown id")
    return Said(
        f"{len(value)} ids here, the first of them {_short(value[0])}, stand for nothing in this vocabulary.",
        f"Remove the {len(value)} unknown ids",
    )


def _short(number: int) -> str:
    # An int of any size may come in; its digits past the twentieth help nobody (and are slow to print).
    return str(number) if abs(number) < 10**20 else f"{'-' if number < 0 else ''}of over 20 digits"
