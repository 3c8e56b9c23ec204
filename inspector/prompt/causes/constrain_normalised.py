"""A bare content type returns with `<|constrain|>`.

## What it does
Tells where a bare content type, ` json`, returns as ` <|constrain|>json`. oss-harmony 0.0.10 and later
write the marker before every content type.

## Why is this bad
The same call is shown two tokens longer than it was sampled. Models write both forms; the bare one
disappears from their history.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>commentary to=functions.bash json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: both forms say the same.

## Where it was seen
oss-harmony 0.0.10 and 0.0.11; openai-harmony 0.0.8 keeps the form that it was given.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS702",
    name="constrain-normalised",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A bare content type returns with `<|constrain|>`.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The content type gains its marker: {change}."
