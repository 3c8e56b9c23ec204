"""A call's JSON is parsed and written anew.

## What it does
Tells where the arguments of a call differ after a round trip through a JSON parser: spaces, escapes of
characters beyond ASCII, repeated keys, numbers such as 1e3.

## Why is this bad
The model is shown arguments that it did not write. Streaming responses pass the raw text on, so the same
turn returns differently by the way in which it was requested.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=functions.bash json<|message|>{"cmd":"ls"}<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary json<|message|>{"cmd": "ls"}<|call|>
```

## Fix safety
Nothing is edited: the value is the same, but for repeated keys.

## Where it was seen
vLLM 0.32, `HarmonyParser.parse`, when the response is not streamed.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS712",
    name="arguments-reserialised",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A call's JSON is parsed and written anew.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The arguments are the same JSON, written in another way: {change}."
