"""What reading an input gives: what it was taken for, the transcripts, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ..tokens import Transcript

Format = Literal["text", "ids", "records"]
"""What an input can be: pasted text, token ids in any notation, transcript records (JSON)."""

FORMATS: Final[tuple[Format, ...]] = ("text", "ids", "records")


@dataclass(frozen=True, slots=True)
class Detection:
    """What an input was taken for.

    ``why`` says it in words ("token ids, space-separated, 62 tokens"); ``confidence`` is between 0 and 1, and
    below 0.6 where another reading is about as likely (a lone number, a JSON object without tokens): a screen
    should offer the other formats then.
    """

    format: Format
    why: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read, with its place.

    ``line`` and ``column`` count from 1, in characters of the decoded input. ``sentence`` is for people and
    begins with the place. ``lost`` is False when only a part of the record was left out and the transcript
    itself was kept. ``id`` is what the record calls itself, where that could be read.
    """

    line: int
    column: int
    sentence: str
    lost: bool = True
    id: str = ""

    def __str__(self) -> str:
        return self.sentence


def problem(line: int, column: int, what: str, *, lost: bool = True) -> Problem:
    """A problem whose sentence begins with its place."""
    return Problem(line, column, f"line {line}, column {column}: {what}", lost)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read.

    ``explanation`` says in words what the input was taken for and what was done to it on the way in.
    """

    transcripts: tuple[Transcript, ...]
    format: Format
    explanation: str
    problems: tuple[Problem, ...] = ()


def quoted(text: str, limit: int = 24) -> str:
    """A piece of hostile input for a sentence: on one line, escaped, cut at ``limit`` characters."""
    piece = text if len(text) <= limit else text[: limit - 1] + "…"
    return repr(piece)


def plural(count: int, noun: str) -> str:
    """``1 token``, ``2 tokens``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def place(text: str, offset: int, line: int = 1) -> tuple[int, int]:
    """Line and column, from 1, of a character offset; ``line`` is the number of the text's first line."""
    before = text.count("\n", 0, offset)
    return line + before, offset - (text.rfind("\n", 0, offset) + 1) + 1
