r"""A marker in a header is followed by nothing.

## What it does

Finds `<|channel|>` or `<|constrain|>` in a header without a value behind it.

## Why is this bad

An empty first `<|channel|>` raises `channel marker present but no channel value found in header`. A later one
is glued to the recipient by openai-harmony 0.0.8 (`functions.webfetch<|channel|>`); an empty `<|constrain|>`
is taken for a recipient or a content type.

## Example

```text
<|channel|>commentary to=functions.webfetch<|channel|><|message|>{"url":"https://example.org"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.webfetch<|message|>{"url":"https://example.org"}<|call|>
```

## Fix safety

Safe: a marker without a value says nothing.

## Where it was seen

In tenstorrent/vllm#386, in an agent's development log, where the tool was called `webfetch<|channel|>commentary<|channel|>`, and in an
OpenCode proxy's tests (`<|constrain|>?<|constrain|>fjson`).
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS218",
    "empty-marker",
    Severity.ERROR,
    BREAKS,
    "A marker in a header is followed by nothing",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which marker."""
    name = "<|constrain|>" if problem.data["value"] == "constrain" else "<|channel|>"
    return Said(f"No value follows this {name}.", f"Remove the empty {name}")
