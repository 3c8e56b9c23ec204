"""A special token in a text returns as ordinary characters.

## What it does
Tells where a special token inside a body returns as ordinary tokens that spell it. Inside a body parsers
take special tokens for text, and renderers encode text as ordinary tokens only.

## Why is this bad
One token becomes several that mean something else to the model. It is safe, and it shows that the message
held what it should not, often a whole second message.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>analysis<|message|>Look.<|channel|>final<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>analysis<|message|>Look.<|channel|>final<|end|>
```

## Fix safety
Nothing is edited: that text cannot forge markers is what one wants. The special token in the body is the
defect.

## Where it was seen
Every renderer; missing `<|end|>` before `<|start|>` is the common source.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS716",
    name="special-text-defused",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A special token in a text returns as ordinary characters.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "A special token returns as the characters of its name: {change}."
