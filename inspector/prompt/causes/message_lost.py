"""Tokens that belong to no message are missing from the history.

## What it does
Tells which tokens no message was read from: a malformed message that the parser gave up, text between two
messages, a second terminator, a header without a body.

## Why is this bad
What the model did is not in its history, so it repeats it, or answers as if it had been done.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final<|message|>Done.<|end|><|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>Done.<|end|>
```

## Fix safety
Nothing is edited: repair the transcript first; the repaired messages are complete.

## Where it was seen
vLLM 0.32 skips the tokens that its parser raises on; earlier versions answered HTTP 500.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS715",
    name="message-lost",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="Tokens that belong to no message are missing from the history.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "These tokens were read as no message and are gone: {change}."
