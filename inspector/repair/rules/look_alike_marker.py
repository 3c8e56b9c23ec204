r"""A marker is spelled with ordinary characters.

## What it does

Finds markers that are written out in ordinary tokens: in a header, also with a bar missing (`<|channel>`), and
all over an output that begins with a whole header of them. Look-alikes in a body are text and are left alone.

## Why is this bad

A marker is a token id, not a piece of text. For a strict parser the spelled-out ones are words of one endless
header: it raises `Unexpected EOS while waiting for message header to complete`, although the output looks
healthy on the screen. Inside a header the releases happen to read whole look-alikes as markers; mangled ones
they do not.

## Example

The ids of `<|channel|>final<|message|>Yes.<|return|>`, whose first marker is spelled out:

```ids
[27, 91, 21453, 91, 29, 17196, 200008, 13022, 13, 200002]
```

## Repaired

```text
<|channel|>final<|message|>Yes.<|return|>
```

## Fix safety

Safe for one whole marker inside a header that `<|message|>` ends. Unsafe for a mangled one, and where a whole
output is rewritten.

## Where it was seen

In unslothai/unsloth#5162, where a tokenizer produced all markers as text, and in the tests of
raullenchai/Rapid-MLX (`<|channel>`).
"""

from __future__ import annotations

import re
from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS301",
    "look-alike-marker",
    Severity.ERROR,
    BREAKS,
    "A marker is spelled with ordinary characters",
    __name__,
    "text",
)


_WHOLE: Final = re.compile(r"<\|(channel|constrain|start)\|>")


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which marker, or how many of them."""
    value = problem.data["value"]
    if len(problem.changes) > 1:
        return Said(
            f"The {len(problem.changes)} markers of this text are spelled with ordinary characters.",
            "Replace them by real markers",
            Applicability.UNSAFE,
            note="The text begins with a whole header, so its markers are taken to be meant.",
        )
    marker = inserted(problem)
    whole = _WHOLE.fullmatch(value) is not None
    return Said(
        f"{quote(value)} is spelled with ordinary characters; it is not the marker {marker}."
        if whole
        else f"{quote(value)} is not the marker {marker}, but close to it.",
        f"Replace it by the marker {marker}",
        Applicability.SAFE if whole else Applicability.UNSAFE,
        note="" if whole else "Nothing else in a header looks like this.",
    )
