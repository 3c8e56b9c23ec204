r"""A header names no role.

## What it does

Finds `<|start|>` followed by a channel, a recipient or `<|message|>`, without a role in between.

## Why is this bad

A strict parser raises `message header did not contain a role`. Before a `to=` it does not: it takes the
message for the answer of a tool called `to=functions.get_weather`, so that the call is never run.

## Example

```text
<|start|><|channel|>final<|message|>Done.<|return|>
```

## Repaired

```text
<|start|>assistant<|channel|>final<|message|>Done.<|return|>
```

## Fix safety

Safe in a completion, where only the assistant speaks. Unsafe in a whole conversation, where `assistant` is an
assumption.

## Where it was seen

In the tests of SGLang and of raullenchai/Rapid-MLX, and in those of Ollama (`<|start|>to=functions.get_weather`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS211",
    "missing-role",
    Severity.ERROR,
    BREAKS,
    "A header names no role",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """The role is assumed to be the assistant's."""
    assumed = transcript.role != "assistant"
    return Said(
        "This header names no role.",
        "Insert the role assistant",
        Applicability.UNSAFE if assumed else Applicability.SAFE,
        note="Channels and calls are the assistant's, so it is taken to speak." if assumed else "",
    )
