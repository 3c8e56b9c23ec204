r"""A tool call's recipient stands in its body.

## What it does

Finds an assistant message without a recipient whose body begins with a recipient clause, followed by one JSON
object: `<|message|>to=functions.read json {...}`.

## Why is this bad

Strict parsers accept it as a message to nobody, so no server runs the call; the clause and the arguments are
shown to the user as text.

## Example

```text
<|channel|>commentary<|message|>to=functions.read json {"path":"a"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.read json<|message|>{"path":"a"}<|call|>
```

## Fix safety

Unsafe: the clause was written as text. It is moved only when the rest of the body is a JSON object and nothing
else.

## Where it was seen

Not in a public report so far; found by moving `<|message|>` in real outputs.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS226",
    "recipient-in-body",
    Severity.ERROR,
    (Effect.MISREADS,),
    "A tool call's recipient stands in its body",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which clause."""
    value = problem.data["value"]
    return Said(
        f"The body begins with {quote(value)}, which belongs into the header.",
        "Move the clause into the header",
        Applicability.UNSAFE,
        note="The rest of the body is one JSON object, as a call's arguments are.",
    )
