"""Where the next prompt differs from what was emitted, and why."""

from __future__ import annotations

from dataclasses import dataclass

from ..tokens import Span


@dataclass(frozen=True, slots=True)
class Drift:
    """An aligned difference.

    Attributes:
        cause: name of the cause ("header-order", ...), one of the rules of the family "next prompt".
        code: that rule's code.
        emitted: tokens of the transcript that were emitted; empty where the prompt has something new.
        reencoded: tokens of the next prompt; empty where something is gone.
        message: one sentence for a person.
    """

    cause: str
    code: str
    emitted: Span
    reencoded: Span
    message: str


@dataclass(frozen=True, slots=True)
class NextPrompt:
    """The messages as the tokens of the next turn's prompt, beside what was emitted.

    Attributes:
        style: who renders, "openai-harmony 0.0.8", "oss-harmony 0.0.11" or "vLLM 0.32".
        ids: the prompt's tokens.
        drift: every difference, in order of place; empty when the prompt repeats the transcript.
        error: why there is no prompt (a poisoned history that the renderer refuses), else None.
    """

    style: str
    ids: tuple[int, ...]
    drift: tuple[Drift, ...]
    error: str | None = None
