"""A message without text is left out.

## What it does
Tells which messages are left out because their text is empty. Chat completions cannot tell an empty content
from none.

## Why is this bad
A model that answered with nothing is shown that it did not answer.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis<|message|><|end|><|start|>assistant<|channel|>final<|message|>Hi.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>Hi.<|end|>
```

## Fix safety
Nothing is edited: there is nothing to lose but the message itself.

## Where it was seen
vLLM 0.32, `HarmonyParser.parse`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS721",
    name="empty-message-dropped",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A message without text is left out.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The message has no text and is left out."
