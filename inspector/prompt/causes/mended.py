"""What the repair changed returns mended.

## What it does
Tells where the next prompt differs from what was emitted because the transcript was repaired: junk that was
taken out of a header, a marker that was put in.

## Why is this bad
It is not: the alternative is a history without the message. But the model sees another text than it wrote, and
in training the tokens do not match those that were sampled.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>commentary to=functions.read We look <|constrain|>json<|message|>{"path":"a"}<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary to=functions.read <|constrain|>json<|message|>{"path":"a"}<|call|>
```

## Fix safety
Nothing is edited here: the edits are those of the findings, each with a switch of its own.

## Where it was seen
Wherever a repaired message is sent back.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS729",
    name="mended",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="What the repair changed returns mended.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The repair changed it: {change}."
