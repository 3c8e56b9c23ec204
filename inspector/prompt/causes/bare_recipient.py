"""A bare word that was read as the recipient returns as `to=`.

## What it does
Tells where a single word after the channel, which the parser reads as the recipient, returns with `to=` in
front. `final json` addresses the answer to a tool called json.

## Why is this bad
A likely misreading becomes a plain statement in the history, and the message ends in `<|call|>`.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>final json<|message|>{}<|end|>
```

## Repaired
The next prompt has:
```text
 to=json<|channel|>final<|message|>{}<|call|>
```

## Fix safety
Nothing is edited: the reading is the defect; repair the header first.

## Where it was seen
openai-harmony and oss-harmony, all releases.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS726",
    name="bare-recipient",
    severity=Severity.WARNING,
    effects=(Effect.DRIFTS,),
    summary="A bare word that was read as the recipient returns as `to=`.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "A bare word was read as the recipient and returns as one: {change}."
