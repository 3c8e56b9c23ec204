r"""A message is not opened by ``<|start|>``.

## What it does

Finds messages behind another one that begin with their channel, their recipient, their text or a bare
`<|message|>`, but not with `<|start|>` and a role.

## Why is this bad

Between two messages a strict parser accepts `<|start|>` and nothing else: `Unexpected token 200005 while
expecting start token 200006`. A server that swallows the error loses this message without a trace.

## Example

```text
<|channel|>analysis<|message|>Add them up.<|end|><|channel|>final<|message|>Four.<|return|>
```

## Repaired

```text
<|channel|>analysis<|message|>Add them up.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>
```

## Fix safety

Safe when the role is stated and only `<|start|>` is missing, and in a completion, where nobody but the
assistant speaks. Unsafe in a whole conversation: there the role `assistant` is an assumption.

## Where it was seen

In vllm-project/vllm#22515, #22519 and openai/harmony#60 (the word `commentary` right behind `<|call|>`, then
the next call; one of the most reported errors of August 2025), in vllm-project/vllm#22386 and #35906, and in
the tests of ai-dynamo/dynamo (`<|end|><|message|>`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS104",
    "missing-start",
    Severity.ERROR,
    BREAKS,
    "A message is not opened by <|start|>",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """What has to be inserted, and whether the role had to be assumed."""
    text = inserted(problem) or "<|start|>"
    assumed = text != "<|start|>" and transcript.role != "assistant"
    return Said(
        f"A message begins here without <|start|>{' and a role' if text != '<|start|>' else ''}.",
        f"Insert {text}",
        Applicability.UNSAFE if assumed else Applicability.SAFE,
        note="The role is not stated; what has a channel is taken to be the assistant's." if assumed else "",
    )
