"""A bare tool name returns as `functions.` and the name.

## What it does
Tells where a recipient without a namespace, `to=bash`, returns as `to=functions.bash`, and likewise the
author of a tool result. vLLM takes nearly every bare recipient for a function and always writes the prefix.

## Why is this bad
The history claims that the model named the tool rightly. What it did write is not there to learn from.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=bash json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: the call reaches the tool that was meant.

## Where it was seen
vLLM 0.32; bare recipients are common in gpt-oss outputs.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS705",
    name="recipient-prefixed",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A bare tool name returns as `functions.` and the name.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The name gains its namespace: {change}."
