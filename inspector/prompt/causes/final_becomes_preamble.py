"""An answer returns as a preamble.

## What it does
Tells where a message on `final` returns on `commentary`, because a call came with it.

## Why is this bad
Reasoning before an answer is dropped, reasoning before a preamble is kept: the next prompt is another one.

## Example
```text
# style: vLLM 0.32
<|channel|>final<|message|>Done.<|end|>
<|start|>assistant<|channel|>commentary to=functions.ls json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary<|message|>Done.<|end|>
<|start|>assistant to=functions.ls<|channel|>commentary json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: chat completions have one content and no channel for it.

## Where it was seen
vLLM 0.32, `parse_chat_input_to_harmony_message`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS725",
    name="final-becomes-preamble",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="An answer returns as a preamble.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The answer becomes a preamble: {change}."
