"""A difference without a known cause.

## What it does
Tells of a difference that no other cause explains, for instance messages that were not read from these
tokens.

## Why is this bad
It is a question to the person who made the messages, or a gap in this list: please report it.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|>Done.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>Finished.<|end|>
```

## Fix safety
Nothing is edited: unknown.

## Where it was seen
Messages that were altered after they had been read; the example shows its message with the text `Finished.`
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS799",
    name="other",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A difference without a known cause.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The next prompt differs here, and no known cause fits: {change}."
