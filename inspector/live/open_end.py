"""What can be said of a transcript that still grows: everything but what its next token may put right."""

from __future__ import annotations

from dataclasses import replace

from ..harmony.verdict import Verdict
from ..inspection import Inspection, inspect
from ..tokens import Transcript


def so_far(transcript: Transcript) -> Inspection:
    """The inspection of a transcript that is not over.

    Its last message is open, so whatever reaches the end is left out: findings, their fixes, and errors of the kind
    "unexpected end". What lies before the end stays as it is, whatever comes.
    """
    count = len(transcript.ids)
    first = inspect(transcript)
    at_end = {found.key for found in first.diagnostics if found.span.end >= count}
    found = inspect(transcript, off=at_end, known=first) if at_end else first
    repair = found.repair
    if repair.error is not None and repair.error.token >= len(repair.ids):
        repair = replace(repair, ok=True, error=None)
    return replace(
        found,
        strict=tuple(_open(verdict, count) for verdict in found.strict),
        diagnostics=tuple(d for d in found.diagnostics if d.key not in at_end),
        repair=repair,
        finish=replace(found.finish, findings=()),
    )


def _open(verdict: Verdict, count: int) -> Verdict:
    """The verdict without an error that is only about the end."""
    error = verdict.error
    if error is None or error.token < count:
        return verdict
    return replace(verdict, error=None)
