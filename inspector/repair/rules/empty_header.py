r"""A header is closed without saying anything.

## What it does

Finds headers that end in a terminator or in the next `<|start|>` and hold neither a field nor text: an empty
one, one with only a role, or punctuation where the channel belongs.

## Why is this bad

A strict parser reads on through the terminator and joins this header with the next one, so that the message
behind it gets a wrong role, channel or recipient, or is lost with `unexpected tokens remaining in message
header` or `Unknown role`.

## Example

```text
<|channel|>??<|end|><|start|>assistant<|channel|>final<|message|>Yes, seal it.<|return|>
```

## Repaired

```text
<|channel|>final<|message|>Yes, seal it.<|return|>
```

## Fix safety

Safe when the header is empty or only names a role. Unsafe when characters are taken out with it. Where the
role stands in the prompt, it passes to the message that follows; if that is another's message, the empty
header gets an empty body instead.

## Where it was seen

In ggml-org/llama.cpp#27720 (`<|channel|>??<|end|>`, then a good turn), and in streams whose first slice begins
with the `<|end|>` of the message before, as the tests of waybarrios/vllm-mlx have them.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript, vocabulary
from ..said import Said, quote
from ._wording import BREAKS, inserted

RULE: Final = Rule(
    "HS103",
    "empty-header",
    Severity.ERROR,
    BREAKS,
    "A header is closed without saying anything",
    __name__,
    "framing",
)
_ROLE_ONLY: Final = frozenset({"", "assistant"})


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whether the header is taken out or closed properly."""
    value = problem.data.get("value") or ()
    what = f"The header {quote(value)}" if value else "An empty header"
    title = "Give the message an empty body" if inserted(problem) else "Remove the empty header"
    said = vocabulary().decode(value).strip() if value else ""
    applicability = Applicability.SAFE if said in _ROLE_ONLY else Applicability.UNSAFE
    note = "It says nothing that a message could be made of." if applicability is Applicability.UNSAFE else ""
    return Said(f"{what} is closed without a field or a body.", title, applicability, note=note)
