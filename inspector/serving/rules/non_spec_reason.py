"""The reported reason is none of OpenAI's.

## What it does

Finds a finish_reason that OpenAI's API does not know (abort, repetition, error, ...), and the
stop_reason repetition_detected. Words that no server is known to use are a warning.

## Why is this bad

Typed clients refuse the value or map it to something else, and the answer that comes with it is
partial: it was aborted, or cut off by the repetition detector.

## Example

```json
{
  "id": "aborted",
  "role": "assistant",
  "text": "<|channel|>final<|message|>It is",
  "finish_reason": "abort",
  "stop_reason": null
}
```

## Repaired

A generation that ran to its end.

```json
{
  "id": "whole",
  "role": "assistant",
  "text": "<|channel|>final<|message|>It is so.<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: generate again.

## Where it was seen

vLLM 0.32: abort when the engine pauses, sleeps or shuts down, repetition from its detector; both
reach the client in a 200.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import OPENAI_WORDS, REPETITION, Ending, shown

RULE = Rule(
    code="HS606",
    name="non-spec-finish-reason",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="finish_reason is outside OpenAI's words; the output is partial.",
    module=__name__,
    family="finish",
)


_PARTIAL = frozenset({"abort", "aborted", "repetition", "error", "cancelled"})


def check(ending: Ending) -> Iterator[Diagnostic]:
    """A word outside OpenAI's, or the detector's stop reason."""
    word = ending.finish
    if word is not None and word not in OPENAI_WORDS:
        partial = word in _PARTIAL
        what = "the output is partial" if partial else "clients that check the value refuse it"
        yield ending.diagnostic(
            RULE,
            f"finish_reason {shown(word)} is none of OpenAI's words: {what}",
            severity=Severity.ERROR if partial else Severity.WARNING,
        )
    elif ending.stop == REPETITION:
        message = "The repetition detector cut the output off, but finish_reason does not say so"
        yield ending.diagnostic(RULE, message)
