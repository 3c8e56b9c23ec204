r"""A content type is glued to the word before it.

## What it does

Finds `json`, `code` or `response` at the end of a recipient (`to=functions.readjson`) where the name without
it is known, or where markers have been lost on the way, so that words run together.

## Why is this bad

Strict parsers accept the recipient as it is. A server looks for a tool called `readjson`, finds none, and the
call fails or is dropped.

## Example

```text
<|start|>assistant to=functions.read<|channel|>commentary json<|message|>{"path":"a"}<|call|><|start|>assistant to=functions.readjson<|channel|>commentary<|message|>{"path":"b"}<|call|>
```

## Repaired

```text
<|start|>assistant to=functions.read<|channel|>commentary json<|message|>{"path":"a"}<|call|><|start|>assistant to=functions.read json<|channel|>commentary<|message|>{"path":"b"}<|call|>
```

## Fix safety

Unsafe: there might be a tool whose name ends in these letters, if none by that name is declared.

## Where it was seen

In a live leak of gpt-oss-20b that a leak scrubber's tests keep (`to=functions.message_agentjson`), and in the
tests of the agent legba (`to=functions.fs_readjson`).
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS

RULE: Final = Rule(
    "HS221",
    "glued-content-type",
    Severity.ERROR,
    BREAKS,
    "A content type is glued to the word before it",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which type."""
    value = problem.data["value"]
    return Said(
        f"The content type {quote(value)} is glued to the word before it.",
        f"Insert a blank before {quote(value)}",
        Applicability.UNSAFE,
        note="The name without it is known, or markers were lost elsewhere in this output.",
    )
