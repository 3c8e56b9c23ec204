"""A call on another channel returns on commentary.

## What it does
Tells where a call on `analysis` or `final`, or on no channel, returns on `commentary`. vLLM keeps a call's
name and arguments only and writes the channel itself.

## Why is this bad
Models do call tools from their reasoning. On `analysis` the call is part of what is dropped after the
answer; on `commentary` it stays.

## Example
```text
# style: vLLM 0.32
<|channel|>analysis to=functions.bash code<|message|>ls<|call|>
```

## Repaired
The next prompt has:
```text
 to=functions.bash<|channel|>commentary json<|message|>ls<|call|>
```

## Fix safety
Nothing is edited: the channel is not known where the prompt is rendered.

## Where it was seen
vLLM 0.32; calls on the analysis channel are frequent with built-in tools.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS706",
    name="call-moved-to-commentary",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A call on another channel returns on commentary.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The call changes its channel: {change}."
