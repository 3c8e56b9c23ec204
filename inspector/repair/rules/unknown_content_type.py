r"""A content type is none that is known.

## What it does

Finds a word behind `<|constrain|>` that is no content type. In a call it is kept, and this is a warning. In a
message to nobody, with prose for a body, it is taken out, and this is an error.

## Why is this bad

In a header without a recipient a strict parser takes the type for the recipient: the answer goes to a tool
called `<|constrain|>amend`, and the user is shown nothing. In a call, parsers that look for
`<|constrain|>json` drop the call.

## Example

```text
<|channel|>final <|constrain|>amend<|message|>Here are the results in full.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>Here are the results in full.<|return|>
```

## Fix safety

Unsafe: the word is removed because prose on its way to the user needs no content type. In a call nothing is
changed.

## Where it was seen

In an agent's regression tests, where `amend` was the name of a tool that was to return the final text.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS220",
    "unknown-content-type",
    Severity.ERROR,
    (Effect.MISREADS, Effect.RAISES),
    "A content type is none that is known",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which word; a warning where it is kept."""
    value = problem.data["value"]
    if not problem.changes:
        return Said(f"{quote(value)} is no content type that a server knows.", severity=Severity.WARNING)
    return Said(
        f"{quote(value)} is no content type, and strict parsers would take it for the recipient.",
        f"Remove {quote(value)}",
        Applicability.UNSAFE,
        note="The body is prose that is addressed to no tool, so it needs no content type.",
    )
