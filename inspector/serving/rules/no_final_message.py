"""The turn is over and nothing was said.

## What it does

Finds turns that end with `<|return|>` and hold reasoning only: no answer, no preamble, no tool
call.

## Why is this bad

The client gets an empty content with finish_reason stop; an answer in the reasoning is not shown.

## Example

```json
{
  "id": "silent",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>It is 4.<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Repaired

With an answer.

```json
{
  "id": "said",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: an answer is not invented.

## Where it was seen

gpt-oss at higher temperatures and after very long reasoning.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS607",
    name="no-final-message",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="The turn returned after reasoning only: there is no answer.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """Reasoning, then <|return|>."""
    reading = ending.reading if ending.how is How.RETURN else None
    if reading is None or reading.content or reading.calls or reading.lost or not reading.reasoning:
        return
    if ending.builtin is None:
        yield ending.diagnostic(RULE, "The turn ends after reasoning only: there is no final message")
