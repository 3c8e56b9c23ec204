"""A tool call was made and nobody gets it.

## What it does

Finds generations that stopped at `<|call|>` (the last token, or a reported stop_reason of 200012)
although the reader that serves gpt-oss in vLLM 0.32 makes no tool call of the message it closed, or
although the record itself says that there were no tool calls. Quiet for `tool_choice` none, and for
builtin tools, which have a rule of their own.

## Why is this bad

The client sees an answer without tool calls and finish_reason stop, with HTTP 200 and nothing in
the log: an agent ends its work or loses its turn. Only the tokens, or stop_reason, still show the
call.

## Example

```json
{
  "id": "lost",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls # all <|constrain|>json<|message|>{}<|call|>",
  "finish_reason": "stop",
  "stop_reason": 200012
}
```

## Repaired

The same call with a header that can be read.

```json
{
  "id": "kept",
  "role": "assistant",
  "text": "<|channel|>commentary to=functions.ls <|constrain|>json<|message|>{}<|call|>",
  "finish_reason": "tool_calls",
  "stop_reason": 200012
}
```

## Fix safety

Display only. No edit of tokens mends it: the rules about headers do, where the header can be
mended.

## Where it was seen

vLLM 0.32 with oss-harmony 0.0.11: 13 of 19 outputs that used to raise a HarmonyError lose their
message this way; vLLM issues 46464 and 50690.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...finding import Diagnostic, Effect, Rule, Severity
from ...tokens import CALL
from ..ending import Ending, How, shown

RULE = Rule(
    code="HS601",
    name="lost-call",
    severity=Severity.ERROR,
    effects=(Effect.MISREADS,),
    summary="Generation stopped at a tool call, but no tool call comes out.",
    module=__name__,
    family="finish",
)


def check(ending: Ending) -> Iterator[Diagnostic]:
    """The alarm: a generation that ended in a call and yields none."""
    if ending.tool_choice == "none" or ending.builtin or (ending.how is not How.CALL and ending.stop != CALL):
        return
    read = ending.last_is_read if ending.how is How.CALL else bool(ending.reading.calls)
    recipient = ending.last.recipient if ending.last is not None else None
    to = f" to {shown(recipient)}" if recipient else ""
    if not read:
        who = ending.elsewhere
        note = "No server's reader makes a tool call of it."
        if who:
            note = f"{', '.join(who)} would make a tool call of it."
        message = f"Generation stopped at <|call|>, but vLLM 0.32 yields no tool call: the call{to} is lost"
        yield ending.diagnostic(RULE, message, note=note)
    elif ending.said_calls is False and ending.tool_choice != "named":
        yield ending.diagnostic(
            RULE,
            f"Generation stopped at <|call|> and the call{to} can be read, but no tool call was reported",
            note="The server's tool parser may be off (vLLM: --enable-auto-tool-choice, --tool-call-parser).",
        )
