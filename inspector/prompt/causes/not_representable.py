"""The style has no way to write this.

## What it does
Tells what has no place in the way back. For vLLM's chat completions: calls to `python`, `browser`,
`container` or `assistant` (and results of such tools), messages on an unknown channel or on none,
recipients of reasoning, names of users. For the libraries: the recipient `all`.

## Why is this bad
A call that the server does not know is dropped without a word, and the model is shown a turn in which it
did nothing.

## Example
```text
# style: vLLM 0.32
<|channel|>commentary to=python<|message|>1+1<|call|>
<|start|>assistant<|channel|>final<|message|>2<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>final<|message|>2<|end|>
```

## Fix safety
Nothing is edited: vLLM's Responses API can carry the built-in tools.

## Where it was seen
vLLM 0.32, `_SegmentType.from_channel_and_recipient`.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS722",
    name="not-representable",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="The style has no way to write this.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "There is no way to write this here, and it is gone: {change}."
