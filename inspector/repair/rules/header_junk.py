r"""Words in a header that are none of its fields.

## What it does

Finds words, punctuation or surplus content types in a header that can be neither role, channel, recipient nor
content type: chatter, a second type, the rest of an XML tag, a tool's name beside the recipient.

## Why is this bad

A strict parser reads a header from its end: the last word is the content type, the one before it the
recipient, and whatever is left raises, `unexpected tokens remaining in message header: Some("bash")`. One
stray word is enough to lose the call. When it happens to leave nothing over, the word itself becomes the
recipient.

## Example

```text
<|channel|>commentary to=functions.bash (We attempt to run it)<|message|>{"cmd":"pytest"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.bash<|message|>{"cmd":"pytest"}<|call|>
```

## Fix safety

Safe for punctuation and an empty `to=`. Unsafe for words: they are removed, since chatter in a header is never
turned into arguments. They stay visible in the edit, and switching it off keeps them.

## Where it was seen

In openai/harmony#114 (`bash`, `(We attempt to`, a whole `Complete_TASK_AND_SUBMIT_FINAL_OUTPUT &&`),
openai/harmony#38 (two dashes before a second `commentary`), vllm-project/vllm#51977 (two content types),
vllm-project/vllm#22533 (`commentaryanalysis`), ggml-org/llama.cpp#27720 (`commentary?`) and studies of agents'
logs.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, says_something

RULE: Final = Rule(
    "HS204",
    "header-junk",
    Severity.ERROR,
    BREAKS,
    "Words in a header that are none of its fields",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which words."""
    value = problem.data["value"]
    if value == "to=" or not says_something(value):
        return Said(f"{quote(value)} in this header says nothing.", f"Remove {quote(value)}")
    return Said(
        f"{quote(value)} is no field of a header.",
        f"Remove {quote(value)}",
        Applicability.UNSAFE,
        note="Words in a header are never made the arguments of a call.",
    )
