r"""A terminator was meant as text inside JSON.

## What it does

Finds `<|end|>`, `<|call|>` or `<|return|>` inside a string of a call's JSON arguments, where the JSON goes on
behind the marker and is closed at a later terminator.

## Why is this bad

A strict parser ends the message at the marker and raises on the rest of the arguments. A parser that carries
on makes a call with half of its JSON.

## Example

```text
<|channel|>commentary to=functions.note <|constrain|>json<|message|>{"text":"<|end|>"}<|call|>
```

## Repaired

The printed form is the same, but the marker inside the string has become ordinary tokens that spell it:

```ids
[200005, 12606, 815, 316, 28, 44580, 85460, 220, 200003, 4108, 200008, 10848, 919, 7534, 27, 91, 419, 91, 29, 18583, 200012]
```

## Fix safety

Safe: the arguments are a JSON value with the marker as text, and none without it.

## Where it was seen

In raullenchai/Rapid-MLX's tests for its issue 513, which pass markers through a tool's arguments. Agents that
work on chat templates or on Harmony itself write such calls.
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS111",
    "terminator-in-json",
    Severity.ERROR,
    BREAKS,
    "A terminator was meant as text inside JSON",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which terminator was meant as text."""
    name = problem.data.get("value", "<|end|>")
    return Said(
        f"This {name} stands inside a JSON string that is closed only behind it, so it was meant as text.",
        f"Spell {name} with ordinary tokens",
    )
