r"""A tool's answer is addressed to nobody.

## What it does

Finds a message whose role is a tool's name, as in a tool's answer, but whose header has no `to=assistant`.

## Why is this bad

A strict parser tells an unknown role from a tool by the number of words in the header. With the name alone it
raises `Unknown role: functions.get_weather`. The releases' own renderers write such headers when a tool
message has no recipient, so a conversation that was rendered by one cannot be parsed again.

## Example

```text
<|start|>functions.get_weather<|channel|>commentary<|message|>Sunny, 21 degrees.<|end|>
```

## Repaired

```text
<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>Sunny, 21 degrees.<|end|>
```

## Fix safety

Safe: tools answer the assistant and nobody else.

## Where it was seen

No public report is known. Both openai-harmony 0.0.8 and oss-harmony 0.0.11 render it and then refuse it.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS213",
    "tool-without-recipient",
    Severity.ERROR,
    BREAKS,
    "A tool's answer is addressed to nobody",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool."""
    value = problem.data["value"]
    return Said(f"The answer of {quote(value)} is addressed to nobody.", "Insert to=assistant behind the name")
