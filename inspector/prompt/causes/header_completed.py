"""A header gets the marker or the role that it lacked.

## What it does
Tells where a header lacked its `<|start|>`, its role or its `<|message|>`. Strict parsers do not accept such a
message; readers that do give a message all the same. A lenient parse makes the text of the message from a header
that has no `<|message|>`.

## Why is this bad
The history shows a complete header where the model wrote none.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>commentary<|message|>Look.<|end|><|channel|>final<|message|>Done.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>commentary<|message|>Look.<|end|>
<|start|>assistant<|channel|>final<|message|>Done.<|end|>
```

## Fix safety
Nothing is edited: what was added is what every header has.

## Where it was seen
Outputs that go on without `<|start|>assistant` after the reasoning.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS727",
    name="header-completed",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="A header gets the marker or the role that it lacked.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "The header is completed: {change}."
