"""The reported finish_reason and the tokens disagree.

## What it does

Finds length reported for tokens that a stop token ends, and stop reported for tokens that nothing
ends. Told as information only where no stop reason was reported: a stop string may have ended it,
and text leaves stop tokens out. Quiet for stop with a tool call: a named tool_choice, the
completions endpoint and others report it so.

## Why is this bad

Statistics of truncation go wrong, and complete outputs are generated again, or incomplete ones
taken as they are. A stop token in the very last place allowed is reported as stop, so length cannot
be right.

## Example

```json
{
  "id": "odd",
  "role": "assistant",
  "text": "<|channel|>final<|message|>4<|return|>",
  "finish_reason": "length",
  "stop_reason": null
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

Records in which the stop token was cut from the ids.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS613",
    name="finish-mismatch",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="The reported finish_reason does not fit the last token.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """length with a stop token, stop without one."""
    if ending.finish == "length" and ending.index < len(ending.ids) and ending.how is not How.END:
        yield ending.diagnostic(RULE, "A stop token ends the tokens, so stop or tool_calls fits, not length")
    elif ending.finish == "stop" and ending.how is How.CUT and ending.stop is None:
        yield ending.diagnostic(
            RULE,
            "No terminator ends the tokens, yet stop was reported",
            severity=Severity.WARNING if ending.stop_stated else Severity.INFO,
            note="A stop string ended it, or the stop token is missing from the record.",
        )
