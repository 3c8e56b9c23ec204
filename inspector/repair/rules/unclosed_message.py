r"""A message runs into the next one.

## What it does

Finds a body in which `<|start|>` or `<|channel|>` stands with a believable header behind it: the terminator
between two messages is missing. Markers that are only mentioned, or that stand inside the JSON of a call, are
left alone.

## Why is this bad

Only a terminator ends a body. A strict parser takes the whole next message, markers included, for text of
this one, without any error: an answer or a tool call disappears into the reasoning.

## Example

```text
<|channel|>analysis<|message|>Think it over.<|start|>assistant<|channel|>final<|message|>It is 42.<|return|>
```

## Repaired

```text
<|channel|>analysis<|message|>Think it over.<|end|><|start|>assistant<|channel|>final<|message|>It is 42.<|return|>
```

## Fix safety

Safe at a `<|start|>` with a header behind it. Unsafe at a bare `<|channel|>`, which might be text. The missing
terminator is `<|call|>` behind a JSON object and `<|end|>` otherwise.

## Where it was seen

In the tests of waybarrios/vllm-mlx and in kekzl/imp#800 (also with an empty analysis), and in a transcript of
a reward-hacking probe whose reasoning ran straight into a call on the final channel.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import CHANNEL, Transcript
from ..said import Said
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS110",
    "unclosed-message",
    Severity.ERROR,
    BREAKS,
    "A message runs into the next one",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which marker opens the next message, and which terminator is missing."""
    closer = inserted(problem) or "<|end|>"
    bare = CHANNEL in transcript.ids[problem.span.start : problem.span.end]
    return Said(
        f"The next message begins here, but {closer} has not closed the one before.",
        f"Insert {closer}",
        Applicability.UNSAFE if bare else Applicability.SAFE,
        note="A <|channel|> with a whole header behind it opens a message; strict parsers take it for text."
        if bare
        else "",
    )
