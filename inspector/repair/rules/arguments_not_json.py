r"""The arguments of a call are not a JSON object.

## What it does

Finds calls whose header says `json`, or says nothing, and whose body is no JSON object: cut off, with a bracket
too many, or plain text. Built-in tools such as `python` take any text unless the header says otherwise.

## Why is this bad

Messages are passed on as they are, so no parser raises. The client that reads the arguments does, or the server
drops the call. Ollama fails the request; vLLM passes the text on raw.

## Example

```text
<|channel|>commentary to=functions.apply_patch <|constrain|>json<|message|>{"input":"*** End Patch"}]<|call|>
```

## Repaired

It is left as it is: arguments are what the model said to the tool, and mending them would say something else.

## Fix safety

There is nothing to apply.

## Where it was seen

In ollama/ollama#17638 (a bracket too many), lmstudio-ai/lmstudio-bug-tracker#942 (one brace short) and the tests
of ai-dynamo/dynamo (a string that is not closed).
"""

from __future__ import annotations

from typing import Final

from ...finding import Effect, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote

RULE: Final = Rule(
    "HS402",
    "arguments-not-json",
    Severity.WARNING,
    (Effect.MISREADS,),
    "The arguments of a call are not a JSON object",
    __name__,
    "body",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Whose arguments, and whether they are cut off."""
    recipient = quote(problem.data["recipient"])
    if problem.data.get("cut"):
        return Said(f"The arguments for {recipient} are cut off before their JSON is complete.")
    if problem.data.get("stated"):
        return Said(f"The arguments for {recipient} are not a JSON object, although the header says json.")
    return Said(f"The arguments for {recipient} are not the JSON object that a function expects.")
