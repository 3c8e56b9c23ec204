"""The state of a reading: nodes and problems so far, and how findings in a header become problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..tokens import Change, Scan, Span, Transcript, WideText
from .names import names_in
from .problem import Problem
from .settle import Finding, Resolved
from .tree import Field, FieldKind, HeaderFields, Node
from .words import Names

_FIELD_KINDS = {
    "role": FieldKind.ROLE,
    "name": FieldKind.NAME,
    "channel": FieldKind.CHANNEL,
    "recipient": FieldKind.RECIPIENT,
    "content_type": FieldKind.CONTENT_TYPE,
}

_LEAKS: Final = frozenset({"missing-channel-marker", "text-leak", "look-alike-marker"})

Origin = Callable[..., int]


class State:
    """What a reader has found so far."""

    def __init__(self, transcript: Transcript, scan: Scan) -> None:
        self.transcript = transcript
        self.scan = scan
        self.ids = transcript.ids
        self.count = len(self.ids)
        self.specials = scan.specials
        self.nodes: list[Node] = []
        self.problems: list[Problem] = []
        self.leaky = False  # markers were seen to be missing: words may be glued together
        self._names: Names | None = None

    @property
    def names(self) -> Names:
        """Tool names known in this transcript; looked up only when a header is in doubt."""
        if self._names is None:
            self._names = names_in(self.transcript, self.scan)
        return self._names

    def _report(self, finding: Finding, origin: object, wide: WideText) -> None:
        lead = origin
        assert callable(lead)

        def changes(rewrites: list[tuple[int, int, str]]) -> tuple[Change, ...]:
            out = []
            for start, end, text in rewrites:
                if start == end:
                    # An insertion behind a piece stays with the piece, not with the dirt that follows it.
                    place = wide.position(lead(start, end=True) if start else 0)
                    out.append(Change(place, place, text))
                else:
                    out.append(Change(wide.position(lead(start)), wide.position(lead(end, end=True)), text))
            return tuple(out)

        span = wide.span(lead(finding.start), lead(finding.end, end=True)) if finding.end > finding.start else None
        if span is None:
            token = wide.position(lead(finding.start)).token
            span = Span(token, token)
        self.leaky = self.leaky or finding.kind in _LEAKS
        alternatives = tuple((reason, changes(rewrites)) for reason, rewrites in finding.alternatives)
        self.problems.append(
            Problem(finding.kind, span, len(self.nodes), changes(finding.rewrites), alternatives, finding.data)
        )

    def _problem(
        self,
        kind: str,
        start: int,
        end: int,
        changes: list[Change],
        alternatives: tuple[tuple[str, tuple[Change, ...]], ...] = (),
        **data: object,
    ) -> None:
        self.leaky = self.leaky or kind in _LEAKS
        self.problems.append(Problem(kind, Span(start, end), len(self.nodes), tuple(changes), alternatives, data))


def fields_of(resolved: Resolved, wide: WideText, origin: object) -> HeaderFields:
    assert callable(origin)
    fields = []
    for kind, piece in sorted(resolved.used, key=lambda pair: pair[1].start):
        start, end = origin(piece.start), origin(piece.end, end=True)
        span = wide.span(start, end)
        fields.append(
            Field(_FIELD_KINDS[kind], piece.value, span.start - wide.first, span.end - wide.first, start, end)
        )
    return HeaderFields(
        resolved.role,
        resolved.name,
        resolved.channel,
        resolved.recipient,
        resolved.content_type,
        tuple(fields),
    )
