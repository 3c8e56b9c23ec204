r"""A content type is misspelt or has something glued to it.

## What it does

Finds a word behind `<|constrain|>` that holds a known content type and a few characters more: `fjson`,
`json?`, `jsonjson`.

## Why is this bad

Strict parsers accept any content type, without an error. A parser that looks for `<|constrain|>json` does not
find it and drops the call; others pass the arguments on without reading them as JSON.

## Example

```text
<|channel|>commentary to=functions.read <|constrain|>fjson<|message|>{"path":"a"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.read <|constrain|>json<|message|>{"path":"a"}<|call|>
```

## Fix safety

Safe when only punctuation is taken off. Unsafe when letters are.

## Where it was seen

In an OpenCode proxy's tests, which hold degenerate output of a hosted gpt-oss
(`<|constrain|>?<|constrain|>fjson`).
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS219",
    "garbled-content-type",
    Severity.ERROR,
    BREAKS,
    "A content type is misspelt or has something glued to it",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """How it is written, and which content type it is."""
    value, kept = problem.data["value"], problem.data["kept"]
    same = "".join(c for c in value if c.isalpha()) == kept
    return Said(
        f"{quote(value)} is no content type, but holds {quote(kept)}.",
        f"Make the content type {kept}",
        Applicability.SAFE if same else Applicability.UNSAFE,
        note="" if same else "No other content type is as close.",
    )
