r"""A role is misspelt or unknown.

## What it does

Finds a word in the role slot that is none of user, assistant, system, developer and tool, and no tool's name
either: doubled (`assistantassistant`), abbreviated (`asst`), mistyped, in capitals, or something else.

## Why is this bad

Roles are compared letter by letter. A strict parser raises `Unknown role: assistantassistant`; with more words
in the header it takes the message for the answer of a tool by that name.

## Example

```text
<|start|>assistantassistant<|channel|>final<|message|>Answer: 12<|return|>
```

## Repaired

```text
<|start|>assistant<|channel|>final<|message|>Answer: 12<|return|>
```

## Fix safety

Safe when the word is a role in other letters. Unsafe when it resembles none and `assistant` is assumed.

## Where it was seen

In tenstorrent/vllm#386 (the role doubled), and in tests of an OpenRouter client (`asst`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...harmony.words import as_role
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS212",
    "unknown-role",
    Severity.ERROR,
    BREAKS,
    "A role is misspelt or unknown",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which word, and whether it resembles a role."""
    value = problem.data["value"]
    role = inserted(problem) or "assistant"
    near = as_role(value) == role
    return Said(
        f"{quote(value)} is no role.",
        f"Make the role {role}",
        Applicability.SAFE if near else Applicability.UNSAFE,
        note="" if near else "It resembles no role; what has no other owner is taken to be the assistant's.",
    )
