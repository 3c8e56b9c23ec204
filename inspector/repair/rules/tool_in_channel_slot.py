r"""A tool's name stands where the channel belongs.

## What it does

Finds `<|channel|>NAME` where `NAME` is no channel but names a tool: it has a namespace, is a built-in tool, is
declared, or stands in what is clearly a call.

## Why is this bad

From a second message on, openai-harmony 0.0.8 raises, `Unknown role: assistant<|channel|>commentary`.
oss-harmony 0.0.11 accepts the message and loses the name: the call has no recipient, so a server returns no
tool call, reports `stop`, and the agent waits or gives up.

## Example

```text
<|channel|>bash<|channel|>commentary<|message|>{"cmd":"pytest -q"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.bash<|message|>{"cmd":"pytest -q"}<|call|>
```

## Fix safety

Safe when the recipient is stated as well, or when the name is complete and a real channel stands beside it.
Unsafe when the namespace `functions.` or the channel `commentary` has to be added.

## Where it was seen

In 28 of the strict errors that openai/harmony#114 counted, and in agents' logs that cite
ggml-org/llama.cpp#27720 (`<|channel|>functions.read<|channel|>commentary to=assistant`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS202",
    "tool-in-channel-slot",
    Severity.ERROR,
    BREAKS,
    "A tool's name stands where the channel belongs",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which name, and what of the recipient had to be added."""
    value = problem.data["value"]
    if problem.data.get("redundant"):
        return Said(
            f"{quote(value)} stands in a channel slot, but the recipient is stated already.",
            f"Remove the channel section {quote(value)}",
        )
    kept = problem.data["kept"]
    title = f"Make {quote(kept)} the recipient"
    notes = []
    if kept != value.strip(":,;"):
        notes.append("A bare name is taken for a function, unless it is declared otherwise.")
    if "<|channel|>" in inserted(problem):
        title += " and commentary the channel"
        notes.append("No other channel is stated; calls of functions belong to commentary.")
    return Said(
        f"{quote(value)} stands in a channel slot, but it is the name of a tool.",
        title,
        Applicability.UNSAFE if notes else Applicability.SAFE,
        note=" ".join(notes),
    )
