"""The same text returns in other tokens.

## What it does
Tells where the text is equal and the ids differ. A model may spell a word in any tokens; encoding its text
again gives the canonical ones.

## Why is this bad
Log probabilities belong to the emitted tokens. Training on re-encoded text trains on tokens that were not
sampled.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|><|#71|><|#6053|><|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>hello<|end|>
```

## Fix safety
Nothing is edited: keep ids over text: store the emitted tokens.

## Where it was seen
Every renderer; sampling at high temperature and constrained decoding are the common sources.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS718",
    name="retokenised",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="The same text returns in other tokens.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The same text returns in other tokens: {change}."
