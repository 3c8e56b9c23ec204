r"""A content type stands where a channel belongs.

## What it does

Finds `<|channel|>json` (or another content type): the wrong marker was written before the type.

## Why is this bad

openai-harmony 0.0.8 glues it to the recipient, `functions.grades_get<|channel|>json`; oss-harmony 0.0.11 drops
it. With no other channel in the header, `json` becomes the channel and the message reaches nobody.

## Example

```text
<|channel|>commentary to=functions.grades_get<|channel|>json<|message|>{}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.grades_get json<|message|>{}<|call|>
```

## Fix safety

Safe: content types are no channels. Only the marker is taken out.

## Where it was seen

In the tests of an adapter for tool names, which strips `<|channel|>json` from them.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS222",
    "content-type-in-channel-slot",
    Severity.ERROR,
    BREAKS,
    "A content type stands where a channel belongs",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which type."""
    value = problem.data["value"]
    return Said(
        f"{quote(value)} stands in a channel slot, but it is a content type.",
        f"Remove the <|channel|> before {quote(value)}",
    )
