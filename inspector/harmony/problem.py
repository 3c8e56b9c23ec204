"""What the reader stumbled over. Rules turn problems into diagnostics; a problem itself judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..tokens import Change, Span


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where the tokens do not say what the grammar wants.

    Attributes:
        kind: name of the rule that explains it ("duplicate-channel").
        span: the tokens it is about.
        node: index of the tree's node.
        changes: what would mend it, the default reading; empty when nothing can or should.
        alternatives: other readings as (reason, changes).
        data: what the rule's sentence needs ("value", "kept", ...).
    """

    kind: str
    span: Span
    node: int
    changes: tuple[Change, ...] = ()
    alternatives: tuple[tuple[str, tuple[Change, ...]], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
