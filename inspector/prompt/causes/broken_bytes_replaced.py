"""Bytes that are no text return as U+FFFD.

## What it does
Tells where a character that was cut off, a byte that fits nowhere, or an id that the vocabulary does not
have was replaced. An unknown id costs the rest of its message as well.

## Why is this bad
The text is lost for good, and three unremarkable tokens stand in its place.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|>caf<|#127|><|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>caf�<|end|>
```

## Fix safety
Nothing is edited: the bytes are only in the emitted tokens.

## Where it was seen
Every release of the parser; characters cut off by a token limit are the common source.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS717",
    name="broken-bytes-replaced",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="Bytes that are no text return as U+FFFD.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "Bytes that are no UTF-8 return as U+FFFD: {change}."
