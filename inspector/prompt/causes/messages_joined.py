"""Several messages return as one.

## What it does
Tells where the end of a message and the header of the next are replaced by a line break. A chat completion
has one content and one reasoning, so vLLM joins the texts of each.

## Why is this bad
The model is shown a message that it never wrote, and often with other tokens around the joint.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis<|message|>One<|end|><|start|>assistant<|channel|>analysis<|message|>Two<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>analysis<|message|>One
Two<|end|>
```

## Fix safety
Nothing is edited: the borders are not known where the prompt is rendered.

## Where it was seen
vLLM 0.32, `HarmonyParser.parse`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS710",
    name="messages-joined",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="Several messages return as one.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "Two messages return as one, with a line break between their texts: {change}."
