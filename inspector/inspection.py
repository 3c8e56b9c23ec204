"""The facade: one call that reads, judges, repairs and re-encodes a transcript.

    >>> from inspector import inspect
    >>> found = inspect("<|channel|>final <|constrain|>json<|message|>{}<|return|>")
    >>> found.strict[0].ok
    True
"""

from __future__ import annotations

from dataclasses import dataclass

from .finding import Diagnostic
from .harmony.message import Message
from .harmony.tree import Tree
from .harmony.verdict import StrictError, Verdict
from .prompt.drift import NextPrompt
from .serving.finish import Finish
from .tokens import Edit, Transcript


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """An edit of the repair with the diagnostics that asked for it (several when they share a token)."""

    edit: Edit
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """The transcript after the fixes that are on.

    ``ok`` says whether the newest release's strict parse accepts it and ``error`` why not; ``messages`` is
    our reading of it; ``edits`` are relative to the original transcript.
    """

    ids: tuple[int, ...]
    ok: bool
    error: StrictError | None
    messages: tuple[Message, ...]
    edits: tuple[AppliedEdit, ...]
    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything that is known about one transcript; a plain value."""

    transcript: Transcript
    tree: Tree
    strict: tuple[Verdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    repair: Repair
    next_prompt: NextPrompt | None
    finish: Finish
