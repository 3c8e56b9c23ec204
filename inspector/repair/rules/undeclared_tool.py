r"""A call of a tool that was not declared.

## What it does

Finds calls of functions that are not among the declared tools, where those are known: from a developer message
or given with the transcript. Built-in tools are not checked.

## Why is this bad

Nobody can run it. SGLang drops such a call; vLLM passes it on and leaves it to the client.

## Example

```text
<|start|>developer<|message|>namespace functions {
type read = (_: {path: string}) => any;
} // namespace functions<|end|><|start|>assistant to=functions.write<|channel|>commentary json<|message|>{}<|call|>
```

## Repaired

It is left as it is: which tool was meant is not known.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of the harness kryon, where gpt-oss calls `container.exec` although it was never offered, and in an
API bridge's tests (`toolu_mrt95z37`, the id of a call where its name belongs).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import listed

RULE: Final = Rule(
    "HS410",
    "undeclared-tool",
    Severity.WARNING,
    (Effect.MISREADS,),
    "A call of a tool that was not declared",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which tool, and which ones there are."""
    declared = problem.data["declared"]  # one sequence for all of a transcript's findings
    tools = "the only declared tool is" if len(declared) == 1 else "the declared tools are"
    return Said(f"{quote(problem.data['value'])} is not declared; {tools} {listed(declared, quote)}.")
