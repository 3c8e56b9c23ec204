r"""A channel stands where the role belongs.

## What it does

Finds `analysis`, `commentary` or `final` right behind `<|start|>`, where neither the role nor `<|channel|>`
is written.

## Why is this bad

A strict parser raises, `Unknown role: final`, and an answer that was complete is lost. With a second word in
the header it does not raise, but takes the message for the answer of a tool called `final`.

## Example

```text
<|start|>final<|message|>All 12 tests pass.<|return|>
```

## Repaired

```text
<|start|>assistant<|channel|>final<|message|>All 12 tests pass.<|return|>
```

## Fix safety

Safe: only the assistant's messages begin with a channel.

## Where it was seen

In three of the strict errors that openai/harmony#114 counted, and in a Korean write-up on gpt-oss, where the
prompt lacked its `<|start|>assistant`.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS210",
    "channel-in-role-slot",
    Severity.ERROR,
    BREAKS,
    "A channel stands where the role belongs",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which channel."""
    value = problem.data["value"]
    return Said(
        f"{quote(value)} stands in the role slot, but it is a channel.",
        "Insert assistant<|channel|> before it",
    )
