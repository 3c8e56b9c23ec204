"""All findings of an inspection, counted and ordered: what exit codes and summaries are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ..finding import Severity

if TYPE_CHECKING:
    from ..finding import Diagnostic
    from ..inspection import Inspection


SEVERITY_STYLES: Final = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFO: "bold cyan",
}
"""How a terminal shows them; the word always stands there too."""


def findings(inspection: Inspection) -> tuple[Diagnostic, ...]:
    """The diagnostics, then the findings about finish reasons that are not among them."""
    known = {(found.key, found.code, found.span) for found in inspection.diagnostics}
    extra = [f for f in inspection.finish.findings if (f.key, f.code, f.span) not in known]
    return (*inspection.diagnostics, *extra)


def worst(found: Iterable[Diagnostic]) -> Severity | None:
    """The gravest severity, or None when nothing was found."""
    return max((f.severity for f in found), key=lambda s: s.rank, default=None)


def counted(found: Iterable[Diagnostic]) -> str:
    """``"2 errors, 1 warning"``, or ``"no findings"``."""
    counts = Counter(f.severity for f in found)
    parts = []
    for severity in sorted(counts, key=lambda s: -s.rank):
        word = "note" if severity is Severity.INFO else str(severity)
        parts.append(plural(counts[severity], word))
    return ", ".join(parts) or "no findings"


def gravest(found: Sequence[Diagnostic], limit: int | None) -> list[Diagnostic]:
    """At most ``limit`` findings, the gravest first chosen, in the order in which they were given."""
    if limit is None or len(found) <= limit:
        return list(found)
    order = sorted(range(len(found)), key=lambda i: (-found[i].severity.rank, i))
    return [found[i] for i in sorted(order[:limit])]


def plural(count: int, word: str, many: str | None = None) -> str:
    """``"1 message"``, ``"1,200 messages"``; ``many`` where the plural is not made by an s."""
    return f"{count:,} {word if count == 1 else many or word + 's'}"
