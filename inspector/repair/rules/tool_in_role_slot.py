r"""A tool's name stands where the role belongs.

## What it does

Finds a tool's name right behind `<|start|>` in a message that is a call: it ends in `<|call|>` or its body is
a JSON object. A tool's answer has its name there too, but it is addressed to the assistant and holds what the
tool said; see [HS213](HS213.md).

## Why is this bad

A strict parser raises, `Unknown role: bash`, or, when more words follow, takes the message for a tool's answer
by someone called `bash`: the call is never run.

## Example

```text
<|start|>bash<|channel|>commentary<|message|>{"cmd":"touch a"}<|call|>
```

## Repaired

```text
<|start|>assistant<|channel|>commentary to=functions.bash<|message|>{"cmd":"touch a"}<|call|>
```

## Fix safety

Unsafe: the role `assistant`, and for a bare name the namespace `functions.`, are supplied. Safe when the
recipient is stated in the header as well.

## Where it was seen

In tilesprivacy/tiles#145.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS209",
    "tool-in-role-slot",
    Severity.ERROR,
    BREAKS,
    "A tool's name stands where the role belongs",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool, and whether the recipient is stated as well."""
    value, kept = problem.data["value"], problem.data.get("kept")
    if kept is None:
        return Said(
            f"{quote(value)} stands in the role slot, but it is the name of a tool.",
            "Make the role assistant",
        )
    return Said(
        f"{quote(value)} stands in the role slot, but the message is a call of that tool.",
        f"Make the role assistant and {quote(kept)} the recipient",
        Applicability.UNSAFE,
        note="Its body or its terminator is that of a call; a tool's answer would not have them.",
    )
