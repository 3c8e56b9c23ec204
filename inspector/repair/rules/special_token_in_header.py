r"""A header holds a special token that structures nothing.

## What it does

Finds `<|startoftext|>`, `<|endoftext|>` and reserved tokens in a header.

## Why is this bad

For a strict parser they are words: the channel becomes `analysis<|reserved_200015|>`, or the recipient
`<|startoftext|>`, without an error, and the message reaches nobody.

## Example

```text
<|startoftext|><|channel|>final<|message|>Hi.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>Hi.<|return|>
```

## Fix safety

Safe: these tokens mean nothing in Harmony.

## Where it was seen

In a benchmark of prompt injections, which glues a reserved token to a channel. `<|startoftext|>` gets there
when a tokenizer adds it to every text.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS306",
    "special-token-in-header",
    Severity.ERROR,
    BREAKS,
    "A header holds a special token that structures nothing",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tokens."""
    value = problem.data["value"]
    return Said(f"{quote(value)} in this header means nothing in Harmony.", f"Remove {quote(value)}")
