"""What a strict parse gives: messages, or the error with its place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..tokens import Span
from .message import Message


class Dialect(StrEnum):
    """How a release reads and writes headers. All published releases fall into two groups.

    FIRST_ONLY: openai-harmony up to 0.0.8 and oss-harmony 0.0.9 cut out one channel section only.
    ALL_CHANNELS: oss-harmony 0.0.10 and later cut out every further one too and keep the first value.
    """

    FIRST_ONLY = "first-only"
    ALL_CHANNELS = "all-channels"


@dataclass(frozen=True, slots=True)
class StrictError:
    """Where and how a strict parser breaks.

    Attributes:
        text: the library's message, to the letter.
        token: the index of the token at which it is raised; ``len(ids)`` when raised at the end.
        cause: our own, narrower span of what is to blame.
        kind: "E1" to "E8", the eight kinds of error that the parser has.
    """

    text: str
    token: int
    cause: Span
    kind: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One release's reading of one transcript.

    Attributes:
        release: its name, "oss-harmony 0.0.11".
        mode: "strict" or "lenient" (``strict=False``).
        messages: all of them when accepted; those completed before the error otherwise (the library itself
            returns none then).
        error: the first error, or None when accepted.
        later: what would break next once the errors before it are mended, in order.
        source: "model" when predicted by our own model, "native" when the library itself said it.
    """

    release: str
    mode: str
    messages: tuple[Message, ...]
    error: StrictError | None
    later: tuple[StrictError, ...] = ()
    source: str = "model"

    @property
    def ok(self) -> bool:
        """True when the release accepts the transcript."""
        return self.error is None
