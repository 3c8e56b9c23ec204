"""The header of a tool result is written in another way.

## What it does
Tells where the header of a tool result has its recipient and channel in another order, or has fields that
it did not have. openai-harmony 0.0.8 and the published format put the recipient first; oss-harmony 0.0.10
and later, and vLLM with them, put the channel first and always write both.

## Why is this bad
A loop that appends tool results by itself shows the model two shapes of the same thing: its own in this
turn, the renderer's from the next turn on.

## Example
```text
# style: oss-harmony 0.0.11
# role: none
<|start|>functions.bash to=assistant<|channel|>commentary<|message|>ok<|end|>
```

## Repaired
The next prompt has:
```text
<|start|>functions.bash<|channel|>commentary to=assistant<|message|>ok<|end|>
```

## Fix safety
Nothing is edited: both forms say the same.

## Where it was seen
oss-harmony 0.0.11 beside openai-harmony 0.0.8.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS707",
    name="tool-result-order",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="The header of a tool result is written in another way.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The tool result's header is written anew: {change}."
