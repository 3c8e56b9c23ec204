"""The output stops in the middle.

## What it does

Tells that no terminator ends the tokens: the generation ran into max_tokens or the context's end,
as a reported length says, or the rest was not recorded.

## Why is this bad

Nothing is wrong with the reading, but the last message is incomplete, and the next prompt closes it
as if it were whole. The strict parser accepts it without a word.

## Example

```json
{
  "id": "cut",
  "role": "assistant",
  "text": "<|channel|>final<|message|>It is",
  "finish_reason": "length",
  "stop_reason": null
}
```

## Repaired

Run to its end.

```json
{
  "id": "whole",
  "role": "assistant",
  "text": "<|channel|>final<|message|>It is so.<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: generate again with a higher limit.

## Where it was seen

Everywhere; 25 of the 3,600 generations of vLLM issue 58228.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS608",
    name="truncated-by-length",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="The output was cut off; nothing ends it.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """No terminator, and no other word for it was reported."""
    if ending.how is How.CUT and ending.finish in (None, "length") and ending.stop is None:
        said = ", as the reported length says" if ending.finish == "length" else ""
        yield ending.diagnostic(RULE, f"No terminator ends the tokens: the output was cut off{said}")
