"""A content type does not return.

## What it does
Tells where the content type of a message that is no function call is left out. Chat completions have no
field for it.

## Why is this bad
The model is shown its structured answer without the marker that announced it.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis to=python code<|message|>1+1<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>analysis<|message|>1+1<|end|>
```

## Fix safety
Nothing is edited: the text is the same.

## Where it was seen
vLLM 0.32, for reasoning addressed to a built-in tool.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS724",
    name="content-type-dropped",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A content type does not return.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The content type is gone: {change}."
