r"""The model wrote a tool's answer itself.

## What it does

Finds messages of a tool among the tokens that the model sampled. Where the origin of the tokens is not
recorded, everything behind the prompt counts as sampled.

## Why is this bad

It parses without an error, and the conversation goes on as if the tool had been run. Whoever trains on it, or
scores it, takes an invented result for a real one.

## Example

```text
<|channel|>commentary to=python<|message|>1+1<|call|><|start|>python to=assistant<|channel|>commentary<|message|>3<|end|>
```

## Repaired

It is left as it is: the tokens are well-formed. What to do with everything behind the call is for whoever runs
the tools to say.

## Fix safety

There is nothing to apply.

## Where it was seen

In the tests of an OpenCode proxy and of Ollama. It happens when generation is not stopped at `<|call|>`.
"""  # noqa: E501

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS407",
    "imagined-tool-result",
    Severity.WARNING,
    (Effect.MISREADS,),
    "The model wrote a tool's answer itself",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whose answer."""
    name = problem.data.get("value")
    return Said(f"The model wrote the answer of {quote(name) if name else 'a tool'} itself.")
