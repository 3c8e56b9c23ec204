r"""A header that no other rule could mend.

## What it does

This is the last resort: when every other fix has been made and a strict parser still raises, what it raises
on is rewritten from the fields that could be read, or taken out where none could.

## Why is this bad

The strict parser raises on it, and loses every message of the output.

## Example

There is none by intent: what is known to break has a rule of its own. If you meet this rule, the transcript
shows a combination that nobody has thought of, and is worth a report.

## Repaired

The header is written anew in its canonical form, with the role, channel, recipient and content type that were
read; tokens that belong to no message are removed.

## Fix safety

Unsafe: what could not be understood is taken out, so that the messages around it can be read.

## Where it was seen

Nowhere yet: only random input is expected to get this far.
"""

from __future__ import annotations

from typing import Final

from ...finding import Applicability, Rule, Severity
from ...harmony.problem import Problem
from ...tokens import Transcript
from ..said import Said
from ._wording import BREAKS

RULE: Final = Rule(
    "HS199",
    "unreadable-header",
    Severity.ERROR,
    BREAKS,
    "A header that no other rule could mend",
    __name__,
    "framing",
)


def explain(problem: Problem, transcript: Transcript) -> Said:
    """The generic sentence of the last resort."""
    return Said(
        "A strict parser still raises here after every other fix.",
        "Rewrite it from the fields that could be read",
        Applicability.UNSAFE,
        note="What could not be understood is taken out, so that the messages around it can be read.",
    )
