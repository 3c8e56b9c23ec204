r"""The markers were lost and their words left behind.

## What it does

Finds output whose special tokens were stripped, so that roles and channels run into the text:
`analysisThe user asks.assistantfinalHello!`. It is split where a role is glued to a channel
(`assistantfinal`) or a recipient stands between the two and JSON. The mere words "analysis" or "final" prove
nothing, and neither does a quoted `assistantfinal`.

## Why is this bad

It has no markers, so it is one endless header: `Unexpected EOS while waiting for message header to complete`.
Servers that return it as it is show the user the model's reasoning.

## Example

```text
analysisUser greets us. Be polite.assistantfinalHello! How can I help?
```

## Repaired

```text
<|channel|>analysis<|message|>User greets us. Be polite.<|end|><|start|>assistant<|channel|>final<|message|>Hello! How can I help?
```

## Fix safety

Unsafe: the markers are put back where the words tell of them. Text without such words is not split, even
where the eye sees a seam, and a tool's name that is gone stays gone.

## Where it was seen

In oobabooga/textgen#7374, Augustas11/macprovider#743, waybarrios/vllm-mlx#562, in the tests of SGLang and
legba, and in a leak scrubber for gpt-oss-20b. It happens when text is decoded with `skip_special_tokens=True`.
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, counted, inserted

RULE: Final = Rule(
    "HS302",
    "text-leak",
    Severity.ERROR,
    BREAKS,
    "The markers were lost and their words left behind",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """How the text begins, and how many headers are put back."""
    headers = max(1, inserted(problem).count("<|message|>"))
    return Said(
        f"The text {quote(problem.data['value'][:100], 40)} has lost its markers, but not the words of its headers.",
        f"Put the markers of {counted(headers, 'message')} back",
        Applicability.UNSAFE,
        note="It is split only where a role is glued to a channel, or a recipient to its arguments.",
    )
