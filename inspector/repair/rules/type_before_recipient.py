r"""The content type stands before the recipient.

## What it does

Finds a header that names its content type first and its recipient after it
(`<|constrain|>json to=functions.read`).

## Why is this bad

The strict parser reads a header from its end: the last word is the recipient if it has `to=`, and what is left
before it is an error: `unexpected tokens remaining in message header: Some("<|constrain|>json")`.

## Example

```text
<|channel|>commentary <|constrain|>json to=functions.read<|message|>{"path":"a"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.read <|constrain|>json<|message|>{"path":"a"}<|call|>
```

## Fix safety

Safe: both fields are stated, only their order changes.

## Where it was seen

Close to the errors of openai/harmony#114 in which `<|constrain|>` comes too early; the exact shape is not in a
public report so far.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS225",
    "type-before-recipient",
    Severity.ERROR,
    BREAKS,
    "The content type stands before the recipient",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which type."""
    value = problem.data["value"]
    return Said(f"The content type {quote(value)} stands before the recipient.", "Move the content type behind it")
