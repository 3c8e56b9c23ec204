"""The generation ended with a token that does not end a turn.

## What it does

Finds generations whose last token is `<|endoftext|>` or `<|end|>`. Quiet where `<|endoftext|>` only
pads a finished turn, where length was reported, and for histories, in which every message ends with
`<|end|>`.

## Why is this bad

A turn ends with `<|return|>` or `<|call|>`. After `<|end|>` another message was to follow and is
missing: such an end needs `<|end|>` among the stop tokens of the request. `<|endoftext|>` is no
terminator for the parser: it becomes text of the last message.

## Example

```json
{
  "id": "ended",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>Hm<|end|>",
  "finish_reason": "stop",
  "stop_reason": 200007
}
```

## Repaired

The whole turn.

```json
{
  "id": "whole",
  "role": "assistant",
  "text": "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>4<|return|>",
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Fix safety

Display only. No edit of tokens mends it: what was to follow was not generated.

## Where it was seen

gpt-oss names 199999 among its stop ids, so servers accept it; stop lists copied from
openai_harmony's stop_tokens() contain 200007.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ..ending import Ending, How

RULE = Rule(
    code="HS605",
    name="wrong-terminator",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="Generation ended with <|endoftext|> or <|end|>.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """An end that is no end of a turn."""
    if ending.how is How.ENDOFTEXT:
        yield ending.diagnostic(RULE, "<|endoftext|> ended the generation, not <|return|> or <|call|>")
    elif ending.how is How.END and ending.finish != "length":
        yield ending.diagnostic(
            RULE,
            "<|end|> ended the generation: it ends a message, not the turn, and cannot stop it by itself",
            note="200007 is probably among the request's stop_token_ids.",
        )
