r"""A message follows ``<|return|>``.

## What it does

Finds a message of the assistant behind one that `<|return|>` has closed.

## Why is this bad

`<|return|>` ends the turn. A server stops there, so nobody is shown what follows; a parser of the whole output
reads it as more messages. On the next turn `<|end|>` stands in place of `<|return|>`, if the message comes back
at all.

## Example

```text
<|channel|>final<|message|>Done.<|return|><|start|>assistant<|channel|>final<|message|>Done again.<|return|>
```

## Repaired

It is left as it is: each of the messages is read rightly.

## Fix safety

There is nothing to apply.

## Where it was seen

With `ignore_eos`, in the tests of Rebellions' vllm-rbln. It is normal in training data that joins several
completions.
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said

RULE: Final = Rule(
    "HS408",
    "turn-after-return",
    Severity.WARNING,
    (Effect.DRIFTS,),
    "A message follows <|return|>",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """The turn was over."""
    return Said("This message follows <|return|>, which had ended the turn.")
