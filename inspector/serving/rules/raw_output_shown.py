"""A header is shown to the user.

## What it does

Finds turns that end inside a header. vLLM 0.32 returns the raw tokens of the unfinished message as
the answer. Told as information where the output was cut off there.

## Why is this bad

The user reads `<|channel|>final It is 4.<|return|>` as the answer; sent back as history, it poisons
the next prompt.

## Example

```json
{
  "id": "raw",
  "role": "assistant",
  "text": "<|channel|>final It is 4.<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Repaired

With the marker that ends the header.

```json
{
  "id": "read",
  "role": "assistant",
  "text": "<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: the rules about headers do.

## Where it was seen

vLLM issues 45736 and 47062.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS615",
    name="raw-output-shown",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="vLLM 0.32 shows a raw header, markers and all, as the answer.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """The end came inside a header: its raw tokens become the answer."""
    if ending.how is How.CALL or not ending.fed.tail:
        return
    cut = ending.how is How.CUT
    yield ending.diagnostic(
        RULE,
        "The turn ends inside a header: vLLM 0.32 shows its raw tokens, markers and all, as the answer",
        severity=Severity.INFO if cut else Severity.WARNING,
    )
