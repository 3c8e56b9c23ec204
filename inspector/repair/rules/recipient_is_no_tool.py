r"""A recipient is no tool.

## What it does

Finds messages of the assistant that are addressed to a role, a channel or a content type: `to=assistant`,
`to=user`, `to=final`, `to=json`.

## Why is this bad

A server takes a recipient for a tool, or knows `assistant` to be none and drops the message: vLLM shows the
user nothing of it. On the next turn the renderer closes it by `<|call|>`, whatever it was.

## Example

```text
<|channel|>commentary to=assistant<|message|>Let me look that up.<|end|>
```

## Repaired

It is left as it is: the recipient is what the tokens say, and it is no name of a tool that was garbled.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of vLLM (`to=assistant`) and SGLang (`to=user`), in ggml-org/llama.cpp#27720, and in two unrelated
projects that strip `to=final <|constrain|>response` from the text.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS412",
    "recipient-is-no-tool",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A recipient is no tool",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which recipient."""
    return Said(f"The message is addressed to {quote(problem.data['value'])}, which is no tool.")
