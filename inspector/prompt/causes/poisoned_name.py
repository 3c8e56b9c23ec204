"""A name, recipient or channel spells a special token.

## What it does
Tells which names hold the text of a special token. Where it was a real token in the transcript it returns
as characters; vLLM 0.32 refuses to write a call to such a name at all.

## Why is this bad
The request after this one fails, and every later one with the same history, until someone removes the call.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=functions.ls<|call|>
<|start|>assistant<|channel|>final<|message|>Done.<|return|>
```

## Repaired
The next prompt has:
```text
Encountered text corresponding to disallowed special token '<|call|>'.
```

## Fix safety
Nothing is edited: repair the transcript: a name does not hold markers.

## Where it was seen
Tool names such as `bash<|channel|>commentary`, read by openai-harmony up to 0.0.8 and sent back to vLLM
0.32.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS723",
    name="poisoned-name",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A name, recipient or channel spells a special token.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "A name spells a special token, which cannot be written as one: {change}."
