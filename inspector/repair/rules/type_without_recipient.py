r"""A content type without a recipient is taken for one.

## What it does

Finds a content type in a header of the assistant that names no recipient, such as
`<|channel|>final <|constrain|>json`. The header is legal: servers even force the model to write it when a
request asks for structured output.

## Why is this bad

A strict parser takes the last word of a header for the recipient when no other word is left. The message is
then addressed to `<|constrain|>json`, or to `json` when the marker is missing, and has no content type. vLLM
makes a tool call named `json` of it; on the next turn the answer is rendered as a call.

## Example

```text
<|channel|>final <|constrain|>json<|message|>{"result":true}<|return|>
```

## Repaired

It is left as it is: the tokens say plainly what they mean, and it is the parsers that misread them. Dropping
the content type, so that strict parsers read no recipient, is offered as an alternative.

## Fix safety

The alternative is unsafe: it takes out a content type that was meant.

## Where it was seen

In vllm-project/vllm#45570 and #45657 (structured output), in ml-explore/mlx-lm#875 (on commentary), and in
output of LM Studio, where several projects strip `<|constrain|>JSON` from the answer.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS223",
    "type-without-recipient",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A content type without a recipient is taken for one",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which type, and what dropping it would do."""
    value = problem.data["value"]
    return Said(
        f"Strict parsers take the content type {quote(value)} for the recipient, since the header names none.",
        alternatives=(f"Drop the content type {quote(value)}: strict parsers then read no recipient out of it",),
        note="The header is legal as it stands, so nothing is changed by itself. A history built from a strict parse "
        "comes back addressed to it.",
    )
