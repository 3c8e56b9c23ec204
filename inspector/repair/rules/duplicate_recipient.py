r"""A header has several recipients.

## What it does

Finds more than one `to=` in a header: before and behind the channel, the same one again, or `to=assistant`
beside a tool.

## Why is this bad

A strict parser knows one recipient: `unexpected tokens remaining in message header:
Some("to=functions.bash")`. The call is lost. vLLM met it when its prompts began to show the recipient
behind the channel: the model then wrote it in both places.

## Example

```text
 to=functions.bash<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"ls"}<|call|>
```

## Repaired

```text
<|channel|>commentary to=functions.bash <|constrain|>json<|message|>{"cmd":"ls"}<|call|>
```

## Fix safety

Safe when all of them are the same. Otherwise unsafe: a tool wins against `assistant`, and of several tools
the one closest to `<|message|>`.

## Where it was seen

Among 24 strict errors that openai/harmony#114 counted, `Some("to=functions.bash")`, which a second recipient
and a second content type cause alike, and in an agent's log where `to=functions.apply_patch` was repeated until
generation was stopped.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, listed

RULE: Final = Rule(
    "HS205",
    "duplicate-recipient",
    Severity.ERROR,
    BREAKS,
    "A header has several recipients",
    __name__,
    "header",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which recipients, and which one is kept."""
    values, kept = list(problem.data["values"]), problem.data["kept"]
    if len(set(values)) == 1:
        times = "twice" if len(values) == 2 else f"{len(values)} times"
        return Said(f"The header names the recipient {quote(kept)} {times}.", "Name it only once")
    return Said(
        f"The header names {len(values)} recipients: {listed(values, quote)}.",
        f"Keep {quote(kept)} only",
        Applicability.UNSAFE,
        note="A tool wins against a recipient that is none; of several tools, the last one named.",
    )
