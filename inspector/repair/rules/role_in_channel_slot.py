r"""A role stands where the channel belongs.

## What it does

Finds `<|channel|>assistant` (or another role) in a header that names no real channel and calls no tool.

## Why is this bad

Strict parsers accept any word as a channel. Servers route by it: a message on the channel `assistant` is
neither reasoning nor answer, so it is dropped, and the user is shown nothing.

## Example

```text
<|channel|>analysis<|message|>Hidden.<|end|><|start|>assistant<|channel|>assistant<|message|>Visible.<|end|>
```

## Repaired

```text
<|channel|>analysis<|message|>Hidden.<|end|><|start|>assistant<|channel|>final<|message|>Visible.<|end|>
```

## Fix safety

Unsafe: that a message on the channel `assistant` is the assistant's answer is a guess, though a likely one.

## Where it was seen

In tetherto/qvac#2803.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS203",
    "role-in-channel-slot",
    Severity.ERROR,
    BREAKS,
    "A role stands where the channel belongs",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which role."""
    value = problem.data["value"]
    return Said(
        f"{quote(value)} stands in the channel slot, but it is a role.",
        "Make the channel final",
        Applicability.UNSAFE,
        note="A message that names its speaker instead of a channel is taken for the answer.",
    )
