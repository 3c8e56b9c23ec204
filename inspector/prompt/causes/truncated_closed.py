"""A message that was cut off returns complete.

## What it does
Tells where a message without an end gets one. A parser does not say whether a message was ended or cut off
by the token limit.

## Why is this bad
The model is shown half a sentence, or half a call, as if it had meant to stop there.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|>The answer is
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>The answer is<|end|>
```

## Fix safety
Nothing is edited: the finish reason `length` says that the message was cut off.

## Where it was seen
Every renderer.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS714",
    name="truncated-closed",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A message that was cut off returns complete.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The message was cut off and returns closed: {change}."
