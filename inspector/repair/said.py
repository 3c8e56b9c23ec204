"""What a rule module says about a problem that the reader found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..finding import Applicability, Rule, Severity
from ..harmony.problem import Problem
from ..tokens import Transcript, printable, special_text, vocabulary


@dataclass(frozen=True, slots=True)
class Said:
    """A rule's words for one problem.

    Attributes:
        message: one sentence for a person, what is wrong here.
        title: what the default fix does, in the imperative.
        applicability: of the default fix.
        severity: when this finding is not as bad as its rule usually is.
        alternatives: one title with its reason for each of the problem's other readings.
        note: why the default is the default, where a choice was made.
    """

    message: str
    title: str = ""
    applicability: Applicability = Applicability.SAFE
    severity: Severity | None = None
    alternatives: tuple[str, ...] = ()
    note: str = ""


class RuleModule(Protocol):
    """A module in :mod:`inspector.repair.rules`: a card and the words for its problems."""

    @property
    def RULE(self) -> Rule:
        """The rule's card."""

    def explain(self, problem: Problem, transcript: Transcript) -> Said:
        """The rule's words for one problem."""


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quote(value: Any, limit: int = 60) -> str:
    """Text or ids from a transcript, for a sentence: printable, quoted, cut at ``limit`` characters."""
    text = printable(value[: limit + 1]) if isinstance(value, str) else show_ids(value)
    text = "".join(c if c.isprintable() else _ESCAPES.get(c) or f"\\u{ord(c):04x}" for c in text)
    return f'"{text}"' if len(text) <= limit else f'"{text[: limit - 1]}…"'


def show_ids(ids: Sequence[int]) -> str:
    """Tokens as text: specials as they are printed, unknown ids as ``<id N>``."""
    parts: list[str] = []
    run: list[int] = []
    for token in ids[:200]:
        if 0 <= token < 199998:
            run.append(token)
            continue
        parts.append(vocabulary().decode(run))
        run = []
        parts.append(special_text(token) if 199998 <= token < 201089 else f"<id {token}>")
    parts.append(vocabulary().decode(run))
    return "".join(parts)
