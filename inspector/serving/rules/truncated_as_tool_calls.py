"""A generation that was cut off is reported as complete tool calls.

## What it does

Finds a reported finish_reason of tool_calls where no terminator ends the tokens and no stop string
or stop token was reported: the generation ran into its limit.

## Why is this bad

The arguments are broken or incomplete JSON, and nothing in the answer says so: length, the word
that would, is overruled. In streams of the same server it is not, so the two disagree.

## Example

```json
{
  "id": "cut",
  "role": "assistant",
  "token_ids": [200005, 12606, 815, 316, 28, 44580, 85460, 220, 200003, 4108, 200008, 10848],
  "finish_reason": "tool_calls",
  "stop_reason": null
}
```

## Repaired

What should have been reported.

```json
{
  "id": "cut",
  "role": "assistant",
  "token_ids": [200005, 12606, 815, 316, 28, 44580, 85460, 220, 200003, 4108, 200008, 10848],
  "finish_reason": "length",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: generate again with a higher limit.

## Where it was seen

vLLM issue 58228, non-streaming chat with tool_choice auto: 25 of 3,600 generations hit the cap, all
were reported as tool_calls.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS602",
    name="truncated-as-tool-calls",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="finish_reason tool_calls hides that the output was cut off.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """Tool calls reported for tokens that nothing ends."""
    if ending.finish == "tool_calls" and ending.how is How.CUT:
        yield ending.diagnostic(
            RULE, "No terminator ends the tokens: the output was cut off, yet tool_calls was reported"
        )
