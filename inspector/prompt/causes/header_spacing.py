"""White space in a header returns in another way.

## What it does
Tells where only the white space of a header differs: a missing blank before `<|constrain|>`, a doubled one,
a line break.

## Why is this bad
It is harmless to parsers; regular expressions that other servers use are less patient.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>commentary to=functions.bash<|constrain|>json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: the fields are the same.

## Where it was seen
Every renderer.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS720",
    name="header-spacing",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="White space in a header returns in another way.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The header's white space is written in the usual way: {change}."
