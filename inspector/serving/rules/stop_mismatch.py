"""The reported stop_reason and the last token disagree.

## What it does

Finds a stop_reason that names another token than the one at the end; told as information where null
was reported for `<|call|>` or `<|endoftext|>`, since many records hold null for want of a value.
Quiet for 200002 with `<|return|>` (skipped tokenizers and beam search report it so) and for stop
strings.

## Why is this bad

stop_reason is the cheapest sign of a lost tool call: 200012 without tool calls. If it is wrong, or
missing, that sign fails.

## Example

```json
{
  "id": "odd",
  "role": "assistant",
  "text": "<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": 199999
}
```

## Repaired

The reason that fits.

```json
{
  "id": "even",
  "role": "assistant",
  "text": "<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: the label is wrong, or tokens are missing from the record.

## Where it was seen

Records joined from two sources.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS614",
    name="stop-mismatch",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="The reported stop_reason does not fit the last token.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """Another id than the last token's, or null for a secondary stop token."""
    if ending.index >= len(ending.ids) or not ending.how.by_marker:
        return
    token = ending.how.value
    if isinstance(ending.stop, int) and ending.stop != token:
        message = f"stop_reason {ending.stop} was reported, but token {token} ends the tokens"
        yield ending.diagnostic(RULE, message)
        return
    unsaid = ending.stop is None and ending.stop_stated and ending.finish in ("stop", "tool_calls")
    if unsaid and ending.how in (How.CALL, How.ENDOFTEXT):
        message = f"Token {token} ends the tokens, but a null stop_reason was reported"
        yield ending.diagnostic(RULE, message, severity=Severity.INFO)
