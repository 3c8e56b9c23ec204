"""What reading an input gives: what it was taken for, the transcripts, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from ..budgets import MAX_LISTED
from ..tokens import Transcript

Format = Literal["text", "ids", "records"]
"""What an input can be: pasted text, token ids in any notation, transcript records (JSON)."""

FORMATS: Final[tuple[Format, ...]] = ("text", "ids", "records")


Place: TypeAlias = tuple[int, int]
"""Line and column, from 1."""


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


def place(text: str, offset: int, line: int = 1) -> Place:
    """Line and column, from 1, of a character offset; ``line`` is the number of the text's first line."""
    before = text.count("\n", 0, offset)
    return line + before, offset - (text.rfind("\n", 0, offset) + 1) + 1


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, one after the other: a list of them can take fifty times the memory of the text."""
    at = 0
    while (end := text.find("\n", at)) >= 0:
        yield text[at:end]
        at = end + 1
    yield text[at:]


class Places:
    """Line and column of offsets that do not fall: each character is looked at once, however many are asked for."""

    def __init__(self, text: str, line: int = 1) -> None:
        self._text = text
        self._line = line
        self._line_start = 0
        self._counted = 0

    def at(self, offset: int) -> Place:
        """Line and column, from 1, of a character offset that is no less than those that were asked for before."""
        assert offset >= self._line_start
        passed = self._text.count("\n", self._counted, offset)
        if passed:
            self._line += passed
            self._line_start = self._text.rfind("\n", self._counted, offset) + 1
        self._counted = max(self._counted, offset)
        return self._line, offset - self._line_start + 1


@dataclass(slots=True)
class ProblemList:
    """The problems of one input: the first of each kind as they are, of the others how many there are.

    A file of millions of bad lines costs no more memory and no more of a screen than one of a dozen.
    """

    listed: list[Problem] = field(default_factory=list)
    counts: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    more: dict[bool, Problem] = field(default_factory=dict)

    def add(self, found: Problem) -> None:
        """Take one more."""
        self.counts[found.lost] += 1
        if self.counts[found.lost] <= MAX_LISTED:
            self.listed.append(found)
        elif self.counts[found.lost] == MAX_LISTED + 1:
            self.more[found.lost] = found

    def all(self) -> tuple[Problem, ...]:
        """Those that are listed, and a sentence for those that are not."""
        rest = []
        for lost, first in sorted(self.more.items(), reverse=True):
            left = self.counts[lost] - MAX_LISTED
            what = plural(left, "record" if lost else "field")
            end = "could not be read" if lost else "left out"
            sentence = f"and {what.replace(' ', ' more ', 1)} {end}, from line {first.line:,} on"
            rest.append(first if left == 1 else Problem(first.line, first.column, sentence, lost))
        return (*self.listed, *rest)
