"""A turn that calls a tool ends like a turn that answers.

## What it does

Finds turns that end with `<|return|>` although vLLM 0.32 reads a tool call in them.

## Why is this bad

`<|return|>` says that the turn is over, `<|call|>` that a result is awaited. Servers make a tool
call of it all the same, with a null stop_reason; a reader that goes by `<|call|>` (SGLang, verl)
does not.

## Example

```json
{
  "id": "returned",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|return|>",
  "finish_reason": "tool_calls",
  "stop_reason": null
}
```

## Repaired

Closed by the marker for calls.

```json
{
  "id": "called",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|call|>",
  "finish_reason": "tool_calls",
  "stop_reason": 200012
}
```

## Fix safety

Display only. No edit of tokens mends it: the next prompt closes the call with `<|call|>` by itself.

## Where it was seen

vLLM 0.32: its parser accepts the end of the turn as the end of a call.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS604",
    name="call-ended-by-return",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="A turn with a tool call ended with <|return|> instead of <|call|>.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """A tool call in a turn that <|return|> ended."""
    if ending.how is not How.RETURN or not ending.reading.calls:
        return
    last = "The tool call is closed by <|return|>, not by <|call|>"
    earlier = "The turn ends with <|return|>, but holds a tool call, for which <|call|> should have ended it"
    yield ending.diagnostic(RULE, last if ending.last_is_read else earlier)
