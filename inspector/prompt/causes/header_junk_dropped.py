"""Words of a header that mean nothing do not return.

## What it does
Tells which pieces of a header the parser read over: a second channel section, a role said twice, a word
that lost against another.

## Why is this bad
The history shows a clean header where the model stumbled.

## Example
```text
# style: oss-harmony 0.0.11
<|channel|>analysis<|channel|>commentary<|message|>Look.<|end|>
```

## Repaired
The next prompt has:
```text
<|channel|>analysis<|message|>Look.<|end|>
```

## Fix safety
Nothing is edited: whether the right one of two channels was kept is another question.

## Where it was seen
oss-harmony 0.0.10 and later read over repeated channels.
"""

from typing import Final

from ...finding import Effect, Rule, Severity

RULE: Final = Rule(
    code="HS719",
    name="header-junk-dropped",
    severity=Severity.INFO,
    effects=(Effect.DRIFTS,),
    summary="Words of a header that mean nothing do not return.",
    module=__name__,
    family="next prompt",
)

SENTENCE: Final = "A piece of the header that was not used is gone: {change}."
