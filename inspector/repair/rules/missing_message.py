r"""A header is closed before its ``<|message|>``.

## What it does

Finds headers that end in `<|end|>`, `<|call|>`, `<|return|>`, in the next `<|start|>` or with the output,
although no `<|message|>` has separated header and body. The fields that the header states are kept; from the
first word that cannot be one, the rest is the body.

## Why is this bad

Only `<|message|>` ends a header. Without it a strict parser takes the terminator, and the whole next header,
for more words of this one: it raises (`unexpected tokens remaining in message header`, or `Unexpected EOS
while waiting for message header to complete`), or a later message ends up with a recipient such as
`functions.x<|call|><|start|>assistant`. A lenient parse (`strict=False`) drops the message, or turns all of
the header, `to=` included, into text.

## Example

```text
<|channel|>analysis I have to check the tests.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>
```

## Repaired

```text
<|channel|>analysis<|message|>I have to check the tests.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>
```

## Fix safety

Safe when nothing stands between the fields and the terminator: the body is empty. Otherwise unsafe, because
where the header turns into the body is a judgement: words that were meant for the header become text, never
the other way round, and never the arguments of a call. Text without any header that ends in `<|return|>` is
put on the final channel, since that marker ends a turn.

## Where it was seen

In openai/harmony#80 and #82 (a refusal without any header), in five of the error texts of openai/harmony#114
(calls that were given up and then made properly), in ggml-org/llama.cpp#25321 (bare JSON) and #27720
(thoughts glued to the channel), and in cuga-project/cuga-agent#558 (an answer with nothing but its
`<|return|>`).
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS101",
    "missing-message",
    Severity.ERROR,
    BREAKS,
    "A header is closed before its <|message|>",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What is taken for the body, and on which channel it is put when the header names none."""
    value = (problem.data.get("value") or "")[:100]  # the whole body: a sentence shows its beginning
    if not value:
        return Said(
            "This header ends without a <|message|>, so the message has no body.",
            "Insert <|message|> before the terminator",
        )
    if problem.data.get("final"):
        return Said(
            f"The text {quote(value)} has no header at all.",
            "Put it on the final channel and insert <|message|> before it",
            Applicability.UNSAFE,
            note="<|return|> ends a turn, so the text before it is taken for the final answer.",
        )
    return Said(
        f"No <|message|> separates the header from {quote(value)}.",
        "Insert <|message|> where the header turns into text",
        Applicability.UNSAFE,
        note="The body begins at the first word that is no field of a header.",
    )
