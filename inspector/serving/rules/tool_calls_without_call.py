"""Tool calls are announced, and there are none.

## What it does

Finds a reported finish_reason of tool_calls where neither vLLM 0.32's reader nor any of the other
servers' readers finds a tool call in the tokens, and the record holds none either.

## Why is this bad

A client that goes by finish_reason waits for tool calls that never come, or fails on an empty list.

## Example

```json
{
  "id": "empty",
  "role": "assistant",
  "text": "<|channel|>final<|message|>No tool is needed.<|return|>",
  "finish_reason": "tool_calls",
  "stop_reason": null
}
```

## Repaired

The reason that fits.

```json
{
  "id": "empty",
  "role": "assistant",
  "text": "<|channel|>final<|message|>No tool is needed.<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: the label is wrong, not the tokens.

## Where it was seen

vLLM issue 53255: tool_choice required, non-streaming, nothing parsed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending

RULE = Rule(
    code="HS603",
    name="tool-calls-without-call",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="finish_reason tool_calls, but no reader finds a tool call.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """Tool calls reported where no reader yields one."""
    if ending.finish != "tool_calls" or ending.said_calls or ending.reading.calls or ending.elsewhere:
        return
    message = "tool_calls was reported, but no server's reader finds a tool call in the tokens"
    yield ending.diagnostic(RULE, message)
