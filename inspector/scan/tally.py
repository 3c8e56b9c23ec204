"""What one inspection adds to the counts: small enough to be sent between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..finding import Severity

if TYPE_CHECKING:
    from ..inspection import Inspection

LONGEST_TEXT: Final = 10_000
"""An error text can be as long as the header that caused it; beyond this many characters it is cut."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one transcript counts for.

    Attributes:
        asked: the releases that gave a strict verdict.
        strict: (release, error text) of each strict parse that failed.
        rules: (code, name, severity, number of findings) of each rule that found something, finish rules
            included.
        worst: the severity of the worst finding, or None.
    """

    asked: tuple[str, ...] = ()
    strict: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str, str, int], ...] = ()
    worst: Severity | None = None


def tally(inspection: Inspection) -> Tally:
    """Count one inspection."""
    verdicts = [v for v in inspection.strict if v.mode == "strict"]
    # A finish finding may be listed among the diagnostics as well: it counts once.
    found = {(d.code, d.key, d.span): d for d in (*inspection.diagnostics, *inspection.finish.findings)}
    counts: dict[tuple[str, str], int] = {}
    severities: dict[tuple[str, str], Severity] = {}
    for diagnostic in found.values():
        rule = (diagnostic.code, diagnostic.name)
        counts[rule] = counts.get(rule, 0) + 1
        known = severities.get(rule)
        if known is None or diagnostic.severity.rank > known.rank:
            severities[rule] = diagnostic.severity
    return Tally(
        asked=tuple(v.release for v in verdicts),
        strict=tuple((v.release, _bounded(v.error.text)) for v in verdicts if v.error is not None),
        rules=tuple((*rule, str(severities[rule]), counts[rule]) for rule in sorted(counts)),
        worst=max(severities.values(), key=lambda s: s.rank, default=None),
    )


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"
