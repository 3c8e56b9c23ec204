r"""A header holds a space other than the ordinary one.

## What it does

Finds no-break, narrow, ideographic and other Unicode spaces in a header.

## Why is this bad

Strict parsers end a channel at any white space, but split the rest of the header at ASCII white space only. So
behind the channel an odd space may pass, while inside the rest it glues recipient and content type into one
word.

## Example

The space before `<|constrain|>` is U+202F, a narrow no-break space:

```ids
[200005, 12606, 815, 316, 28, 44580, 775, 170154, 35971, 200003, 4108, 200008, 10848, 7693, 7534, 15097, 746, 18583, 200012]
```

## Repaired

```text
<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"location":"Oslo"}<|call|>
```

## Fix safety

Safe: a space is a space.

## Where it was seen

In a comment on ggml-org/llama.cpp#15181, which says that gpt-oss writes Unicode spaces.
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS, code_point, listed

RULE: Final = Rule(
    "HS305",
    "odd-space",
    Severity.ERROR,
    BREAKS,
    "A header holds a space other than the ordinary one",
    __name__,
    "text",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which spaces, by code point."""
    value = problem.data["value"]
    return Said(
        f"This header holds {listed(value, code_point)} where an ordinary space belongs.",
        "Write an ordinary space",
    )
