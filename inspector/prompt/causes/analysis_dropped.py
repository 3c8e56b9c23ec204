"""Reasoning before an answer is left out of the next prompt.

## What it does
Tells which messages on the analysis channel are left out. The libraries drop those before the first final
message, if the last assistant message is final; vLLM drops those before the last final message.

## Why is this bad
This is how the format is meant to be used. It matters where the emitted tokens are trained on as if they
had been the prompt of the next turn, and for prefix caches.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>analysis<|message|>Look.<|end|><|start|>assistant<|channel|>final<|message|>Done.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>Done.<|end|>
```

## Fix safety
Nothing is edited: render with `auto_drop_analysis=False` to keep the reasoning in a library; vLLM has no
such switch.

## Where it was seen
openai-harmony, oss-harmony and vLLM 0.32, with the differences named above.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS708",
    name="analysis-dropped",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="Reasoning before an answer is left out of the next prompt.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The reasoning before the answer is not shown again."
