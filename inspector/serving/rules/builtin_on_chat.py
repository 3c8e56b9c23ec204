"""A builtin tool is called where there are none.

## What it does

Finds generations that stopped at a call of `python`, `browser` or `container` (or their members).
An error where a finish or stop reason was reported, as a server does; told as information
otherwise, since an agent that runs these tools itself is right to see it.

## Why is this bad

vLLM's chat endpoint has no builtin tools: on commentary the call is dropped, on analysis it is
shown as reasoning. finish_reason is stop, and the turn is over for the client.

## Example

```json
{
  "id": "builtin",
  "role": "assistant",
  "text": "<|channel|>analysis to=python code<|message|>print(1)<|call|>",
  "finish_reason": "stop",
  "stop_reason": 200012
}
```

## Repaired

A function of the request.

```json
{
  "id": "function",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.python <|constrain|>json<|message|>{}<|call|>",
  "finish_reason": "tool_calls",
  "stop_reason": 200012
}
```

## Fix safety

Display only. No edit of tokens mends it: declare the tool as a function, or serve it through the
Responses API.

## Where it was seen

gpt-oss calls container.exec and python though they were never declared; vLLM 0.32 says so in
chat_completion/serving.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ...tokens import CALL
from ..ending import Ending, How, shown

RULE = Rule(
    code="HS610",
    name="builtin-call-on-chat",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="A builtin tool was called, which the chat endpoint ignores.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """A call of a builtin tool at the end."""
    if ending.builtin is None or (ending.how is not How.CALL and ending.stop != CALL):
        return
    yield ending.diagnostic(
        RULE,
        f"The call to {shown(ending.builtin)} is ignored by vLLM's chat endpoint, which has no builtin tools",
        severity=Severity.ERROR if ending.reported else Severity.INFO,
    )
