r"""A header holds an invisible character.

## What it does

Finds zero-width, bidirectional and control characters in a header.

## Why is this bad

Strict parsers take them for part of the channel or the recipient, without an error. On the screen nothing is
wrong, but the channel is not `final` and the tool `functions.bash` is not found.

## Example

The recipient holds U+200B, a zero-width space, before `bash`:

```ids
[200005, 12606, 815, 316, 28, 44580, 118214, 103423, 220, 200003, 4108, 200008, 10848, 18804, 7534, 3973, 18583, 200012]
```

## Repaired

```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"ls"}<|call|>
```

## Fix safety

Safe: such characters are part of no name.

## Where it was seen

No public report is known; who would have seen it? All releases accept such headers.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS, code_point, counted, listed

RULE: Final = Rule(
    "HS304",
    "invisible-character",
    Severity.ERROR,
    BREAKS,
    "A header holds an invisible character",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which characters, by code point."""
    value = problem.data["value"]
    return Said(
        f"This header holds {counted(len(value), 'invisible character')}: {listed(value, code_point)}.",
        f"Remove {'it' if len(value) == 1 else 'them'}",
    )
