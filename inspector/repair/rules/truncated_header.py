r"""The output ends inside a header.

## What it does

Finds a header at the very end of the output that has neither `<|message|>` nor a body: generation stopped, or
was cut by a token limit, before the message said anything.

## Why is this bad

A strict parser raises `Unexpected EOS while waiting for message header to complete` and gives up all messages
before it as well. A server that recovers from that may hand the raw header, markers included, to the user as
the answer.

## Example

```text
<|channel|>analysis<|message|>They want the weather.<|end|><|start|>assistant to=functions.get_weather
```

## Repaired

```text
<|channel|>analysis<|message|>They want the weather.<|end|>
```

## Fix safety

Safe: the header has no body, so nothing that was said is lost. A tool that it names was not called yet.

## Where it was seen

In a conformance report on tool parsers (vLLM 0.30 returned such a header as content), in
vllm-project/vllm#45736 and #47062, and in openai/harmony#33, where a whole prompt with its open
`<|start|>assistant` was given to the parser.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript, vocabulary
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS102",
    "truncated-header",
    Severity.ERROR,
    BREAKS,
    "The output ends inside a header",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What the header had said so far."""
    value = problem.data.get("value") or ()
    if not transcript.ids:
        return Said("Nothing was generated: a header that the prompt opened has no end.", "Nothing to mend")
    if transcript.role is None and vocabulary().decode(value) == "assistant":
        return Said(
            "This is a prompt: it ends in an open header for the assistant, with nothing generated behind it.",
            "Leave the open header out",
        )
    if not value:
        return Said("The output ends right behind <|start|>.", "Remove the <|start|> without a message")
    return Said(
        f"The output ends inside the header {quote(value)}, before its message has a body.",
        "Remove the unfinished header",
    )
