"""A content type loses its `<|constrain|>`.

## What it does
Tells where ` <|constrain|>json` returns as ` json`. vLLM 0.32 rewrites the header of every call to the
legacy shape, which has no marker.

## Why is this bad
The model is shown every one of its calls without the marker that it wrote.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: both forms say the same.

## Where it was seen
vLLM 0.32, `_use_legacy_tool_call_headers`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS704",
    name="constrain-removed",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A content type loses its `<|constrain|>`.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The content type loses its marker: {change}."
