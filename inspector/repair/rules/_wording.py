"""What the rules' sentences have in common: small questions about a problem's values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from ...finding import Effect
from ...harmony.problem import Problem
from ...harmony.words import NOT_TOOLS, clean_name, has_letters
from ...tokens import MESSAGE, START, STOPS, Transcript, printable, vocabulary

BREAKS: Final = (Effect.RAISES, Effect.MISREADS)
"""The effects of a rule for defects on which a strict parser raises, or which it takes for something else."""

Value = TypeVar("Value")
_RECIPIENT: Final = re.compile(r"to=(\S++)")
_LONGEST_HEADER: Final = 200


def says_something(value: Any) -> bool:
    """True when wide text or token ids hold a letter or a digit outside of special tokens."""
    if isinstance(value, str):
        return has_letters(re.sub("[\ud800-\udfff]", "", value))
    return has_letters(vocabulary().decode([token for token in value if 0 <= token < 199998]))


def inserted(problem: Problem) -> str:
    """What the changes of a problem write, specials as they are printed; empty when they only take out."""
    return "".join(printable(change.text) for change in problem.changes)


def plain_name(written: str) -> str:
    """A recipient clause without ``to=``, quotes, brackets, blanks and markers."""
    return re.sub(r"[\s\"'`<>(){}\[\]*\ud800-\udfff]|^to[=:]", "", written)


def is_call(problem: Problem, transcript: Transcript) -> bool:
    """True when the message at a problem calls a tool: its header addresses one, or ``<|call|>`` ends it, which the
    reader says in ``called``."""
    if problem.data["called"]:
        return True
    ids = transcript.ids
    first = problem.span.start
    while first > 0 and ids[first - 1] != START and problem.span.start - first < _LONGEST_HEADER:
        first -= 1
    end = problem.span.end
    while end < len(ids) and ids[end] not in (MESSAGE, START) and ids[end] not in STOPS:
        end += 1
    for stated in _RECIPIENT.findall(vocabulary().decode(_ordinary(ids[first:end]))):
        name, _, _ = clean_name(stated)
        if name and name not in NOT_TOOLS:
            return True
    return False


def _ordinary(ids: Sequence[int]) -> list[int]:
    # A marker ends a name: 220 is a blank.
    return [token if 0 <= token < 199998 else 220 for token in ids]


def listed(values: Sequence[Value], show: Callable[[Value], str], most: int = 4) -> str:
    """The first values as ``a, b and c``, the others counted: ``a, b, c, d and 9 more``."""
    parts = [show(value) for value in values[:most]]
    if len(values) > most:
        parts.append(f"{len(values) - most} more")
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def code_point(char: str) -> str:
    """``U+200B``."""
    return f"U+{ord(char):04X}"


def counted(count: int, noun: str) -> str:
    """``1 token``, ``3 tokens``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
