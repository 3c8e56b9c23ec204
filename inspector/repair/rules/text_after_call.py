r"""Text follows a tool call.

## What it does

Finds text at the end of the output behind `<|call|>`, where generation should have stopped to wait for the
tool's result.

## Why is this bad

A strict parser raises, `Unexpected token 12606 while expecting start token 200006`, and the complete call
before the text is lost with it.

## Example

```text
<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|call|>commentary
```

## Repaired

```text
<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|call|>
```

## Fix safety

Unsafe when words are taken out: they are what the model went on with because nothing stopped it at
`<|call|>`. Safe for blanks and punctuation.

## Where it was seen

In vllm-project/vllm#22515 and #22519, where the word `commentary` (token 12606) followed `<|call|>` as long as
that marker was not among the stop tokens.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, says_something

RULE: Final = Rule(
    "HS109",
    "text-after-call",
    Severity.ERROR,
    BREAKS,
    "Text follows a tool call",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What follows the call."""
    value = problem.data.get("value") or ()
    words = says_something(value)
    return Said(
        f"{quote(value)} follows <|call|>, where the model should have waited for the tool's result.",
        "Remove what follows the call",
        Applicability.UNSAFE if words else Applicability.SAFE,
        note="The call is complete; what follows it opens no message." if words else "",
    )
