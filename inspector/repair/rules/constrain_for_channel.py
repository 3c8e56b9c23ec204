r"""A channel stands behind ``<|constrain|>``.

## What it does

Finds `<|constrain|>` followed by the name of a channel in a header that has no channel otherwise: the wrong
marker was written.

## Why is this bad

A strict parser takes it for a content type or a stray word: `unexpected tokens remaining in message header:
Some("<|constrain|>commentary")`. Where it does not raise, the message has no channel.

## Example

```text
<|constrain|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"pytest -q"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"pytest -q"}<|call|>
```

## Fix safety

Safe: the names of the channels are no content types.

## Where it was seen

In two of the strict errors that openai/harmony#114 counted.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS217",
    "constrain-for-channel",
    Severity.ERROR,
    BREAKS,
    "A channel stands behind <|constrain|>",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which channel."""
    return Said(
        f"The channel {quote(problem.data['value'])} stands behind <|constrain|>.",
        "Replace <|constrain|> by <|channel|>",
    )
