r"""``<|start|>`` is repeated before a header.

## What it does

Finds a second `<|start|>` inside a header, where the first one has opened it already. In a completion it also
finds the prompt's `<|start|>assistant` written once more.

## Why is this bad

A strict parser takes the second marker for part of the role: `Unknown role: <|start|>assistant`. Where the
prompt gave the role it does not even raise, but reads a wrong recipient.

## Example

```text
<|start|><|start|>assistant<|channel|>final<|message|>3 + 3 = 6<|return|>
```

## Repaired

```text
<|start|>assistant<|channel|>final<|message|>3 + 3 = 6<|return|>
```

## Fix safety

Safe: opening a message twice means nothing that opening it once does not.

## Where it was seen

In tenstorrent/vllm#386, and in exo-explore/exo#1126, where the end of the prompt was given to the parser
together with the completion.
"""

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS105",
    "repeated-start",
    Severity.ERROR,
    BREAKS,
    "<|start|> is repeated before a header",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whether the role is written once more as well."""
    if len(problem.span) > 1 and transcript.role is not None:
        return Said(
            f"The prompt has opened this message already; {quote('<|start|>' + transcript.role)} is written once more.",
            "Remove the repeated opening",
        )
    return Said("This message is opened already; the <|start|> here opens it again.", "Remove the repeated <|start|>")
