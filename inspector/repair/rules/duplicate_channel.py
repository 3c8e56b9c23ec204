r"""A header has several channels.

## What it does

Finds a second `<|channel|>` section with a known channel in one header. A word in a channel slot that is no
channel is another matter ([HS202](HS202.md), [HS222](HS222.md)).

## Why is this bad

openai-harmony up to 0.0.8 cuts out one section only. From a second message on, the other becomes part of the
role: `Unknown role: assistant<|channel|>commentary`. In a first message, where the prompt gave the role, it
becomes part of the recipient instead, without an error, and clients receive tool names such as
`functions.bash<|channel|>commentary`. oss-harmony 0.0.10 and later keep the first channel; llama.cpp keeps
the last, so the same tokens are hidden by one server and shown by another.

## Example

```text
<|channel|>analysis<|channel|>commentary<|message|>I will run the test suite now.<|end|>
```

## Repaired

```text
<|channel|>analysis<|message|>I will run the test suite now.<|end|>
```

## Fix safety

Safe when all sections name the same channel. Otherwise unsafe: the first one wins, as oss-harmony reads it,
and keeping the last is offered as an alternative.

## Where it was seen

In 124 of the 190 strict errors that openai/harmony#114 counted over an agent's runs, in
vllm-project/vllm#31677 (glued to the recipient) and in ggml-org/llama.cpp#21286 and #27720, where gpt-oss-20b
puts a stray commentary section before its real header.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said, quote
from ._wording import BREAKS, is_call, listed

RULE: Final = Rule(
    "HS201",
    "duplicate-channel",
    Severity.ERROR,
    BREAKS,
    "A header has several channels",
    __name__,
    "header",
)


_AUDIENCE: Final = {
    "analysis": "hidden as reasoning",
    "commentary": "shown to the user as a preamble",
    "final": "shown to the user as the answer",
}


def explain(problem: Problem, transcript: Transcript) -> Said:
    """Which channels, which one is kept, and whether keeping the last would show the user something else."""
    values = list(problem.data["values"])
    kept, last = problem.data["kept"], problem.data["last"]
    sections = "second channel section" if len(values) == 2 else f"{len(values) - 1} further channel sections"
    if len(set(values)) == 1:
        times = "twice" if len(values) == 2 else f"{len(values)} times"
        return Said(f"The header names the channel {quote(kept)} {times}.", f"Remove the {sections}")
    message = f"The header names {len(values)} channels: {listed(values, quote)}."
    note = "The first one wins, as oss-harmony 0.0.10 and later read it; llama.cpp keeps the last."
    if last == kept:
        note = "The first and the last section agree, so oss-harmony and llama.cpp read the same."
        return Said(message, f"Remove the {sections}", Applicability.UNSAFE, note=note)
    outcome = f"the text would be {_AUDIENCE.get(last, 'on an unknown channel')}"
    if is_call(problem, transcript):
        outcome = f"the call would stand on {last}"
        note += " It is a tool call on either channel, but some servers look for calls on commentary only."
    elif "analysis" in (kept, last):
        note += " The two differ in what a user would be shown: analysis is hidden reasoning, "
        note += f"{last if kept == 'analysis' else kept} is shown."
    return Said(
        message,
        f"Remove the {sections}",
        Applicability.UNSAFE,
        alternatives=(f"Keep the last one, {last} (llama.cpp's rule): {outcome}",),
        note=note,
    )
