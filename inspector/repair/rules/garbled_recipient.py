r"""A recipient is quoted, split or run together with junk.

## What it does

Finds a recipient that is not written as `to=NAME`: in quotes or brackets, as `to:NAME`, or with a marker
between `to=` and the name.

## Why is this bad

A strict parser accepts anything without blanks as a recipient. A server then looks for a tool called
`"functions.search"`, quotes included, or `<|constrain|>functions.get_weather`, and finds none.

## Example

```text
<|channel|>commentary to="functions.search" <|constrain|>json<|message|>{"q":"x"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.search <|constrain|>json<|message|>{"q":"x"}<|call|>
```

## Fix safety

Safe when only quotes, brackets and markers are taken off the name. Unsafe when the name is cut out of more.

## Where it was seen

In vllm-project/vllm#25003, where the marker between `to=` and the name made a test of gpt-oss-20b flaky.
Quotes are known from descriptions only.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, plain_name

RULE: Final = Rule(
    "HS206",
    "garbled-recipient",
    Severity.ERROR,
    BREAKS,
    "A recipient is quoted, split or run together with junk",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """How it is written, and the name in it."""
    value, kept = problem.data["value"], problem.data["kept"]
    clean = plain_name(value) == kept
    return Said(
        # It often holds quotes itself, so it goes without ours.
        f"The recipient is written as {quote(value)[1:-1]}.",
        f"Write it as {quote('to=' + kept)[1:-1]}",
        Applicability.SAFE if clean else Applicability.UNSAFE,
        note="" if clean else "The name ends where no name of a tool could go on.",
    )
