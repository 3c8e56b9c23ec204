"""A preamble returns as an answer.

## What it does
Tells where a message on `commentary` without a recipient returns on `final`, because no call came with it.

## Why is this bad
An answer decides what is dropped: the reasoning before a message that was not final at all is left out of
the next prompt.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary<|message|>I will look.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>I will look.<|end|>
```

## Fix safety
Nothing is edited: chat completions have one content and no channel for it.

## Where it was seen
vLLM 0.32; the call that the preamble announced was often lost to a malformed header.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS711",
    name="preamble-becomes-final",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A preamble returns as an answer.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The message becomes the answer: {change}."
