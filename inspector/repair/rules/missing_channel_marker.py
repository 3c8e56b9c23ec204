r"""A channel is named without its marker.

## What it does

Finds `analysis`, `commentary` or `final` as a plain word of a header that has no `<|channel|>`.

## Why is this bad

A strict parser takes a lone word for the recipient, without an error: the answer goes to a tool called
`final`. With other words in the header it raises `unexpected tokens remaining in message header`.

## Example

```text
final<|message|>Here are the options.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>Here are the options.<|return|>
```

## Fix safety

Safe: the names of the channels have no other meaning in a header.

## Where it was seen

In leaks of gpt-oss-20b whose leading special token was lost on the way, and in prompts that end in
`<|start|>assistant<|channel|>` while the parser is told that they end in `<|start|>assistant`.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS214",
    "missing-channel-marker",
    Severity.ERROR,
    BREAKS,
    "A channel is named without its marker",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which channel."""
    return Said(
        f"The channel {quote(problem.data['value'])} stands without <|channel|>.", "Insert <|channel|> before it"
    )
