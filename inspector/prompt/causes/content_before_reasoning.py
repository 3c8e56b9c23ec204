"""Content, reasoning and calls of a turn change places.

## What it does
Tells which messages of a turn changed places. A chat completion has one content and one reasoning. vLLM
writes a turn with calls as content, reasoning, calls, and a turn without as reasoning, content, in whatever
order they were emitted.

## Why is this bad
The preamble that the model wrote after its reasoning is shown before it. The first differing token can be
the first of the whole turn, so no prefix is left to cache.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis<|message|>Look.<|end|>
<|start|>assistant<|channel|>commentary<|message|>I list the files.<|end|>
<|start|>assistant<|channel|>commentary to=functions.ls json<|message|>{}<|call|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary<|message|>I list the files.<|end|>
<|start|>assistant<|channel|>analysis<|message|>Look.<|end|>
<|start|>assistant to=functions.ls<|channel|>commentary json<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: the order is not known where the prompt is rendered.

## Where it was seen
vLLM 0.32, `parse_chat_input_to_harmony_message`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS709",
    name="content-before-reasoning",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="Content, reasoning and calls of a turn change places.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The messages of this turn return in another order: {change}."
