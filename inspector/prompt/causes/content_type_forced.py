"""A call's content type returns as json, whatever it was.

## What it does
Tells where the content type of a call is replaced, or appears although the call had none. Chat completions
have no field for it, so vLLM writes `json` for every function call.

## Why is this bad
A call whose body is code, or plain text, is shown to the model as JSON.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=functions.bash code<|message|>ls<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary json<|message|>ls<|call|>
```

## Fix safety
Nothing is edited: the content type is lost before the prompt is rendered; only a history that keeps the
Harmony messages has it.

## Where it was seen
vLLM 0.32, `parse_chat_input_to_harmony_message`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS703",
    name="content-type-forced",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A call's content type returns as json, whatever it was.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The content type is written anew: {change}."
