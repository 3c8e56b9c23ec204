"""A message ends in another marker.

## What it does
Tells where the marker that ends a message differs. A renderer writes `<|call|>` after every assistant
message that has a recipient and `<|end|>` after all others, never `<|return|>`.

## Why is this bad
After an answer this is how the format is meant to be used. After a call it hides that the model ended it in
another way.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|>Done.<|return|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>Done.<|end|>
```

## Fix safety
Nothing is edited: `render_conversation_for_training` writes `<|return|>` after a last final message.

## Where it was seen
Every renderer.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS713",
    name="terminator-changed",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A message ends in another marker.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The message ends in another marker: {change}."
