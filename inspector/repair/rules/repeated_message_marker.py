r"""``<|message|>`` is written twice.

## What it does

Finds a second `<|message|>` right behind the one that ended the header.

## Why is this bad

Inside a body every marker but a terminator is text, so strict parsers put the characters `<|message|>` in
front of the content, without an error: a user sees them, and JSON arguments no longer parse.

## Example

```text
<|channel|>final<|message|><|message|>Hello.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>Hello.<|return|>
```

## Fix safety

Safe: the header has ended already, and no text begins with this marker.

## Where it was seen

No public report is known. It has the same source as the doubled `<|start|>` of tenstorrent/vllm#386 and the
doubled `<|end|>` of vllm-project/vllm#22519.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS112",
    "repeated-message-marker",
    Severity.ERROR,
    BREAKS,
    "<|message|> is written twice",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """The second marker would become text."""
    return Said(
        "The header has ended already; this second <|message|> would become the first word of the body.",
        "Remove the second <|message|>",
    )
