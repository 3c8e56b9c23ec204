r"""A channel is misspelt or has something glued to it.

## What it does

Finds a word behind `<|channel|>` that is a known channel in other letters (`Final`), cut short (`comment`) or
mistyped (`finalx`, `analyis`).

## Why is this bad

Strict parsers accept any word as a channel, without an error. Servers route by the exact word, so that the
message is dropped as belonging to an unknown channel.

## Example

```text
<|channel|>finalx<|message|>The answer is here.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>The answer is here.<|return|>
```

## Fix safety

Safe when only capitals or punctuation differ. Unsafe when letters are added or taken away.

## Where it was seen

In ai-dynamo/frontend-crates#237 (`finalx`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS215",
    "garbled-channel",
    Severity.ERROR,
    BREAKS,
    "A channel is misspelt or has something glued to it",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """How it is written, and which channel it is."""
    value, kept = problem.data["value"], problem.data["kept"]
    same = "".join(c for c in value.lower() if c.isalpha()) == kept
    return Said(
        f"{quote(value)} is no channel, but close to {quote(kept)}.",
        f"Make the channel {kept}",
        Applicability.SAFE if same else Applicability.UNSAFE,
        note="" if same else "No other channel is as close.",
    )
