r"""A blank stands between a marker and its value.

## What it does

Finds white space between `<|channel|>` or `<|constrain|>` and the word that follows it.

## Why is this bad

The releases want the value right behind its marker. Behind `<|channel|>` a blank means that there is no value:
`channel marker present but no channel value found in header`. Behind `<|constrain|>` the marker and the type
become two words, the marker is taken for the recipient, and the real recipient is left over.

## Example

```text
<|channel|>commentary to=functions.read<|constrain|> json<|message|>{"path":"a"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.read<|constrain|>json<|message|>{"path":"a"}<|call|>
```

## Fix safety

Safe: only the blank is taken out.

## Where it was seen

The error text is among those of tenstorrent/vllm#386. It is what a model writes that has learnt the header as
text, and it breaks every release.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS224",
    "blank-behind-marker",
    Severity.ERROR,
    BREAKS,
    "A blank stands between a marker and its value",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whose value."""
    value = problem.data["value"]
    return Said(f"A blank stands between the marker and its value {quote(value)}.", "Remove the blank")
