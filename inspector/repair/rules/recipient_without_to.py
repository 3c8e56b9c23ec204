r"""A tool is named without to=.

## What it does

Finds a tool's name that stands behind `<|constrain|>`, or alone among the words of a header that names no
recipient otherwise.

## Why is this bad

What strict parsers make of it hangs on the other words: behind `<|constrain|>` the name is taken for a
recipient `<|constrain|>functions.get_time` or for the content type. Parsers that look for `to=` find no call
at all, and the agent waits for nothing.

## Example

```text
<|channel|>commentary <|constrain|>functions.get_time<|message|>{"tz":"UTC"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.get_time<|message|>{"tz":"UTC"}<|call|>
```

## Fix safety

Unsafe: the word is believed to be the recipient because it has a namespace, is a known tool, or is the only
word in what is clearly a call. A name that stands nowhere is never invented.

## Where it was seen

In a comment of a C++ server for gpt-oss, which lists it as one of two forms that the model writes, and in an
agent whose calls said `to=assistant plan_approve`.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS207",
    "recipient-without-to",
    Severity.ERROR,
    BREAKS,
    "A tool is named without to=",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which word."""
    value, kept = problem.data["value"], problem.data["kept"]
    return Said(
        f"{quote(value)} names a tool, but without to= it is no recipient.",
        f"Write it as {quote('to=' + kept)[1:-1]}",
        Applicability.UNSAFE,
        note="It is read as the recipient because the header names no other and the word can be a tool's name.",
    )
