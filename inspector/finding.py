"""What a rule says: diagnostics, their fixes, and the rule's own documentation."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from .tokens import Change, Edit, Span


class Severity(StrEnum):
    """How bad: an error loses or alters something, a warning deserves a look, info is only told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """2 for errors, 1 for warnings, 0 for info."""
        return _RANKS[self]


_RANKS: Final = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}


class Effect(StrEnum):
    """What the defect does. The three classes are never mixed: each diagnostic has exactly one.

    RAISES: a strict parser raises on it. MISREADS: strict parsers accept it with a wrong reading. DRIFTS: it
    is read rightly, but the next prompt will differ from what was emitted.
    """

    RAISES = "raises"
    MISREADS = "misreads"
    DRIFTS = "drifts"


class Applicability(StrEnum):
    """SAFE: the meaning is certain. UNSAFE: a choice was made. DISPLAY: only shown, no edit."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding.

    ``changes`` may begin and end inside tokens and compose with those of other fixes; ``edits`` are the token
    edits that carry out this fix alone (sorted, non-overlapping), for display and for the record.
    """

    title: str
    applicability: Applicability
    changes: tuple[Change, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A rule's finding in one transcript.

    Attributes:
        code, name: the rule's ("HS201", "duplicate-channel"); codes are stable.
        severity, effect: see the enums.
        message: one sentence for a person.
        span: the tokens it is about, ``[start, end)``; empty spans point between two tokens.
        fix: the default fix, or None when there is nothing to mend by itself.
        alternatives: other readings, each with its reason in the title; none of them is applied by itself.
        key: identity within the transcript ("HS201@15"), what a switch is named by.
        note: a second sentence, where a choice was made: why the default is the default.
    """

    code: str
    name: str
    severity: Severity
    effect: Effect
    message: str
    span: Span
    fix: Fix | None = None
    alternatives: tuple[Fix, ...] = ()
    key: str = ""
    note: str = ""


SECTIONS: Final = (
    "What it does",
    "Why is this bad",
    "Example",
    "Repaired",
    "Fix safety",
    "Where it was seen",
)
"""The sections that every rule's documentation has, in order."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's card. Its documentation is the docstring of the module that defines it.

    ``effects`` names the classes that its findings can have; ``summary`` is one line for lists.
    """

    code: str
    name: str
    severity: Severity
    effects: tuple[Effect, ...]
    summary: str
    module: str
    family: str = ""
    _cache: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def documentation(self) -> str:
        """The module's docstring: Markdown with the sections of :data:`SECTIONS`."""
        return (sys.modules[self.module].__doc__ or "").strip()

    @property
    def sections(self) -> Mapping[str, str]:
        """The documentation by section title."""
        if not self._cache:
            parts = re.split(r"^## ++(.+)$", self.documentation, flags=re.MULTILINE)
            self._cache.update(
                {title.strip(): body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}
            )
        return self._cache
