"""The model went on after a tool call.

## What it does

Finds tokens that the model generated after a `<|call|>`. Quiet for a tool's result and what follows
it, unless the origins say that the model sampled it, and for padding.

## Why is this bad

`<|call|>` stops generation only through the stop ids of the model's generation_config. A server
started without it, or a fine-tune that lost the list, runs past the call: what follows was made up
without the tool's result.

## Example

```json
{
  "id": "ran-on",
  "role": "assistant",
  "token_ids": [
    200005, 12606, 815, 316, 28, 44580, 1000, 82, 220, 200003, 4108, 200008, 12083, 200012,
    200006, 173781, 200005, 17196, 200008, 13866, 6291, 13, 200002
  ],
  "finish_reason": "stop",
  "stop_reason": null
}
```

## Repaired

Stopped at the call.

```json
{
  "id": "stopped",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|call|>",
  "finish_reason": "tool_calls",
  "stop_reason": 200012
}
```

## Fix safety

Display only. No edit of tokens mends it: cut the transcript after the call if the rest is not
wanted.

## Where it was seen

vLLM with --generation-config vllm, which drops [200002, 199999, 200012] from the stop ids.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ...tokens import CALL, ENDOFTEXT, Span
from ..ending import Ending

RULE = Rule(
    code="HS612",
    name="tokens-after-call",
    severity=Severity.WARNING,
    effects=(Effect.MISREADS,),
    summary="The model went on after <|call|>.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """The first call after which the model went on."""
    if ending.transcript.role != "assistant":
        return
    ids, origins = ending.ids, ending.transcript.origins
    for message in ending.messages if origins is not None else ending.turn:
        after = message.end
        if not 0 < after < len(ids) or ids[after - 1] != CALL:
            continue
        if origins is not None and (origins[after] != "sampled" or origins[after - 1] != "sampled"):
            continue
        if all(token == ENDOFTEXT for token in ids[after:]):
            return
        what = "The model went on after <|call|>, without the tool's result"
        yield ending.diagnostic(RULE, what, Span(after, len(ids)))
        return
