"""What a worker may take, and what is said when it wanted more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why work was cut off."""

    LATE = "late"
    MEMORY = "memory"
    LARGE = "large"
    CRASHED = "crashed"
    BUSY = "busy"
    LEFT = "left"


class CutOff(Exception):
    """Work that was not finished.

    Attributes:
        reason: why.
        words: the reason as the end of a sentence: "it took more than 5 s".
    """

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words

    def __reduce__(self) -> tuple[type[CutOff], tuple[Reason, str]]:
        return CutOff, (self.reason, self.words)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may take.

    Attributes:
        memory: bytes of data (heap and private mappings). Linux holds a process to it. Elsewhere nothing does: there
            the deadline and the budgets on what is read are what holds.
        answer: bytes of an answer. Reading it is the one part of the work that is done here.
        patience: seconds that a request waits for a free worker.
        loading: seconds in which a worker has to be ready.
    """

    memory: int = 2**30
    answer: int = 2**26
    patience: float = 30.0
    loading: float = 60.0
