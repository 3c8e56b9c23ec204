r"""A header holds bytes that are no text.

## What it does

Finds broken UTF-8, the replacement character U+FFFD and unknown token ids in a header.

## Why is this bad

A strict parser decodes the whole header first and raises `could not decode header`, without saying where. Every
field of the header is lost with the one broken byte.

## Example

Token 162 is the single byte E6, the beginning of a character that never came:

```ids
[200005, 12606, 815, 316, 28, 44580, 1292, 1229, 162, 220, 200003, 4108, 200008, 10848, 18804, 7534, 3973, 18583, 200012]
```

## Repaired

```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"ls"}<|call|>
```

## Fix safety

Unsafe: the bytes are removed, and what they were meant to be cannot be known. A name without them may be
another name.

## Where it was seen

In one of the strict errors that openai/harmony#114 counted.
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS303",
    "undecodable-header",
    Severity.ERROR,
    BREAKS,
    "A header holds bytes that are no text",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which bytes."""
    value = problem.data["value"]
    return Said(
        f"{quote(value)} in this header is no valid text.",
        f"Remove {quote(value)}",
        Applicability.UNSAFE,
        note="What it was meant to be cannot be known; the words around it are complete without it.",
    )
