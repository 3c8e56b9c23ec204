r"""A call was given up inside its header.

## What it does

Finds a recipient in a header that never reaches `<|message|>` and goes over into prose, behind another
recipient or a `<|constrain|>`: the model began a call and then went on thinking.

## Why is this bad

The prose would become the arguments of a call that nobody made. A strict parser raises and usually takes the
next, proper call down with it.

## Example

```text
<|channel|>commentary to=functions.a to=functions.b or neither?<|end|>
```

## Repaired

```text
<|channel|>commentary<|message|>or neither?<|end|>
```

## Fix safety

Unsafe: the recipient is removed and the prose becomes an ordinary message. Where nothing was sent to a tool,
nothing may be run.

## Where it was seen

In openai/harmony#114, which describes reasoning behind `<|constrain|>` in long conversations, each time
followed by the same call done properly.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, listed

RULE: Final = Rule(
    "HS208",
    "recipient-without-call",
    Severity.ERROR,
    BREAKS,
    "A call was given up inside its header",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whom it was addressed to."""
    values = list(dict.fromkeys(problem.data["values"]))
    return Said(
        f"A call to {listed(values, quote)} was begun here, but prose follows instead of <|message|> and arguments.",
        "Remove the recipient" if len(problem.data["values"]) == 1 else "Remove the recipients",
        Applicability.UNSAFE,
        note="Without a body addressed to it no tool may be run; the prose is kept as a message.",
    )
