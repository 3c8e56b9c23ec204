"""Numbers that JSON has no word for, in what a record says besides its tokens.

Python reads ``1e999``, ``Infinity`` and ``NaN`` where other programs refuse them, and cannot write them as JSON again;
nor can it write an integer of more digits than it converts. They are kept as text, so that every output can hold them.
"""

from __future__ import annotations

import math
from typing import Any, Final

_MOST_BITS: Final = 2_048
"""Of an integer that is kept as it is. Python converts 4,300 digits, which are 14,284 bits, and may be told to convert
as few as 640, which are 2,126."""


def as_words(value: Any) -> tuple[Any, int]:
    """A JSON value with text in the place of numbers that JSON has no word for, and how many there were.

    Without any it is the value itself.

    >>> as_words({"x": [1, float("inf")], "y": float("nan"), "z": 0.5})
    ({'x': [1, 'Infinity'], 'y': 'NaN', 'z': 0.5}, 2)
    """
    count = _count(value)
    return (_worded(value), count) if count else (value, 0)


def _count(value: Any) -> int:
    # No recursion: almost every value has none of them, and is only looked through.
    count, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        else:
            count += _word(one) is not None
    return count


def _worded(value: Any) -> Any:
    if isinstance(value, dict):
        found = {}
        for key, one in value.items():
            found[key] = _worded(one)
        return found
    if isinstance(value, list | tuple):
        entries = []
        for one in value:
            entries.append(_worded(one))  # a comprehension would take two frames for each level
        return entries
    word = _word(value)
    return value if word is None else word


def _word(value: Any) -> str | None:
    """The text of a number that JSON has no word for; None of anything else."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Hexadecimal digits are converted in linear time, any number of them.
        return hex(value)
    return None
