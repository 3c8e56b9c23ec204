"""The fields of a header return in another order.

## What it does
Tells where the recipient and the channel of a header change places. The three styles disagree:
openai-harmony 0.0.8 writes the recipient first, oss-harmony 0.0.10 and later the channel first on
`commentary`, and vLLM 0.32 writes calls in the old order again.

## Why is this bad
The model is shown its own call in a shape that it did not write. Every token from here on differs by
position, so a prefix cache ends here, and a comparison of turn n with turn n+1 fails on every tool turn.

## Example
```text
# style: openai-harmony 0.0.8
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary <|constrain|>json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: the order is the renderer's. For training, keep the emitted ids instead of rendering the
messages again.

## Where it was seen
openai-harmony 0.0.8 beside oss-harmony 0.0.11; vLLM 0.32 rewrites call headers because models shown the
newer order began to write the recipient in both places.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS701",
    name="header-order",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="The fields of a header return in another order.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The header is written in another order: {change}."
