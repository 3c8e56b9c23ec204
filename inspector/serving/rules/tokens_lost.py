"""A message of a finished turn is dropped without a word.

## What it does

Finds turns that ended (not in a call, not cut off) of which vLLM 0.32 drops text: after a header
that it cannot read every token up to the next `<|start|>` is refused and the error swallowed; a
message on an unknown channel or of another role is ignored.

## Why is this bad

The client gets HTTP 200 with an empty or partial answer and finish_reason stop; neither the log nor
the answer shows that tokens are missing.

## Example

```json
{
  "id": "dropped",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>Hm<|end|><|start|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Repaired

With a header that can be read.

```json
{
  "id": "kept",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: the rules about headers do.

## Where it was seen

vLLM 0.32, parser/harmony.py: the error of every token is caught and passed over. Up to 0.26 the
same output was an HTTP 500.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ...tokens import Span
from ..ending import Ending, How

RULE = Rule(
    code="HS609",
    name="tokens-lost",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="Part of a finished turn reaches nobody in vLLM 0.32.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """Text tokens that vLLM's reader drops from a turn that ended."""
    if ending.how in (How.CALL, How.CUT):
        return
    start = ending.start[0]
    lost = [index for index in ending.reading.lost if index >= start]
    if lost:
        tokens = "1 token" if len(lost) == 1 else f"{len(lost):,} tokens"
        yield ending.diagnostic(
            RULE, f"vLLM 0.32 drops {tokens} of this turn without a word", Span(lost[0], lost[-1] + 1)
        )
