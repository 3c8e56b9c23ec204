"""A stop string ended the generation inside a tool call.

## What it does

Finds a reported stop string (a stop_reason that is text) where the last message is a tool call
without a terminator whose arguments are not complete JSON.

## Why is this bad

The call is reported as tool_calls with arguments that cannot be parsed. Text is cut before the stop
string, the token ids are not.

## Example

```json
{
  "id": "stopped",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{\\"a\\": \\"x",
  "finish_reason": "tool_calls",
  "stop_reason": "x"
}
```

## Repaired

Without the stop string.

```json
{
  "id": "whole",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{\\"a\\": 1}<|call|>",
  "finish_reason": "tool_calls",
  "stop_reason": 200012
}
```

## Fix safety

Display only. No edit of tokens mends it: stop strings and tools do not go together.

## Where it was seen

vLLM 0.32: stop strings are matched in the text of arguments too.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How, shown
from ..reading import reserialised
from ..vllm import is_function

RULE = Rule(
    code="HS611",
    name="arguments-cut-by-stop-string",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="A stop string cut a tool call's arguments off.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """A call in progress when the stop string came."""
    last = ending.last
    if ending.how is not How.STOP_STRING or last is None or not is_function(last.recipient):
        return
    if reserialised(last.content) is None:
        to, string = shown(last.recipient), shown(ending.stop)
        yield ending.diagnostic(RULE, f"The stop string {string} cut off the arguments of the call to {to}")
